"""Files: types, nulls, metadata, atomic writes and equal bytes."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch

from slowpoints.core.files import atomic
from slowpoints.core.provenance import provenance
from slowpoints.core.schemas import slow_points as schemas
from slowpoints.core.schemas.schema import TableSchema
from slowpoints.core.schemas.study import CLAIMS, CORRELATIONS, NETWORKS, REGULARISATION
from slowpoints.core.tables import (
    class_names_of,
    read_study_tables,
    read_table,
    stored_class_names,
    study_of,
    write_table,
)
from slowpoints.core.tensors import read_tensors, write_tensors

SPECTRUM = pd.DataFrame({
    "dataset": "digits", "architecture": "gru", "protocol": "vocu", "mode": "trained", "lambda": np.nan,
    "seed": [0, 1], "label": 3, "index": [0, 1], "real": [0.5, np.nan], "imag": [0.0, 1.0],
})  # fmt: skip


def test_tables_come_back_as_written_with_nulls_for_what_is_missing(tmp_path):
    write_table(SPECTRUM[SPECTRUM.columns[::-1]], tmp_path / "spectrum.parquet", schemas.SPECTRUM)
    stored = pq.read_table(tmp_path / "spectrum.parquet")
    assert stored.column_names == list(schemas.SPECTRUM.columns)
    assert stored.schema.types == list(schemas.SPECTRUM.columns.values())
    assert stored["lambda"].null_count == 2
    assert stored["real"].to_pylist() == [0.5, None]
    assert read_table(tmp_path / "spectrum.parquet")["imag"].tolist() == [0.0, 1.0]


def test_missing_and_unknown_columns_are_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(ValueError, match=r"missing columns \['imag'\], unknown columns \['image'\]"):
        write_table(SPECTRUM.rename(columns={"imag": "image"}), tmp_path / "spectrum.parquet", schemas.SPECTRUM)
    assert list(tmp_path.iterdir()) == []


def test_metadata_says_where_a_table_comes_from(tmp_path):
    with provenance(config_digest="abc", device="NVIDIA Something"):
        write_table(SPECTRUM, tmp_path / "spectrum.parquet", schemas.SPECTRUM, note={"b": 1, "a": 2})
    metadata = {k.decode(): v.decode() for k, v in pq.read_schema(tmp_path / "spectrum.parquet").metadata.items()}
    assert metadata["config_digest"] == "abc"
    assert metadata["device"] == "NVIDIA Something"
    assert metadata["schema_version"] == "1"
    assert metadata["note"] == '{"a": 2, "b": 1}'
    assert json.loads(metadata["packages"])["torch"] == torch.__version__
    assert metadata["code_revision"]


def test_equal_tables_are_equal_files(tmp_path):
    for name in ("first", "second"):
        write_table(SPECTRUM, tmp_path / name, schemas.SPECTRUM)
        tensors = {f"weight{k}": torch.arange(4.0) + k for k in range(9)}
        write_tensors(tensors, tmp_path / f"{name}.safetensors", {f"fact{k}": k for k in range(9)})
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    files = [(tmp_path / f"{name}.safetensors").read_bytes() for name in ("first", "second")]
    assert files[0] == files[1]


def test_tensors_and_facts_come_back(tmp_path):
    write_tensors({"a": torch.eye(3).T, "b": torch.arange(2)}, tmp_path / "t.safetensors", {"seeds": [1, 2]})
    tensors, facts = read_tensors(tmp_path / "t.safetensors")
    assert torch.equal(tensors["a"], torch.eye(3))
    assert facts["seeds"] == [1, 2]


def cut(path, size=-9):
    path.write_bytes(path.read_bytes()[:size])


@pytest.mark.parametrize("size", [-9, 4, 0])
def test_a_damaged_file_is_named(tmp_path, size):
    table, tensors = tmp_path / "table.parquet", tmp_path / "tensors.safetensors"
    write_table(SPECTRUM, table, schemas.SPECTRUM)
    write_tensors({"a": torch.eye(3)}, tensors, {})
    for path, read, kind in ((table, read_table, "Parquet"), (tensors, read_tensors, "safetensors")):
        cut(path, size)
        with pytest.raises(ValueError, match=f"^{path}: not a whole {kind} file"):
            read(path)


@pytest.mark.parametrize(
    ("change", "columns"),
    [
        (lambda table: table.drop_columns("imag"), "imag"),
        (lambda table: table.append_column("more", table["label"]), "more"),
        (lambda table: table.set_column(6, "label", table["label"].cast("string")), "label"),
    ],
)
def test_a_table_of_another_kind_is_named(tmp_path, change, columns):
    path = tmp_path / "spectrum.parquet"
    write_table(SPECTRUM, path, schemas.SPECTRUM)
    assert len(read_table(path, schemas.SPECTRUM)) == 2
    pq.write_table(change(pq.read_table(path)), path)
    with pytest.raises(ValueError, match=f"{path}: not a table 'spectrum': missing, .* are columns {columns}$"):
        read_table(path, schemas.SPECTRUM)


def test_a_table_of_another_version_or_name_is_refused(tmp_path):
    """Also if it has exactly the requested columns, or if columns are not checked."""
    path = tmp_path / "spectrum.parquet"
    for kind, reason in (
        (replace(schemas.SPECTRUM, version=0), "a table 'spectrum' of schema version 0, where 1 is expected"),
        (replace(schemas.SPECTRUM, name="other"), "not a table 'spectrum' but 'other'"),
    ):
        write_table(SPECTRUM, path, kind)
        for read in (
            lambda: read_table(path, schemas.SPECTRUM),
            lambda: read_study_tables({"spectrum": path}, {"spectrum": 1}),
        ):
            with pytest.raises(ValueError, match=f"^{path}: {reason}"):
                read()


def test_tables_of_an_older_study_may_lack_columns(tmp_path):
    path = tmp_path / "spectrum.parquet"
    write_table(SPECTRUM, path, schemas.SPECTRUM)
    pq.write_table(pq.read_table(path).drop_columns("imag"), path)
    tables = read_study_tables({"accuracy": "not read", "spectrum": path}, {"spectrum": 1})
    assert [len(table) for table in tables.values()] == [2]


def test_names_of_classes_come_back_where_tables_have_them(tmp_path):
    path, older = tmp_path / "spectrum.parquet", tmp_path / "older.parquet"
    write_table(SPECTRUM, older, schemas.SPECTRUM)
    write_table(SPECTRUM, path, schemas.SPECTRUM, class_names={"digits": ["owl", "Ü"]})
    tables = {"spectrum": read_table(path, schemas.SPECTRUM), "older": read_table(older)}
    assert class_names_of(tables) == {"digits": ["owl", "Ü"]}
    assert class_names_of(read_study_tables({"spectrum": path}, {"spectrum": 1})) == {"digits": ["owl", "Ü"]}
    assert class_names_of({"older": tables["older"]}) == {}


@pytest.mark.parametrize(
    ("text", "names"),
    [('["owl", "wren"]', ["owl", "wren"]), ("null", None), ('{"digits": ["owl"]}', None), ("nonsense", None)],
)
def test_names_of_classes_of_one_cell_are_a_list_or_none(tmp_path, text, names):
    path = tmp_path / "spectrum.parquet"
    write_table(SPECTRUM, path, schemas.SPECTRUM)
    table = pq.read_table(path)
    pq.write_table(table.replace_schema_metadata({**table.schema.metadata, b"class_names": text.encode()}), path)
    assert stored_class_names(path) == names
    assert read_table(path)["label"].tolist() == [3, 3]


def test_a_table_of_another_study_is_refused(tmp_path):
    files, versions = {}, {}
    for name, kind, study in (
        ("networks", NETWORKS, "mine"),
        ("claims", CLAIMS, "mine"),
        ("correlations", CORRELATIONS, "other"),
        ("regularisation", REGULARISATION, None),
    ):
        files[name], versions[name] = tmp_path / f"{name}.parquet", kind.version
        table = pd.DataFrame(columns=list(kind.columns), dtype=object)
        write_table(table, files[name], kind, **({"study": study} if study else {}))

    def read(*names, study=None):
        return read_study_tables(files, {name: versions[name] for name in names}, study)

    assert study_of(read("regularisation", "networks", "claims")) == "mine"
    assert study_of(read("regularisation", study="mine")) is None  # a table of before, when none named its study
    for names, study in ((("networks", "correlations"), None), (("correlations",), "mine")):
        with pytest.raises(ValueError, match=f"^{files['correlations']}: a table of the study 'other', where 'mine'"):
            read(*names, study=study)


@pytest.mark.parametrize("kind", [each for each in vars(schemas).values() if isinstance(each, TableSchema)])
def test_a_stored_kind_is_known_again(tmp_path, kind):
    write_table(pd.DataFrame(columns=list(kind.columns), dtype=object), tmp_path / "table", kind)
    assert list(read_table(tmp_path / "table", kind)) == list(kind.columns)


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "result"
    path.write_text("old")

    def fail():
        with atomic(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_takes_the_usual_permissions(tmp_path):
    usual = tmp_path / "usual"
    usual.touch()
    with atomic(tmp_path / "ours") as temporary:
        temporary.write_text("x")
    assert (tmp_path / "ours").stat().st_mode == usual.stat().st_mode
