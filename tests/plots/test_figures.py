"""Figures: drawn from tables alone, also from those with gaps, and equal where the tables are."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from slowpoints.core.looks import Look
from slowpoints.plots import formation, spectrum, speed_vs_memory, state_space, style
from slowpoints.plots.figures import FIGURES, draw
from slowpoints.task.protocols import PROTOCOLS

CELLS = [("a", "gru", "vocu"), ("a", "gru", "decu"), ("a", "lstm", "vocu"), ("a", "lstm", "decu")]


MEASURES = ("memory_score", "nominal_accuracy", "log10_speed")


def cell(names):
    return dict(zip(("dataset", "architecture", "protocol"), names, strict=True))


@pytest.fixture
def tables():
    rng = np.random.default_rng(0)
    made = {"extrapolation": [], "trajectories": [], "spectrum": [], "networks": [], "correlations": []}
    made |= {"formation": [], "regularisation": []}
    for names in CELLS:
        for seed in range(2):
            network = cell(names) | {"seed": seed}
            made["networks"].append(network | {"log10_speed": rng.normal(), "memory_score": 0.5, "learned": seed == 0})
            for mode, lambda_ in (("control", 0.0), ("slow_points", 0.1), ("slow_points", 1.0)):
                change = {f"{name}_{when}": rng.normal() for name in MEASURES for when in ("before", "after")}
                made["regularisation"].append(network | {"mode": mode, "lambda": lambda_} | change)
            for mode, delay in product(("trained", "control"), (4, 19, 20, 1000)):
                for label in range(2):
                    row = {"mode": mode, "lambda": np.nan if mode == "trained" else 0.0, "delay": delay}
                    row |= {"label": label, "n_trials": 9, "n_correct": 4}
                    made["extrapolation"].append(network | row)
            for label in range(2):
                for kind, frames in (("trial", range(3)), ("centre", [np.nan]), ("slow_point", [np.nan])):
                    for frame in frames:
                        place = dict(zip(("pc1", "pc2", "pc3"), rng.normal(size=3), strict=True))
                        where = {"kind": kind, "label": label, "trial": 0, "frame": frame}
                        made["trajectories"].append(network | where | place)
                for step in range(3):
                    track = {"label": label, "step": step, "speed": 0.1 + label, "in_use": step > 0, "t_max": 20}
                    track |= {"born": step > 1 - label, "parent": 0.0 if step == 1 - label else np.nan}
                    made["formation"].append(network | track)
                value = {"mode": "trained", "label": label, "index": 0, "real": 1.01, "imag": 0.1}
                made["spectrum"].append(network | value)
        made["correlations"].append(
            cell(names) | {"level": "network", "predictor": "log10_speed", "method": "spearman"}
            | {"n": 0, "r": np.nan, "low": np.nan, "high": np.nan, "p": np.nan}
        )  # fmt: skip
    return {kind: pd.DataFrame(rows) for kind, rows in made.items()}


def trial(channels):
    image = np.random.default_rng(0).random(16 * channels)
    frames = np.arange(20)
    return pd.DataFrame({
        "dataset": "a", "frame": frames, "label": 3, "stimulus": frames == 2, "trigger": (frames == 9).astype(int),
        "target": 4 * (frames == 9), "height": 4, "width": 4, "channels": channels, "image": [image] * 20,
    })  # fmt: skip


def test_every_figure_is_drawn_in_both_forms(tables, tmp_path):
    tables["task"] = pd.concat([trial(1), trial(3).assign(dataset="b")])
    for name, drawn_from in FIGURES.items():
        figure = draw(name, {table: tables[table] for table in drawn_from})
        pdf, png = tmp_path / f"{name}.pdf", tmp_path / f"{name}.png"
        style.save(figure, pdf, png)
        assert pdf.read_bytes().startswith(b"%PDF")
        assert png.read_bytes().startswith(b"\x89PNG")


def test_equal_tables_are_equal_figures(tables, tmp_path):
    for name in ("first", "second"):
        style.save(spectrum.draw(tables["spectrum"]), tmp_path / f"{name}.pdf", tmp_path / f"{name}.png")
    for form in ("pdf", "png"):
        assert (tmp_path / f"first.{form}").read_bytes() == (tmp_path / f"second.{form}").read_bytes()


def test_a_grid_with_holes_is_drawn(tables):
    """One data set with LSTMs, another without."""
    more = pd.concat([table.assign(dataset="b") for table in [tables["spectrum"].query("architecture == 'gru'")]])
    figure = spectrum.draw(pd.concat([tables["spectrum"], more]))
    titles = [ax.get_title("left") for ax in figure.axes if ax.get_title("left")]
    assert len(titles) == 8
    assert sum("no class is read out" in text.get_text() for ax in figure.axes for text in ax.texts) == 2


def test_tables_without_a_row_are_drawn(tables):
    for module, table in ((spectrum, "spectrum"), (state_space, "trajectories"), (formation, "formation")):
        figure = module.draw(tables[table].iloc[:0])
        assert "no class is read out" in figure.axes[0].texts[0].get_text()


def test_colours_differ_without_colour():
    """Luminance of the first two protocols, which stand beside each other in every study."""
    from matplotlib.colors import to_rgb

    luminance = [np.dot(to_rgb(PROTOCOLS[name].look.colour), (0.2126, 0.7152, 0.0722)) for name in ("vocu", "decu")]
    assert abs(luminance[0] - luminance[1]) > 0.2


def test_drawing_leaves_the_settings_of_who_imports_it(tables, tmp_path):
    import matplotlib as mpl

    before, backend = dict(mpl.rcParams), mpl.rcParams["backend"]
    style.save(draw("spectrum", {"spectrum": tables["spectrum"]}), tmp_path / "spectrum.pdf")
    assert dict(mpl.rcParams) == before
    assert mpl.rcParams["backend"] == backend


def test_recurrent_units_are_called_as_their_look_says(tables):
    named = {"gru": Look("gated", marker="D")}
    figure = speed_vs_memory.draw(tables["networks"], tables["correlations"], units=named)
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {"gated", "LSTM"} <= set(labels)  # a unit without a look is called by its name
