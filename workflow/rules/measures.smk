rule measure_memory:
    input:
        weights=f"{TRAINED_SEED_BLOCK}/weights.safetensors",
        test=f"{DATASET}/test.parquet",
    output:
        accuracy=f"{TRAINED_SEED_BLOCK}/accuracy.parquet",
        extrapolation=f"{TRAINED_SEED_BLOCK}/extrapolation.parquet",
        extrapolation_by_noise=f"{TRAINED_SEED_BLOCK}/extrapolation_by_noise.parquet",
    log:
        "logs/measure_memory/{dataset}.{architecture}.{protocol}.{block}.log",
    benchmark:
        "logs/measure_memory/{dataset}.{architecture}.{protocol}.{block}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=megabytes(measuring_mb),
        runtime=minutes(*3 * [retrieving_minutes]),  # with all, half and none of the noise
    params:
        memory=preset("memory"),
        code=cell_digest("measure_memory"),
    script:
        "../../scripts/measure_memory.py"


rule find_slow_points:
    input:
        weights=f"{TRAINED_SEED_BLOCK}/weights.safetensors",
        train=f"{DATASET}/train.parquet",
    output:
        slow_points=f"{TRAINED_SEED_BLOCK}/slow_points.parquet",
        spectrum=f"{TRAINED_SEED_BLOCK}/spectrum.parquet",
        relaxation=f"{TRAINED_SEED_BLOCK}/relaxation.parquet",
        trajectories=f"{TRAINED_SEED_BLOCK}/trajectories.parquet",
    log:
        "logs/find_slow_points/{dataset}.{architecture}.{protocol}.{block}.log",
    benchmark:
        "logs/find_slow_points/{dataset}.{architecture}.{protocol}.{block}.tsv"
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=megabytes(measuring_mb),
        runtime=minutes(searching_minutes),
    params:
        slow_points=preset("slow_points"),
        longest_delay=lambda wildcards: max(preset("memory", "delays")(wildcards)),
        code=cell_digest("find_slow_points"),
    script:
        "../../scripts/find_slow_points.py"


rule track_formation:
    input:
        weights=f"{TRAINED_SEED_BLOCK}/weights.safetensors",
        snapshots=f"{TRAINED_SEED_BLOCK}/snapshots.safetensors",
        slow_points=f"{TRAINED_SEED_BLOCK}/slow_points.parquet",
    output:
        formation=f"{TRAINED_SEED_BLOCK}/formation.parquet",
    log:
        "logs/track_formation/{dataset}.{architecture}.{protocol}.{block}.log",
    benchmark:
        "logs/track_formation/{dataset}.{architecture}.{protocol}.{block}.tsv"
    priority: -1  # after the jobs that the first figures need
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=megabytes(measuring_mb),
        runtime=minutes(tracking_minutes),
    params:
        training=preset("training"),
        protocol=protocol,
        max_iterations=preset("formation", "max_iterations"),
        code=cell_digest("track_formation"),
    script:
        "../../scripts/track_formation.py"
