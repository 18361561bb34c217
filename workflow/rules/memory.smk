rule measure_memory:
    input:
        weights=f"{NETWORKS}/weights.safetensors",
        test=f"{DATASET}/test.parquet",
    output:
        accuracy=f"{NETWORKS}/accuracy.parquet",
        extrapolation=f"{NETWORKS}/extrapolation.parquet",
    log:
        "logs/measure_memory/{dataset}.{architecture}.{protocol}.{mode}.{block}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        memory=preset("memory"),
        device=config["device"],
        code=library_digest("measure_memory"),
    script:
        "../../scripts/measure_memory.py"
