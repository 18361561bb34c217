# Finished studies in reference/: claims are tested and figures drawn again from their tables.
rule take_reference:
    input:
        "reference/{study}/{table}.parquet",
    output:
        f"results/{layout.PUBLISHED_AS}{{study}}/tables/{{table}}.parquet",
    log:
        "logs/take_reference/{study}.{table}.log",
    wildcard_constraints:
        table="|".join(PUBLISHED),
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=100,
        runtime=1,
    shell:
        "cp {input} {output} 2> {log}"
