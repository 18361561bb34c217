"""Documentation, schema for editors and library agree."""

import re
import subprocess

import pytest
from config_page import PAGE, SCHEMA, page, schema_file, shipped
from places import ROOT

from slowpoints.core.schemas import example, formation, memory, slow_points, study, training
from slowpoints.core.schemas.example import TASK
from slowpoints.core.schemas.schema import CELL, TableSchema
from slowpoints.plots import figures

KINDS = {
    kind.name: kind
    for module in (example, formation, memory, slow_points, study, training)
    for kind in vars(module).values()
    if isinstance(kind, TableSchema)
}


def test_the_page_on_configuration_is_up_to_date():
    assert PAGE.read_text() == page(), "run `make docs`"


def test_the_schema_for_editors_is_up_to_date():
    assert SCHEMA.read_text() == schema_file(), "run `make docs`"


def test_files_of_a_user_in_config_are_not_the_project_s(tmp_path, monkeypatch):
    monkeypatch.setattr("config_page.PAGE", tmp_path / "README.md")
    files = [tmp_path / "ours.yaml", tmp_path / "mine.yaml"]
    for file in files:
        file.touch()
    assert shipped("*.yaml") == sorted(files)  # without git
    subprocess.run(f"git -C {tmp_path} init -q && git -C {tmp_path} add ours.yaml", shell=True, check=True)
    assert shipped("*.yaml") == files[:1]


def test_every_column_is_explained():
    text = (ROOT / "docs/tables.md").read_text()
    text = text[: text.index("## What figures draw")]
    rows = {match[1]: match[0] for match in re.finditer(r"^\| `(\w+)` \|.*$", text, re.MULTILINE)}
    assert set(KINDS) - set(rows) == {"training", "accuracy"}  # of cells, not of studies
    for table, row in rows.items():
        for column in KINDS[table].columns:
            shown = column.removesuffix("_after") if table == "regularisation" else column
            if table == "task" and column in ("height", "width", "channels", "image"):
                continue
            if column not in CELL:
                assert shown in row, f"{table}: {column} is not explained"


@pytest.mark.parametrize("figure", figures.FIGURES)
def test_every_column_of_a_figure_is_explained(figure):
    text = (ROOT / "docs/tables.md").read_text()
    row = next(line for line in text[text.index("## What figures draw") :].splitlines() if f"| `{figure}` |" in line)
    for column in figures.schema(figure).columns:
        assert column in (*CELL, *TASK.columns) or re.search(rf"\b{column}\b", row), f"{figure}: {column}"


@pytest.mark.parametrize("table", KINDS)
def test_keys_are_columns(table):
    assert set(KINDS[table].key) <= set(KINDS[table].columns)
