# A rule for each figure, from the list of figures and the tables they are drawn from (slowpoints.plots.figures).
LOOKS = {name: asdict(unit.look) for name, unit in units().items()}

for figure in FIGURES:
    part, title = SHOWN.get(figure, ("Further figures", figure))

    rule:
        name:
            f"plot_{figure}"
        input:
            unpack(tables(FIGURES[figure], trained=figure not in TUNED)),
        output:
            pdf=report(
                f"{layout.FIGURES}/{figure}.pdf",
                caption=f"../report/{figure}.rst",
                category=section("Figures to print"),
                labels={"result": title.lstrip("12345 ")},
            ),
            png=report(
                f"{layout.FIGURES}/{figure}.png",
                caption=f"../report/{figure}.rst",
                category=section(part),
                labels={"result": title},
            ),
            data=f"{layout.FIGURES}/{figure}.parquet",
        log:
            f"logs/plot_{figure}/{{study}}.log",
        conda:
            "../../environment.yml"
        threads: 1
        resources:
            mem_mb=light_megabytes(gathering_mb),
            runtime=light_minutes(gathering_minutes),
        params:
            figure=figure,
            units=LOOKS,
            versions=versions(FIGURES[figure]),
            code=figure_digest(figure),
        script:
            "../../scripts/plot_figure.py"
