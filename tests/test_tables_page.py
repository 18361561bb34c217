"""docs/tables.md: its Python code works on the tables of a finished study."""

import ast
import contextlib
import re

import pandas as pd
import pytest
from places import ROOT
from test_results_page import worked_out

from slowpoints.core.tables import read_table

PAGE = (ROOT / "docs/tables.md").read_text(encoding="utf-8")
STATEMENTS = [
    statement for block in re.findall(r"```python\n(.*?)```", PAGE, re.S) for statement in ast.parse(block).body
]


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """Value of each expression of the page, by its text.

    The large tables in reference/ are of trained networks alone: the same points stand in for those after fine-tuning.
    """
    folder = tmp_path_factory.mktemp("study")
    worked_out("cifar", folder / "results")
    path = folder / "results/reference-cifar/tables/slow_points.parquet"
    trained = read_table(path)
    pd.concat([trained, trained.assign(**{"mode": "slow_points", "lambda": 0.003})]).to_parquet(path)
    (folder / "results/default").symlink_to(folder / "results/reference-cifar")
    names, values = {}, {}
    with contextlib.chdir(folder):
        for statement in STATEMENTS:
            text = ast.unparse(statement)
            if isinstance(statement, ast.Expr):
                values[text] = eval(text, names)
            else:
                exec(text, names)
    return values


def test_groups_by_lambda_hold_networks_as_trained(shown):
    (grouped,) = (value for text, value in shown.items() if "lambda" in text and "groupby" in text)
    assert {"trained", "slow_points"} <= set(grouped.index.get_level_values("mode"))


def test_lambda_can_be_queried(shown):
    (queried,) = (value for text, value in shown.items() if "`lambda`" in text)
    assert len(queried) > 0
    assert set(queried["mode"]) == {"slow_points"}


def test_sql_quotes_lambda():
    (sql,) = re.findall(r"```sql\n(.*?)```", PAGE, re.S)
    assert re.findall(r".lambda.", sql) == ['"lambda"']
