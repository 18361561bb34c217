rule track_formation:
    input:
        weights=f"{TRAINED}/weights.safetensors",
        snapshots=f"{TRAINED}/snapshots.safetensors",
        slow_points=f"{TRAINED}/slow_points.parquet",
    output:
        formation=f"{TRAINED}/formation.parquet",
    log:
        "logs/track_formation/{dataset}.{architecture}.{protocol}.{block}.log",
    benchmark:
        "logs/track_formation/{dataset}.{architecture}.{protocol}.{block}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=grown(measuring_memory),
        runtime=grown(120),
    params:
        training=preset("training"),
        max_iterations=preset("formation", "max_iterations"),
        code=library_digest("track_formation"),
    script:
        "../../scripts/track_formation.py"
