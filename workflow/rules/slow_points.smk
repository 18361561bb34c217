rule find_slow_points:
    input:
        weights=f"{NETWORKS}/weights.safetensors",
        train=f"{DATASET}/train.parquet",
    output:
        slow_points=f"{NETWORKS}/slow_points.parquet",
        spectrum=f"{NETWORKS}/spectrum.parquet",
        trajectories=f"{NETWORKS}/trajectories.parquet",
    log:
        "logs/find_slow_points/{dataset}.{architecture}.{protocol}.{mode}.{block}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        slow_points=preset("slow_points"),
        longest_delay=lambda wildcards: max(preset("memory", "delays")(wildcards)),
        device=config["device"],
        code=library_digest("find_slow_points"),
    script:
        "../../scripts/find_slow_points.py"
