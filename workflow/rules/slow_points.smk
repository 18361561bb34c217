rule find_slow_points:
    input:
        weights=f"{TRAINED}/weights.safetensors",
        train=f"{DATASET}/train.parquet",
    output:
        slow_points=f"{TRAINED}/slow_points.parquet",
        spectrum=f"{TRAINED}/spectrum.parquet",
        trajectories=f"{TRAINED}/trajectories.parquet",
    log:
        "logs/find_slow_points/{dataset}.{architecture}.{protocol}.{block}.log",
    benchmark:
        "logs/find_slow_points/{dataset}.{architecture}.{protocol}.{block}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=grown(measuring_memory),
        runtime=grown(searching_minutes),
    params:
        slow_points=preset("slow_points"),
        longest_delay=lambda wildcards: max(preset("memory", "delays")(wildcards)),
        code=library_digest("find_slow_points"),
    script:
        "../../scripts/find_slow_points.py"
