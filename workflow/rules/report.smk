# Texts of the report about this study, and tables to browse; Snakemake assembles the report.
DESCRIBED = ["claims", "correlations", "networks"]


rule describe_study:
    input:
        unpack(tables(DESCRIBED)),
    output:
        summary=f"{REPORT}/summary.rst",
        captions=[f"{REPORT}/{figure}.rst" for figure in CAPTIONED],
        claims=report(
            f"{REPORT}/claims.html",
            caption="../report/claims_table.rst",
            category=section("What came out"),
            labels={"result": "Claims: a table of every test"},
        ),
        networks=report(
            f"{REPORT}/networks.html",
            caption="../report/networks_table.rst",
            category=section("Explore"),
            labels={"result": "Networks: a table of each"},
        ),
    log:
        "logs/describe_study/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=grown(LIGHT_MB, gathering_mb),
        runtime=grown(LIGHT_MINUTES, gathering_minutes),
    params:
        versions=versions(DESCRIBED),
        units=LOOKS,
        code=library_digest("describe_study", *claim_files(), looks=True),
    script:
        "../../scripts/describe_study.py"
