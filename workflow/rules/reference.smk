# Finished studies in reference/: claims are tested and figures drawn again from their tables.
rule take_reference:
    input:
        "reference/{study}/{table}.parquet",
    output:
        f"results/{layout.PUBLISHED_AS}{{study}}/tables/{{table}}.parquet",
    log:
        "logs/take_reference/{study}.{table}.log",
    wildcard_constraints:
        table="|".join([*PUBLISHED, "validation"]),
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=100,
        runtime=1,
    shell:
        "cp {input} {output} 2> {log}"


rule take_reference_costs:
    input:
        "reference/{study}/costs.csv",
    output:
        layout.COSTS.replace("{study}", f"{layout.PUBLISHED_AS}{{study}}"),
    log:
        "logs/take_reference/{study}.costs.log",
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=100,
        runtime=1,
    shell:
        "cp {input} {output} 2> {log}"
