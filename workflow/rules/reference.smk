# Tables of finished studies that come with the project: claims are tested and figures drawn from them again.
rule take_reference:
    input:
        [f"reference/{{study}}/{name}.parquet" for name in PUBLISHED],
    output:
        [f"results/reference-{{study}}/tables/{name}.parquet" for name in PUBLISHED],
    log:
        "logs/take_reference/{study}.log",
    localrule: True
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        mem_mb=100,
        runtime=1,
    shell:
        "cp {input} results/reference-{wildcards.study}/tables/ 2> {log}"
