# The study as one page to look around in, from its tables; of those that a finished study in reference/ lacks, it shows
# nothing.
from slowpoints.explorer import EXPLORED


def explored(wildcards):
    """Tables that the page is drawn from."""
    if wildcards.study == STUDY.name:
        return list(EXPLORED)
    folder = Path("reference") / wildcards.study.removeprefix("reference-")
    return [name for name in EXPLORED if (folder / f"{name}.parquet").is_file()]


rule draw_explorer:
    input:
        unpack(lambda wildcards: tables(explored(wildcards))(wildcards)),
    output:
        report(
            EXPLORER,
            caption="../report/explorer.rst",
            category="Explorer",
        ),
    log:
        "logs/draw_explorer/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=megabytes(gathering_mb),
        runtime=minutes(gathering_minutes),
    params:
        units=LOOKS,
        versions=lambda wildcards: versions(explored(wildcards)),
        code=explorer_digest(),
    script:
        "../../scripts/draw_explorer.py"
