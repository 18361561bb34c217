rule measure_memory:
    input:
        weights=f"{TRAINED}/weights.safetensors",
        test=f"{DATASET}/test.parquet",
    output:
        accuracy=f"{TRAINED}/accuracy.parquet",
        extrapolation=f"{TRAINED}/extrapolation.parquet",
    log:
        "logs/measure_memory/{dataset}.{architecture}.{protocol}.{block}.log",
    benchmark:
        "logs/measure_memory/{dataset}.{architecture}.{protocol}.{block}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=grown(measuring_memory),
        runtime=grown(60),
    params:
        memory=preset("memory"),
        code=library_digest("measure_memory"),
    script:
        "../../scripts/measure_memory.py"
