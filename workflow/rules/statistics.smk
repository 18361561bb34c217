rule correlate_predictors:
    input:
        unpack(tables(["networks", "extrapolation", "slow_points"], trained=True)),
    output:
        f"{TABLES}/correlations.parquet",
    log:
        "logs/correlate_predictors/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=megabytes(gathering_mb),
        runtime=minutes(resampling_minutes),
    params:
        code=library_digest("correlate_predictors"),
    script:
        "../../scripts/correlate_predictors.py"


rule judge_claims:
    input:
        unpack(tables(["networks", "correlations", "formation", "regularisation"])),
    output:
        f"{TABLES}/claims.parquet",
    log:
        "logs/judge_claims/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=megabytes(gathering_mb),
        runtime=minutes(resampling_minutes),
    params:
        code=library_digest("judge_claims"),
    script:
        "../../scripts/judge_claims.py"
