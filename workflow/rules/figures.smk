# A rule plot_NAME for each figure, declared in src/slowpoints/plots/NAME.py.
LOOKS = {name: asdict(unit.look) for name, unit in units().items()}

for figure, spec in FIGURES.items():
    title = spec.title or figure

    rule:
        name:
            f"plot_{figure}"
        input:
            unpack(tables(spec.tables, trained=not spec.tuned)),
            unpack(extras(spec.optional)),
        output:
            pdf=report(
                f"{layout.FIGURES}/{figure}.pdf",
                caption=f"../report/{figure}.rst",
                category=section("Figures to print"),
                labels={"result": title},
            ),
            png=report(
                f"{layout.FIGURES}/{figure}.png",
                caption=f"../report/{figure}.rst",
                category=section(spec.section),
                labels={"result": f"{spec.order} {title}" if spec.order else title},
            ),
            data=f"{layout.FIGURES}/{figure}.parquet",
        log:
            f"logs/plot_{figure}/{{study}}.log",
        group:
            figure_group(spec)
        conda:
            "../../environment.yml"
        threads: 1
        resources:
            mem_mb=grown(LIGHT_MB, gathering_mb),
            runtime=grown(LIGHT_MINUTES, gathering_minutes),
        params:
            figure=figure,
            units=LOOKS,
            versions=lambda wildcards, input: versions(
                [name for name in input.keys() if name != "costs"]
            ),
            code=figure_digest(figure),
        script:
            "../../scripts/plot_figure.py"
