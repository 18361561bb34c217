rule download_source:
    output:
        "resources/{folder}/{file}",
    log:
        "logs/download_source/{folder}.{file}.log",
    retries: 2
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=grown(30),
    params:
        source=download_of,
        code=library_digest("download_source"),
    script:
        "../../scripts/download_source.py"


rule prepare_dataset:
    input:
        ancient(downloaded),
    output:
        train=f"{DATASET}/train.parquet",
        valid=f"{DATASET}/valid.parquet",
        test=f"{DATASET}/test.parquet",
    log:
        "logs/prepare_dataset/{dataset}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=megabytes(preparing_mb),
        runtime=minutes(preparing_minutes),
    params:
        source=lambda wildcards: STUDY.source_settings(wildcards.dataset),
        folder=source_folder,
        files=files_digest,
        code=reading_digest("prepare_dataset"),
    script:
        "../../scripts/prepare_dataset.py"
