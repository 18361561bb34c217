rule plot_task:
    input:
        task=study_path("tables", "task.parquet"),
    output:
        report(
            study_path("figures", "task.pdf"),
            caption="../report/task.rst",
            category="Figures",
        ),
        study_path("figures", "task.png"),
    log:
        f"logs/plot_task/{STUDY.name}.log",
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
        extrapolation=study_path("tables", "extrapolation.parquet"),
    output:
        report(
            study_path("figures", "extrapolation.pdf"),
            caption="../report/extrapolation.rst",
            category="Figures",
        ),
        study_path("figures", "extrapolation.png"),
    log:
        f"logs/plot_extrapolation/{STUDY.name}.log",
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
        trajectories=study_path("tables", "trajectories.parquet"),
    output:
        report(
            study_path("figures", "state_space.pdf"),
            caption="../report/state_space.rst",
            category="Figures",
        ),
        study_path("figures", "state_space.png"),
    log:
        f"logs/plot_state_space/{STUDY.name}.log",
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
        networks=study_path("tables", "networks.parquet"),
        correlations=study_path("tables", "correlations.parquet"),
    output:
        report(
            study_path("figures", "speed_vs_memory.pdf"),
            caption="../report/speed_vs_memory.rst",
            category="Figures",
        ),
        study_path("figures", "speed_vs_memory.png"),
    log:
        f"logs/plot_speed_vs_memory/{STUDY.name}.log",
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
        spectrum=study_path("tables", "spectrum.parquet"),
    output:
        report(
            study_path("figures", "spectrum.pdf"),
            caption="../report/spectrum.rst",
            category="Figures",
        ),
        study_path("figures", "spectrum.png"),
    log:
        f"logs/plot_spectrum/{STUDY.name}.log",
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
        formation=study_path("tables", "formation.parquet"),
    output:
        report(
            study_path("figures", "formation.pdf"),
            caption="../report/formation.rst",
            category="Figures",
        ),
        study_path("figures", "formation.png"),
    log:
        f"logs/plot_formation/{STUDY.name}.log",
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
        extrapolation=study_path("tables", "extrapolation.parquet"),
        regularisation=study_path("tables", "regularisation.parquet"),
    output:
        report(
            study_path("figures", "regularisation.pdf"),
            caption="../report/regularisation.rst",
            category="Figures",
        ),
        study_path("figures", "regularisation.png"),
    log:
        f"logs/plot_regularisation/{STUDY.name}.log",
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
