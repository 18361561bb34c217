# Tables over the whole grid, one rule each:
#   collate_extrapolation, collate_extrapolation_by_noise, collate_slow_points, collate_spectrum,
#   collate_relaxation, collate_trajectories, collate_formation
# and over trained networks only, which do not wait for fine-tuning:
#   collate_trained_extrapolation, collate_trained_slow_points, collate_trained_spectrum,
#   collate_trained_relaxation
STUDY_SEEDS = {name: STUDY.seeds(name) for name in STUDY.presets}
STUDY_SETTINGS = STUDY.settings()

# Name of the rule, its table, the folder of the table, and whether it includes fine-tuned networks.
GATHERED = [(f"collate_{table}", table, TABLES, table in OF_TUNED) for table in MEASURED]
GATHERED += [(f"collate_trained_{table}", table, TRAINED_TABLES, False) for table in OF_TUNED]

for rule_name, table, folder, tuned in GATHERED:

    rule:
        name:
            rule_name
        input:
            over_grid(f"{table}.parquet", tuned=tuned),
        output:
            f"{folder}/{table}.parquet".format(study=STUDY.name),
        log:
            f"logs/{rule_name}/{STUDY.name}.log",
        conda:
            "../../environment.yml"
        threads: 1
        resources:
            mem_mb=grown(LIGHT_MB, gathering_mb),
            runtime=grown(LIGHT_MINUTES, gathering_minutes),
        params:
            kind=table,
            seeds=STUDY_SEEDS,
            settings=STUDY_SETTINGS,
            code=library_digest("collate_table"),
        script:
            "../../scripts/collate_table.py"


rule collate_networks:
    input:
        accuracy=over_grid("accuracy.parquet"),
        extrapolation=f"{TRAINED_TABLES}/extrapolation.parquet".format(study=STUDY.name),
        extrapolation_by_noise=f"{TABLES}/extrapolation_by_noise.parquet".format(study=STUDY.name),
        slow_points=f"{TRAINED_TABLES}/slow_points.parquet".format(study=STUDY.name),
    output:
        f"{TABLES}/networks.parquet".format(study=STUDY.name),
    log:
        f"logs/collate_networks/{STUDY.name}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=grown(LIGHT_MB, gathering_mb),
        runtime=grown(LIGHT_MINUTES, gathering_minutes),
    params:
        seeds=STUDY_SEEDS,
        settings=STUDY_SETTINGS,
        versions=versions(["extrapolation", "slow_points", "extrapolation_by_noise"]),
        code=library_digest("collate_networks"),
    script:
        "../../scripts/collate_networks.py"


rule collate_regularisation:
    input:
        accuracy=over_grid("accuracy.parquet", tuned=True),
        extrapolation=f"{TABLES}/extrapolation.parquet".format(study=STUDY.name),
        slow_points=f"{TABLES}/slow_points.parquet".format(study=STUDY.name),
    output:
        f"{TABLES}/regularisation.parquet".format(study=STUDY.name),
    log:
        f"logs/collate_regularisation/{STUDY.name}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=grown(LIGHT_MB, gathering_mb),
        runtime=grown(LIGHT_MINUTES, gathering_minutes),
    params:
        seeds=STUDY_SEEDS,
        settings=STUDY_SETTINGS,
        versions=versions(["extrapolation", "slow_points"]),
        code=library_digest("collate_regularisation"),
    script:
        "../../scripts/collate_regularisation.py"


rule collate_task:
    input:
        [f"{DATASET}/test.parquet".format(dataset=name) for name in STUDY.presets],
    output:
        f"{TABLES}/task.parquet".format(study=STUDY.name),
    log:
        f"logs/collate_task/{STUDY.name}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=grown(LIGHT_MB, preparing_mb),
        runtime=grown(LIGHT_MINUTES, gathering_minutes),
    params:
        code=library_digest("collate_task"),
    script:
        "../../scripts/collate_task.py"
