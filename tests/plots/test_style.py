"""Figures do not depend on Matplotlib's settings, and leave them unchanged."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import torch

from slowpoints import slow_points_of
from slowpoints.plots import style

OTHER = {
    "text.usetex": True, "font.size": 30, "font.family": ["monospace"], "lines.linewidth": 9, "axes.grid": True,
    "axes.prop_cycle": mpl.cycler(color=["r"]), "axes.formatter.use_locale": True, "axes.unicode_minus": False,
    "figure.autolayout": True, "figure.constrained_layout.use": False, "figure.dpi": 33, "figure.facecolor": "red",
    "image.cmap": "jet", "legend.loc": "center", "path.simplify": False, "text.hinting": "none",
    "pdf.fonttype": 3, "pdf.compression": 0, "pdf.use14corefonts": True, "svg.fonttype": "none",
    "savefig.bbox": "tight", "savefig.dpi": 20, "savefig.facecolor": "blue", "savefig.format": "jpg",
    "savefig.transparent": True, "timezone": "Asia/Kathmandu", "toolbar": "None", "interactive": True,
}  # fmt: skip
"""Of a matplotlibrc, or set in a notebook."""


@style.styled
def picture(data):
    figure, axes = style.panels(1, 2, height=1.5)
    axes[0, 0].plot(data, data**2 - 3)
    axes[0, 1].imshow(data.reshape(5, 4))
    axes[0, 1].set_title("Speed, log10")
    style.legend(figure, axes[0, 0].lines)
    return figure


def files(folder):
    folder.mkdir()
    paths = [folder / f"a.{form}" for form in ("png", "pdf", "svg")]
    style.save(picture(np.arange(20.0)), *paths)
    return [path.read_bytes() for path in paths]


@pytest.fixture(scope="module")
def points():
    torch.manual_seed(0)
    return slow_points_of(torch.nn.RNN(3, 4), states=torch.randn(8, 4).tanh())


@pytest.fixture
def as_notebooks_do():
    with mpl.rc_context():
        mpl.rcParams.update(OTHER)
        yield


def settings():
    """Every setting, with the backend as stored, which may not be chosen yet."""
    return {name: str(mpl.rcParams[name]) for name in mpl.rcParams if name != "backend"}, mpl.get_backend(
        auto_select=False
    )


def test_a_figure_is_the_same_whatever_is_set(tmp_path, as_notebooks_do):
    ours = files(tmp_path / "as set")
    with mpl.rc_context():
        mpl.rcParams.update({name: mpl.rcParamsDefault[name] for name in OTHER})
        assert ours == files(tmp_path / "default")


def test_a_figure_changes_no_setting(tmp_path, as_notebooks_do, points):
    before = settings()
    files(tmp_path / "files")
    points.plot()._repr_png_()
    assert settings() == before


def test_points_are_drawn_the_same_whatever_is_set(as_notebooks_do, points):
    ours = points.plot()._repr_png_()
    with mpl.rc_context():
        mpl.rcParams.update({name: mpl.rcParamsDefault[name] for name in OTHER})
        assert ours == points.plot()._repr_png_()


def test_names_of_classes_say_of_which_data_set_they_are_where_several_are_drawn():
    shown = pd.DataFrame({"dataset": ["digits", "glyphs"]})
    shown.attrs["class_names"] = {"digits": ["0", "1"], "glyphs": ["A", "C"]}
    assert [handle.get_label() for handle in style.class_handles(shown)] == ["glyphs 0: A", "glyphs 1: C"]
    alone = shown[shown["dataset"] == "glyphs"]
    assert [handle.get_label() for handle in style.class_handles(alone)] == ["0: A", "1: C"]


@pytest.mark.parametrize(("dataset", "title"), [("mnist-small", "mnist-small, LSTM, DeCu"), ("cifar10-small", None)])
def test_titles_too_long_for_a_panel_have_the_data_set_on_a_line_of_its_own(dataset, title):
    cells = [{"dataset": dataset, "architecture": unit, "protocol": "decu"} for unit in ("gru", "lstm")]
    _, axes = style.cell_panels(pd.DataFrame(cells), lambda *_: None, height=1.5)
    titles = [ax.get_title("left") for ax in axes.flat]
    assert titles[1] == title or titles == ["cifar10-small\nGRU, DeCu", "cifar10-small\nLSTM, DeCu"]
