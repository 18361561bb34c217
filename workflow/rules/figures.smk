rule plot_task:
    input:
        task=f"{RESULTS}/tables/task.parquet",
    output:
        report(
            f"{RESULTS}/figures/task.pdf",
            caption="../report/task.rst",
            category="Figures",
        ),
        f"{RESULTS}/figures/task.png",
    log:
        "logs/plot_task/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=library_digest("plot_task"),
    script:
        "../../scripts/plot_task.py"


rule plot_extrapolation:
    input:
        extrapolation=f"{RESULTS}/tables/extrapolation.parquet",
    output:
        report(
            f"{RESULTS}/figures/extrapolation.pdf",
            caption="../report/extrapolation.rst",
            category="Figures",
        ),
        f"{RESULTS}/figures/extrapolation.png",
    log:
        "logs/plot_extrapolation/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=library_digest("plot_extrapolation"),
    script:
        "../../scripts/plot_extrapolation.py"


rule plot_state_space:
    input:
        trajectories=f"{RESULTS}/tables/trajectories.parquet",
    output:
        report(
            f"{RESULTS}/figures/state_space.pdf",
            caption="../report/state_space.rst",
            category="Figures",
        ),
        f"{RESULTS}/figures/state_space.png",
    log:
        "logs/plot_state_space/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=library_digest("plot_state_space"),
    script:
        "../../scripts/plot_state_space.py"


rule plot_speed_vs_memory:
    input:
        networks=f"{RESULTS}/tables/networks.parquet",
        correlations=f"{RESULTS}/tables/correlations.parquet",
    output:
        report(
            f"{RESULTS}/figures/speed_vs_memory.pdf",
            caption="../report/speed_vs_memory.rst",
            category="Figures",
        ),
        f"{RESULTS}/figures/speed_vs_memory.png",
    log:
        "logs/plot_speed_vs_memory/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=library_digest("plot_speed_vs_memory"),
    script:
        "../../scripts/plot_speed_vs_memory.py"


rule plot_spectrum:
    input:
        spectrum=f"{RESULTS}/tables/spectrum.parquet",
    output:
        report(
            f"{RESULTS}/figures/spectrum.pdf",
            caption="../report/spectrum.rst",
            category="Figures",
        ),
        f"{RESULTS}/figures/spectrum.png",
    log:
        "logs/plot_spectrum/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=library_digest("plot_spectrum"),
    script:
        "../../scripts/plot_spectrum.py"


rule plot_formation:
    input:
        formation=f"{RESULTS}/tables/formation.parquet",
    output:
        report(
            f"{RESULTS}/figures/formation.pdf",
            caption="../report/formation.rst",
            category="Figures",
        ),
        f"{RESULTS}/figures/formation.png",
    log:
        "logs/plot_formation/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=library_digest("plot_formation"),
    script:
        "../../scripts/plot_formation.py"


rule plot_regularisation:
    input:
        extrapolation=f"{RESULTS}/tables/extrapolation.parquet",
        regularisation=f"{RESULTS}/tables/regularisation.parquet",
    output:
        report(
            f"{RESULTS}/figures/regularisation.pdf",
            caption="../report/regularisation.rst",
            category="Figures",
        ),
        f"{RESULTS}/figures/regularisation.png",
    log:
        "logs/plot_regularisation/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        code=library_digest("plot_regularisation"),
    script:
        "../../scripts/plot_regularisation.py"
