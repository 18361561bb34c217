# Correlations and claims, from a study's tables.
CORRELATED = ["networks", "extrapolation", "slow_points", "relaxation"]
JUDGED = ["networks", "correlations", "formation", "regularisation"]
correlated = available(CORRELATED)


rule correlate_predictors:
    input:
        unpack(lambda wildcards: tables(correlated(wildcards), trained=True)(wildcards)),
    output:
        f"{TABLES}/correlations.parquet",
    log:
        "logs/correlate_predictors/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=grown(LIGHT_MB, gathering_mb),
        runtime=grown(LIGHT_MINUTES, resampling_minutes),
    params:
        versions=lambda wildcards: versions(correlated(wildcards)),
        code=library_digest("correlate_predictors"),
    script:
        "../../scripts/correlate_predictors.py"


rule judge_claims:
    input:
        unpack(tables(JUDGED)),
        unpack(extras(["validation"])),
    output:
        f"{TABLES}/claims.parquet",
    log:
        "logs/judge_claims/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=grown(LIGHT_MB, gathering_mb),
        runtime=grown(LIGHT_MINUTES, resampling_minutes),
    params:
        versions=lambda wildcards: versions([*JUDGED, *extras(["validation"])(wildcards)]),
        code=library_digest("judge_claims", *claim_files()),
    script:
        "../../scripts/judge_claims.py"
