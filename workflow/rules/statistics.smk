rule collate_tables:
    input:
        accuracy=over_grid("accuracy.parquet", tuned=True),
        extrapolation=over_grid("extrapolation.parquet", tuned=True),
        slow_points=over_grid("slow_points.parquet", tuned=True),
        spectrum=over_grid("spectrum.parquet", tuned=True),
        trajectories=over_grid("trajectories.parquet"),
        formation=over_grid("formation.parquet"),
        images=[f"{DATASET}/test.parquet".format(dataset=name) for name in STUDY.presets],
    output:
        **{name: study_path("tables", f"{name}.parquet") for name in TABLES},
    log:
        f"logs/collate_tables/{STUDY.name}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=grown(4000),
        runtime=grown(30),
    params:
        seeds={name: STUDY.seeds(name) for name in STUDY.presets},
        code=library_digest("collate_tables"),
    script:
        "../../scripts/collate_tables.py"


rule test_claims:
    input:
        networks=study_path("tables", "networks.parquet"),
        extrapolation=study_path("tables", "extrapolation.parquet"),
        slow_points=study_path("tables", "slow_points.parquet"),
        formation=study_path("tables", "formation.parquet"),
        regularisation=study_path("tables", "regularisation.parquet"),
    output:
        correlations=study_path("tables", "correlations.parquet"),
        claims=study_path("tables", "claims.parquet"),
    log:
        f"logs/test_claims/{STUDY.name}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=grown(4000),
        runtime=grown(30),
    params:
        code=library_digest("test_claims"),
    script:
        "../../scripts/test_claims.py"
