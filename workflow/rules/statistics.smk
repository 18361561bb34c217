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
        **{name: f"results/{STUDY.name}/tables/{name}.parquet" for name in TABLES},
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
        networks=f"{RESULTS}/tables/networks.parquet",
        extrapolation=f"{RESULTS}/tables/extrapolation.parquet",
        slow_points=f"{RESULTS}/tables/slow_points.parquet",
        formation=f"{RESULTS}/tables/formation.parquet",
        regularisation=f"{RESULTS}/tables/regularisation.parquet",
    output:
        correlations=f"{RESULTS}/tables/correlations.parquet",
        claims=f"{RESULTS}/tables/claims.parquet",
    log:
        "logs/test_claims/{study}.log",
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
