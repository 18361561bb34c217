from slowpoints.core.costs import COST


rule regularise_networks:
    input:
        weights=f"{TRAINED_SEED_BLOCK}/weights.safetensors",
        slow_points=f"{TRAINED_SEED_BLOCK}/slow_points.parquet",
        train=f"{DATASET}/train.parquet",
        test=f"{DATASET}/test.parquet",
    output:
        weights=f"{SEED_BLOCK}/weights.safetensors",
        training=f"{SEED_BLOCK}/training.parquet",
        accuracy=f"{SEED_BLOCK}/accuracy.parquet",
        extrapolation=f"{SEED_BLOCK}/extrapolation.parquet",
        slow_points=f"{SEED_BLOCK}/slow_points.parquet",
        spectrum=f"{SEED_BLOCK}/spectrum.parquet",
        relaxation=f"{SEED_BLOCK}/relaxation.parquet",
        cost=f"{SEED_BLOCK}/{COST}",
    log:
        "logs/regularise_networks/{dataset}.{architecture}.{protocol}.{mode}.{block}.log",
    benchmark:
        "logs/regularise_networks/{dataset}.{architecture}.{protocol}.{mode}.{block}.tsv"
    priority: -1  # after what the first figures wait for
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=megabytes(fine_tuning_mb),
        runtime=minutes(fine_tuning_minutes, searching_minutes, retrieving_minutes),
        gpu=TRAINING_GPUS,
    params:
        mode=lambda wildcards: tuning(wildcards).mode,
        lambda_=lambda wildcards: tuning(wildcards).lambda_,
        protocol=protocol,
        training=preset("training"),
        memory=preset("memory"),
        slow_points=preset("slow_points"),
        regularisation=fine_tuning_settings,
        code=tuning_digest("regularise_networks"),
    script:
        "../../scripts/regularise_networks.py"


rule collate_costs:
    input:
        over_grid(COST, trained=False, tuned=True),
    output:
        layout.COSTS.format(study=STUDY.name),
    log:
        f"logs/collate_costs/{STUDY.name}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=LIGHT_MB,
        runtime=LIGHT_MINUTES,
    params:
        code=library_digest("collate_costs"),
    script:
        "../../scripts/collate_costs.py"


rule validate_networks:
    input:
        weights=f"{SEED_BLOCK}/weights.safetensors",
        valid=f"{DATASET}/valid.parquet",
    output:
        f"{SEED_BLOCK}/validation.parquet",
    log:
        "logs/validate_networks/{dataset}.{architecture}.{protocol}.{mode}.{block}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=megabytes(measuring_mb),
        runtime=minutes(retrieving_minutes),
    params:
        mode=lambda wildcards: tuning(wildcards).mode,
        lambda_=lambda wildcards: tuning(wildcards).lambda_,
        memory=preset("memory"),
        code=cell_digest("validate_networks"),
    script:
        "../../scripts/validate_networks.py"


rule collate_validation:
    input:
        over_grid("validation.parquet", trained=False, tuned=True),
    output:
        f"{TABLES}/validation.parquet".format(study=STUDY.name),
    log:
        f"logs/collate_validation/{STUDY.name}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=grown(LIGHT_MB, gathering_mb),
        runtime=grown(LIGHT_MINUTES, gathering_minutes),
    params:
        kind="validation",
        seeds=STUDY_SEEDS,
        settings=STUDY_SETTINGS,
        code=library_digest("collate_table"),
    script:
        "../../scripts/collate_table.py"
