# Tables of finished studies that come with the project: claims are tested and figures drawn from them again.
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
