rule regularise_networks:
    input:
        weights=f"{TRAINED}/weights.safetensors",
        slow_points=f"{TRAINED}/slow_points.parquet",
        train=f"{DATASET}/train.parquet",
        test=f"{DATASET}/test.parquet",
    output:
        weights=f"{TUNED}/weights.safetensors",
        training=f"{TUNED}/training.parquet",
        accuracy=f"{TUNED}/accuracy.parquet",
        extrapolation=f"{TUNED}/extrapolation.parquet",
        slow_points=f"{TUNED}/slow_points.parquet",
        spectrum=f"{TUNED}/spectrum.parquet",
    log:
        "logs/regularise_networks/{dataset}.{architecture}.{protocol}.{mode}.{block}.log",
    benchmark:
        "logs/regularise_networks/{dataset}.{architecture}.{protocol}.{mode}.{block}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=grown(fine_tuning_memory),
        runtime=grown(fine_tuning_minutes),
        gpu=training_gpus,
    params:
        preset=sections("training", "memory", "slow_points", "regularisation"),
        code=library_digest("regularise_networks"),
    script:
        "../../scripts/regularise_networks.py"
