"""Swapped files of a finished run: every rule that reads one refuses it, naming file and reason."""

import shutil

import pyarrow.parquet as pq
import pytest

SEED_BLOCK = "results/networks/digits-tiny/gru/{protocol}/{mode}/0-1/{file}"
TABLES = "results/test/tables"
OTHER = "the same of another study"


def at(file, protocol="vocu", mode="trained"):
    return SEED_BLOCK.format(protocol=protocol, mode=mode, file=file)


SWAPS = [
    (at("weights.safetensors", "decu"), at("weights.safetensors"), ["measure_memory", "find_slow_points"],
     "it holds protocol 'decu', where its path says 'vocu'"),
    (at("weights.safetensors", mode="control"), at("weights.safetensors"), ["measure_memory", "find_slow_points"],
     "it holds mode 'control', where its path says 'trained'"),
    (at("snapshots.safetensors", "decu"), at("snapshots.safetensors"), ["track_formation"],
     "recurrent of the last snapshot is not that of the networks beside it"),
    (at("slow_points.parquet", mode="control"), at("slow_points.parquet"), ["track_formation", "regularise_networks"],
     "it holds mode 'control', where its path says 'trained'"),
    (f"{TABLES}/formation.parquet", f"{TABLES}/networks.parquet", ["correlate_predictors"],
     "not a table 'networks' but 'formation'"),
    (f"{TABLES}/networks.parquet", f"{TABLES}/regularisation.parquet", ["judge_claims"],
     "not a table 'regularisation' but 'networks'"),
    (f"{TABLES}/formation.parquet", f"{TABLES}/claims.parquet", ["plot_claims"],
     "not a table 'claims' but 'formation'"),
    (OTHER, f"{TABLES}/networks.parquet", ["correlate_predictors"],
     "a table of the study 'other', where 'test' is expected"),
    (OTHER, f"{TABLES}/claims.parquet", ["plot_claims"],
     "a table of the study 'other', where 'test' is expected"),
]  # fmt: skip
OUTPUTS = {
    "measure_memory": at("accuracy.parquet"),
    "find_slow_points": at("spectrum.parquet"),
    "track_formation": at("formation.parquet"),
    "regularise_networks": at("accuracy.parquet", mode="settled"),
    "correlate_predictors": f"{TABLES}/correlations.parquet",
    "judge_claims": f"{TABLES}/claims.parquet",
    "plot_claims": "results/test/figures/claims.pdf",
}


@pytest.mark.parametrize(("taken", "put", "rules", "reason"), SWAPS)
def test_a_file_in_another_s_place_is_refused(finished, tmp_path, taken, put, rules, reason):
    results, path = finished.folder / "results", finished.folder / put
    outputs = [OUTPUTS[rule] for rule in rules]
    run = ("--cores", "1", "--configfile", "config/test.yaml", "--keep-going", "--force", "--allowed-rules", *rules)
    shutil.copytree(results, tmp_path / "results")
    try:
        if taken is OTHER:
            table = pq.read_table(path)
            pq.write_table(table.replace_schema_metadata({**table.schema.metadata, b"study": b'"other"'}), path)
        else:
            shutil.copy2(finished.folder / taken, path)
        output = finished.snakemake(*run, "--", *outputs, fails=True)
        for rule in rules:
            assert f"rule {rule}: ValueError: {put}: {reason}" in output
    finally:
        shutil.rmtree(results)
        shutil.move(tmp_path / "results", results)
