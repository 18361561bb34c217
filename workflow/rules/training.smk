rule train_networks:
    input:
        train=images_to_train_on,
    output:
        weights=f"{TRAINED_SEED_BLOCK}/weights.safetensors",
        snapshots=f"{TRAINED_SEED_BLOCK}/snapshots.safetensors",
        training=f"{TRAINED_SEED_BLOCK}/training.parquet",
    log:
        "logs/train_networks/{dataset}.{architecture}.{protocol}.{block}.log",
    benchmark:
        "logs/train_networks/{dataset}.{architecture}.{protocol}.{block}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=megabytes(training_mb),
        runtime=minutes(training_minutes),
        gpu=TRAINING_GPUS,
    params:
        network=preset("network"),
        training=preset("training"),
        snapshots=preset("formation", "snapshots"),
        protocol=protocol,
        seeds=seeds_of_block,
        code=cell_digest("train_networks"),
    script:
        "../../scripts/train_networks.py"
