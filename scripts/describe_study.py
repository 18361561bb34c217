"""Outcome of a study: sentences for the report, and tables to browse."""

from pathlib import Path

from _job import logged, own_study
from slowpoints.analysis.report import captions, claims_page, networks_page, summary
from slowpoints.core.files import atomic
from slowpoints.core.looks import unit_looks
from slowpoints.core.tables import read_study_tables

with logged(snakemake), unit_looks(snakemake.params.units):
    study = own_study(snakemake)
    tables = read_study_tables(snakemake.input, snakemake.params.versions, study)
    claims, networks = tables["claims"], tables["networks"]
    sentences = captions(claims, tables["correlations"])
    pages = {
        snakemake.output.summary: summary(claims, networks),
        snakemake.output.claims: claims_page(claims),
        snakemake.output.networks: networks_page(networks),
    }
    pages |= {path: sentences[Path(path).stem] for path in snakemake.output.captions}
    for path, text in pages.items():
        with atomic(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
