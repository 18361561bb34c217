rule train_networks:
    input:
        train=f"{DATASET}/train.parquet",
    output:
        weights=f"{TRAINED}/weights.safetensors",
        snapshots=f"{TRAINED}/snapshots.safetensors",
        training=f"{TRAINED}/training.parquet",
    log:
        "logs/train_networks/{dataset}.{architecture}.{protocol}.{block}.log",
    benchmark:
        "logs/train_networks/{dataset}.{architecture}.{protocol}.{block}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=grown(training_memory),
        runtime=grown(training_minutes("training")),
        gpu=training_gpus,
    params:
        preset=sections("network", "training", "formation"),
        seeds=block_seeds,
        code=library_digest("train_networks"),
    script:
        "../../scripts/train_networks.py"
