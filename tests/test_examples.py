"""Notebooks run from top to bottom, and show what they gave when they were last run."""

import ast

import nbformat
import pytest
import torch
from places import ROOT

NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


def run(source: str, namespace: dict) -> object:
    """Runs a cell, and gives what it would show: the value of its last line, if that is an expression."""
    *body, last = ast.parse(source).body
    if not isinstance(last, ast.Expr):
        body, last = [*body, last], None
    exec(compile(ast.Module(body, []), "cell", "exec"), namespace)
    return None if last is None else eval(compile(ast.Expression(last.value), "cell", "eval"), namespace)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path):
    with torch.random.fork_rng():
        cells = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
        shown = [(cell, run(cell.source, namespace)) for namespace in [{}] for cell in cells]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell, value in shown:
        stored = {form for output in cell.outputs for form in output.get("data", ())}
        assert (value is not None) == bool(stored)
        if hasattr(value, "_repr_png_"):
            assert "image/png" in stored
            assert value._repr_png_().startswith(b"\x89PNG")
