"""docs/reliability.md: every test that it names exists, and runs where it says."""

import ast
import re

import pytest
from places import ROOT

PAGE = (ROOT / "docs/reliability.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`([*†‡]?)", PAGE)
MARKS = {"": set(), "*": {"pytest.mark.slow"}, "†": {"pytest.mark.faults"}, "‡": {"pytest.mark.slurm"}}


def marks(file, name):
    """Marks that say where a test runs, its module's included."""
    module = ast.parse((ROOT / file).read_text())
    tests = {each.name: each for each in module.body if isinstance(each, ast.FunctionDef)}
    assert name in tests, f"there is no {file}::{name}"
    found = {ast.unparse(mark) for mark in tests[name].decorator_list}
    for each in module.body:
        if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "pytestmark":
            found |= {ast.unparse(mark) for mark in getattr(each.value, "elts", [each.value])}
    return found & {"pytest.mark.faults", "pytest.mark.slow", "pytest.mark.slurm"}


@pytest.mark.parametrize(("file", "name", "where"), NAMED)
def test_every_test_that_the_page_names_runs_where_it_says(file, name, where):
    assert marks(file, name) - ({"pytest.mark.slow"} if where == "‡" else set()) == MARKS[where]


def test_no_test_is_named_in_another_form():
    assert PAGE.count("::test_") == len(NAMED) > 20
