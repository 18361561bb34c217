"""Notebooks run from top to bottom, and reproduce their stored outputs."""

import ast

import matplotlib.pyplot as plt
import nbformat
import pytest
import torch
from matplotlib.figure import Figure
from places import ROOT

NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))


def run(source: str, namespace: dict) -> list[object]:
    """Runs a cell, and returns its outputs: pyplot's figures, and the value of its last line, if any."""
    *body, last = ast.parse(source).body
    if not isinstance(last, ast.Expr):
        body, last = [*body, last], None
    exec(compile(ast.Module(body, []), "cell", "exec"), namespace)
    value = None if last is None else eval(compile(ast.Expression(last.value), "cell", "eval"), namespace)
    figures = [plt.figure(number) for number in plt.get_fignums()]
    plt.close("all")
    return [shown for shown in (*figures, value) if shown is not None]


@pytest.mark.long
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path):
    with torch.random.fork_rng():
        cells = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
        shown = [(cell, run(cell.source, namespace)) for namespace in [{}] for cell in cells]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell, values in shown:
        stored = [output.data for output in cell.outputs if "data" in output]
        assert len(stored) == len(values)
        for value, forms in zip(values, stored, strict=True):
            assert ("image/png" in forms) == (hasattr(value, "_repr_png_") or isinstance(value, Figure))
            if hasattr(value, "_repr_png_"):
                assert value._repr_png_().startswith(b"\x89PNG")
