# The explorer: an interactive page of the study, from its tables.
EXPLORER = f"{layout.RESULTS}/{{study}}/explorer.html"
explored = available(EXPLORED)


rule draw_explorer:
    input:
        unpack(lambda wildcards: tables(explored(wildcards))(wildcards)),
    output:
        report(
            EXPLORER,
            caption="../report/explorer.rst",
            category=section("Explore"),
            labels={"result": "Explorer: any network of the study"},
        ),
    log:
        "logs/draw_explorer/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=grown(LIGHT_MB, gathering_mb),
        runtime=grown(LIGHT_MINUTES, gathering_minutes),
    params:
        units=LOOKS,
        versions=lambda wildcards: versions(explored(wildcards)),
        code=explorer_digest(),
    script:
        "../../scripts/draw_explorer.py"
