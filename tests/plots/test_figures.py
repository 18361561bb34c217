"""Figures: drawn from tables only, also with gaps, and equal for equal tables."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from claim_tables import about, made_up
from matplotlib.collections import LineCollection
from matplotlib.text import Text

from slowpoints.analysis.predictors import KNOWN, predictor_name
from slowpoints.core.looks import unit_looks
from slowpoints.core.tables import read_table, write_table
from slowpoints.plots import relaxation, state_space, style
from slowpoints.plots.figures import FIGURES, data, draw, schema
from slowpoints.task.protocols import PROTOCOLS

CELLS = [("a", "gru", "vocu"), ("a", "gru", "decu"), ("a", "lstm", "vocu"), ("a", "lstm", "decu")]


MEASURES = ("memory_score", "nominal_accuracy", "log10_speed")


def cell(names):
    return dict(zip(("dataset", "architecture", "protocol"), names, strict=True))


@pytest.fixture
def tables():
    rng = np.random.default_rng(0)
    made = {"extrapolation": [], "trajectories": [], "spectrum": [], "networks": [], "correlations": []}
    made |= {"formation": [], "regularisation": [], "relaxation": [], "slow_points": []}
    for names in CELLS:
        for seed in range(2):
            network = cell(names) | {"seed": seed}
            speeds = {"log10_speed": rng.normal(), "log10_settled_speed": rng.normal()}
            made["networks"].append(network | speeds | {"memory_score": 0.5, "learned": seed == 0})
            for mode, lambda_ in (("control", 0.0), ("slow_points", 0.1), ("slow_points", 1.0)):
                change = {f"{name}_{when}": rng.normal() for name in MEASURES for when in ("before", "after")}
                made["regularisation"].append(network | {"mode": mode, "lambda": lambda_} | change)
            for mode, delay in product(("trained", "control"), (4, 19, 20, 1000)):
                for label in range(2):
                    row = {"mode": mode, "lambda": np.nan if mode == "trained" else 0.0, "delay": delay}
                    row |= {"label": label, "n_trials": 9, "n_correct": 4}
                    made["extrapolation"].append(network | row)
            for label in range(2):
                for sort, frames in (("trial", range(3)), ("centre", [np.nan]), ("slow_point", [np.nan])):
                    for frame in frames:
                        place = dict(zip(("pc1", "pc2", "pc3"), rng.normal(size=3), strict=True))
                        where = {"kind": sort, "label": label, "trial": 0, "frame": frame}
                        made["trajectories"].append(network | where | place)
                for step in range(3):
                    track = {"label": label, "step": step, "speed": 0.1 + label, "in_use": step > 0, "t_max": 20}
                    track |= {"born": step > 1 - label, "parent": 0.0 if step == 1 - label else np.nan}
                    track |= {"merged_with": 0.0 if label == 1 and step == 0 else np.nan, "jumped": False}
                    made["formation"].append(network | track)
                for mode in ("trained", "control"):
                    point = network | {"mode": mode, "label": label}
                    made["slow_points"].append(point | {"speed": 0.01 * (1 + label)})
                    for frame in (0, 1, 20, 100):
                        path = {"frame": frame, "speed": 1 / (1 + frame), "readout": label if frame < 100 else np.nan}
                        made["relaxation"].append(point | path)
                value = {"mode": "trained", "label": label, "index": 0, "real": 1.01, "imag": 0.1}
                made["spectrum"].append(network | value)
        made["correlations"].append(
            cell(names) | {"level": "network", "predictor": "log10_speed", "method": "spearman"}
            | {"n": 0, "r": np.nan, "low": np.nan, "high": np.nan, "p": np.nan}
        )  # fmt: skip
    made["correlations"] += [
        {"dataset": dataset, "architecture": None, "protocol": None, "level": level, "predictor": predictor}
        | {"method": "spearman", "n": 8, "r": -0.5, "low": -0.75, "high": -0.25, "p": 0.01}
        for dataset in ("a", None)
        for level in ("mixed", "network", "class")
        for predictor in ("log10_speed", "log10_settled_speed")
    ]
    slow_points = {"mode": "slow_points", "lambda_": 0.1}
    made["claims"] = made_up(
        (about("C1", dataset="a", architecture="gru"), 0.1, None),
        (about("C1", dataset="a"), 0.1, "contradicted"),
        (about("C4", dataset="a", **slow_points), 0.1, "supported"),
        (about("C4", **slow_points), 0.1, "supported"),
        (about("C4", dataset="b", measure="log10_speed", **slow_points), 0.1, "inconclusive"),
    )
    made = {name: pd.DataFrame(rows) for name, rows in made.items()}
    return made | {"task": pd.concat([trial(1), trial(3).assign(dataset="b")])}


def drawn(name, *tables):
    """A figure of tables, in the order of its parameters."""
    return draw(name, data(name, dict(zip(FIGURES[name].tables, tables, strict=True))))


def words(ax):
    return [text.get_text() for text in ax.texts]


def intervals(ax):
    """Ends of the horizontal intervals drawn on axes."""
    lines = [line for drawn in ax.collections if isinstance(drawn, LineCollection) for line in drawn.get_segments()]
    return [tuple(line[:, 0]) for line in lines if len(line)]


def trial(channels):
    image = np.random.default_rng(0).random(16 * channels)
    frames = np.arange(20)
    return pd.DataFrame({
        "dataset": "a", "frame": frames, "label": 3, "stimulus": frames == 2, "trigger": (frames == 9).astype(int),
        "target": 4 * (frames == 9), "height": 4, "width": 4, "channels": channels, "image": [image] * 20,
    })  # fmt: skip


def test_every_figure_is_drawn_in_both_forms(tables, tmp_path):
    for name in FIGURES:
        figure = draw(name, data(name, tables))
        pdf, png = tmp_path / f"{name}.pdf", tmp_path / f"{name}.png"
        style.save(figure, pdf, png)
        assert pdf.read_bytes().startswith(b"%PDF")
        assert png.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_drawn_again_from_its_own_table(tables, tmp_path, name):
    shown = data(name, tables)
    write_table(shown, tmp_path / "data.parquet", schema(name))
    for file, table in (("first", shown), ("second", read_table(tmp_path / "data.parquet", schema(name)))):
        style.save(draw(name, table), tmp_path / f"{file}.pdf")
    assert (tmp_path / "first.pdf").read_bytes() == (tmp_path / "second.pdf").read_bytes()


NAMES = {"a": ["owl", "a very long name of a bird that no legend has room for"]}


@pytest.mark.parametrize("name", ["state_space", "relaxation", "formation"])
def test_legends_name_classes_where_tables_do(tables, tmp_path, name):
    without = {text.get_text() for text in draw(name, data(name, tables)).legends[0].texts}
    for table in FIGURES[name].tables:
        tables[table].attrs["class_names"] = NAMES
    shown = data(name, tables)
    figure = draw(name, shown)
    added = [text.get_text() for text in figure.legends[0].texts if text.get_text() not in without]
    assert added == ["0: owl", "1: a very long name of…"]
    colours = [handle.get_color() for handle in figure.legends[0].legend_handles[-2:]]
    assert colours == [style.class_colour(0, 1), style.class_colour(1, 1)]
    style.save(figure, tmp_path / "first.pdf")
    write_table(shown, tmp_path / "data.parquet", schema(name), class_names=shown.attrs["class_names"])
    style.save(draw(name, read_table(tmp_path / "data.parquet", schema(name))), tmp_path / "second.pdf")
    assert (tmp_path / "first.pdf").read_bytes() == (tmp_path / "second.pdf").read_bytes()


@pytest.mark.parametrize("names", [["0", "1"], [f"name {label}" for label in range(style.MOST_CLASSES + 1)]])
def test_legends_name_neither_numbers_nor_very_many_classes(tables, names):
    before = draw("relaxation", data("relaxation", tables))
    tables["relaxation"].attrs["class_names"] = {"a": names}
    after = draw("relaxation", data("relaxation", tables))
    assert len(after.legends[0].texts) == len(before.legends[0].texts)


def test_the_example_trial_names_its_class(tables):
    assert words(draw("task", data("task", tables)).axes[0]).count("3") == 1
    tables["task"].attrs["class_names"] = {"a": ["owl", "wren", "jay", "cost in $"]}
    figure = draw("task", data("task", tables))
    assert r"cost in \$" in words(figure.axes[0])
    assert "3" in words(figure.axes[1])


def in_lines(figure):
    """Every vertex of every line and point drawn in data coordinates."""
    for ax in figure.axes:
        for line in ax.lines:
            if line.get_transform() == ax.transData:
                yield from zip(*line.get_data(), strict=True)
        for points in ax.collections:
            yield from points.get_offsets()


@pytest.mark.parametrize(
    ("name", "x", "y"),
    [
        ("extrapolation", "delay", "accuracy"),
        ("state_space", "pc1", "pc2"),
        ("speed_vs_memory", "speed", "memory_score"),
        ("spectrum", "real", "imag"),
        ("formation", "step", "speed"),
        ("regularisation", "delay", "accuracy"),
    ],
)
def test_the_table_of_a_figure_has_what_is_drawn(tables, name, x, y):
    shown = data(name, tables).dropna(subset=[x, y])
    seen = np.array(list(in_lines(draw(name, shown if name == "spectrum" else data(name, tables)))), float)
    for point in shown[[x, y]].to_numpy(float):
        assert np.isclose(seen, point).all(axis=1).any()


def test_a_mean_of_two_networks_has_no_interval(tables):
    few = tables["extrapolation"]
    third = few[few["seed"] == 0].assign(seed=2, n_correct=5)
    for table, has_interval in ((few, False), (pd.concat([few, third]), True)):
        means = data("extrapolation", {"extrapolation": table}).query("seed.isna()")
        assert means["accuracy"].notna().all()
        assert means[["low", "high"]].notna().all(axis=None) == has_interval


def test_each_mode_of_a_sweep_is_drawn_at_its_chosen_lambda(tables):
    validation = tables["regularisation"].rename(columns=lambda name: name.removesuffix("_after"))
    gain = validation["lambda"].map({0.0: 0.0, 0.1: 0.2, 1.0: 0.3})
    loss = validation["lambda"].map({0.0: 0.0, 0.1: 0.0, 1.0: 0.1})
    validation = validation.assign(memory_score=0.5 + gain, nominal_accuracy=0.9 - loss)
    changes = data("regularisation", tables | {"validation": validation}).dropna(subset="measure")
    assert changes.groupby("mode")["lambda"].unique().map(list).to_dict() == {"control": [0.0], "slow_points": [0.1]}


def test_intervals_of_a_figure_are_in_its_table(tables):
    for name in ("predictors", "claims"):
        shown = data(name, tables)
        seen = sorted(end for ax in draw(name, shown).axes for end in intervals(ax))
        assert seen == sorted(shown[["low", "high"]].itertuples(index=False, name=None))


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_as_wide_as_one_or_two_columns_of_a_page(tables, name):
    many = tables | {
        table: pd.concat(
            [
                tables[table],
                *(tables[table].query("architecture == 'gru'").assign(architecture=f"unit{n}") for n in range(4)),
            ]
        )
        for table in ("extrapolation", "trajectories", "spectrum", "formation", "relaxation", "slow_points")
    }
    for given in (tables, many):
        figure = draw(name, data(name, given))
        assert figure.get_figwidth() in (style.ONE_COLUMN, style.TWO_COLUMNS)
        sizes = {text.get_fontsize() for text in figure.findobj(Text) if text.get_text()}
        assert style.SMALL <= min(sizes) <= max(sizes) <= 8


def test_births_that_were_merged_are_named_in_one_place(tables):
    """Many births at one snapshot would overlap if named at their points."""
    tracks = tables["formation"].query("architecture == 'gru' and protocol == 'vocu' and label == 1")
    tracks = pd.concat([tracks.assign(label=label) for label in range(1, 9)])
    ax = drawn("formation", tracks).axes[0]
    assert " ".join(words(ax)[0].split()) == " ".join(f"{label}←0" for label in range(1, 9))


def test_names_of_points_keep_apart():
    points = np.repeat([[0.5, 0.5], [0.52, 0.5]], 4, axis=0)
    names = state_space._name_places(points)
    for place, name in enumerate(names):
        others = np.delete(names, place, axis=0)
        assert np.linalg.norm(others - name, axis=1).min() > 0.9 * state_space.FROM_NAMES
        assert np.linalg.norm(points - name, axis=1).min() > 0.9 * state_space.FROM_POINTS


def test_equal_tables_are_equal_figures(tables, tmp_path):
    for name in ("first", "second"):
        style.save(drawn("spectrum", tables["spectrum"]), tmp_path / f"{name}.pdf", tmp_path / f"{name}.png")
    for form in ("pdf", "png"):
        assert (tmp_path / f"first.{form}").read_bytes() == (tmp_path / f"second.{form}").read_bytes()


def test_a_grid_with_holes_is_drawn(tables):
    """One data set with LSTMs, another without."""
    more = pd.concat([table.assign(dataset="b") for table in [tables["spectrum"].query("architecture == 'gru'")]])
    figure = drawn("spectrum", pd.concat([tables["spectrum"], more]))
    titles = [ax.get_title("left") for ax in figure.axes if ax.get_title("left")]
    assert len(titles) == 8
    assert sum("no class is read out" in text.get_text() for ax in figure.axes for text in ax.texts) == 2


def test_tables_without_a_row_are_drawn(tables):
    for name, table in (("spectrum", "spectrum"), ("state_space", "trajectories"), ("formation", "formation")):
        figure = drawn(name, tables[table].iloc[:0])
        assert "no class is read out" in figure.axes[0].texts[0].get_text()
    figure = drawn("relaxation", tables["relaxation"].iloc[:0], tables["slow_points"].iloc[:0])
    assert words(figure.axes[0]) == ["no class is read out"]


def test_colours_differ_without_colour():
    """Luminance of the first two protocols, which are compared in every study."""
    from matplotlib.colors import to_rgb

    luminance = [np.dot(to_rgb(PROTOCOLS[name].look.colour), (0.2126, 0.7152, 0.0722)) for name in ("vocu", "decu")]
    assert abs(luminance[0] - luminance[1]) > 0.2


def test_drawing_leaves_the_settings_of_who_imports_it(tables, tmp_path):
    import matplotlib as mpl

    before, backend = dict(mpl.rcParams), mpl.rcParams["backend"]
    style.save(drawn("spectrum", tables["spectrum"]), tmp_path / "spectrum.pdf")
    assert dict(mpl.rcParams) == before
    assert mpl.rcParams["backend"] == backend


def test_recurrent_units_are_called_as_their_look_says(tables):
    with unit_looks({"gru": {"label": "gated", "marker": "D"}}):
        figure = drawn("speed_vs_memory", tables["networks"], tables["correlations"])
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {"gated", "LSTM"} <= set(labels)  # a unit without a look is called by its name


def test_both_speeds_are_drawn_with_rho_in_both_strata(tables):
    figure = drawn("speed_vs_memory", tables["networks"], tables["correlations"])
    assert len(figure.axes) == 2
    for ax in figure.axes:
        mixed, within = words(ax)[0].split("\n")  # and no line for a single cell
        assert mixed == "protocols mixed: ρ = −0.50 [−0.75, −0.25], n = 8"
        assert within == "within cells: ρ = −0.50 [−0.75, −0.25], n = 8"


@pytest.mark.parametrize("absent", [lambda table: table.drop(columns="log10_settled_speed"),
                                    lambda table: table.assign(log10_settled_speed=np.nan)])  # fmt: skip
def test_tables_without_settled_speed_show_the_speed_of_slow_points_alone(tables, absent):
    figure = drawn("speed_vs_memory", absent(tables["networks"]), tables["correlations"])
    assert ["speed of slow points" in ax.get_xlabel() for ax in figure.axes] == [True]


def test_networks_of_which_no_class_is_read_out_have_no_speeds_to_draw(tables):
    silent = tables["networks"].assign(log10_speed=np.nan, log10_settled_speed=np.nan)
    figure = drawn("speed_vs_memory", silent, tables["correlations"])
    assert [any("no class is read out" in text for text in words(ax)) for ax in figure.axes] == [True]


def test_predictors_have_an_interval_for_each_level_where_there_is_one(tables):
    found = tables["correlations"]
    no_class = (found["predictor"] == "log10_settled_speed") & (found["level"] == "class")
    figure = drawn("predictors", found[~no_class])
    assert len(figure.axes) == 1  # "all" would be the one data set again
    assert intervals(figure.axes[0]) == [(-0.75, -0.25)] * 5


def test_predictors_stand_in_their_order_and_unknown_ones_last(tables):
    found = tables["correlations"].iloc[::-1]
    other = found[found["dataset"].isna() & (found["predictor"] == "log10_speed")].assign(predictor="a_new_one")
    figure = drawn("predictors", pd.concat([other, found, found[found["dataset"] == "a"].assign(dataset="b")]))
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["speed of slow point", "settled speed", "a_new_one"]
    assert [ax.get_title("left") for ax in figure.axes] == ["a", "b", "all"]
    assert [len(intervals(ax)) for ax in figure.axes] == [6, 6, 9]


def test_every_predictor_has_a_name_of_its_own():
    assert len({predictor_name(predictor) for predictor in KNOWN} - set(KNOWN)) == len(KNOWN)
    assert predictor_name("accuracy_34") == "accuracy at delay 34"


def test_a_path_is_faint_from_where_its_class_is_not_read_out(tables):
    paths = tables["relaxation"].query("dataset == 'a' and architecture == 'gru' and protocol == 'vocu'")
    lost_once = paths.assign(readout=paths["readout"].mask((paths["label"] == 1) & (paths["frame"] == 1), 0))
    ax = drawn("relaxation", lost_once, tables["slow_points"]).axes[0]
    lines = [list(line.get_xdata()) for line in ax.lines if line.get_alpha() is None]
    bold = [places for places in lines if places[0] == places[-1] == 1 or len(places) > 2]
    assert bold == [[1, 2, 21], [1]]  # frames + 1; class 1 is read out again at 20, and stays faint


def test_slow_points_stand_at_their_speed_beside_the_path(tables):
    """Classes 0 and 1, speeds 0.01 and 0.02; for a class without a slow point, only the path is drawn."""
    points = tables["slow_points"]
    names, heights = [], []
    for kept in (points, points[points["label"] == 1]):
        ax = drawn("relaxation", tables["relaxation"], kept).axes[0]
        low, high = np.log10(ax.get_ylim())
        ticks = [line.get_ydata() for line in ax.lines if list(line.get_xdata()) == [1, relaxation.TICK]]
        names.append(words(ax))
        heights.append([10 ** (low + (high - low) * tick[0]) for tick in ticks])
    assert names == [["0", "1"], ["1"]]
    assert heights[0] == pytest.approx([0.01, 0.02])
    assert heights[1] == pytest.approx([0.02])


def test_names_of_slow_points_keep_apart_within_the_panel():
    names = style.apart([0.0, 0.5, 0.0, 1.0, 0.5, 1.0], 0.06)
    assert np.all(np.diff(np.sort(names)) >= 0.06 - 1e-9)
    assert names.min() >= 0
    assert names.max() <= 1
    assert list(style.apart([0.9, 0.2], 0.06)) == pytest.approx([0.9, 0.2])


def test_claims_have_axes_for_each_quantity_and_say_their_verdicts(tables):
    figure = drawn("claims", tables["claims"])
    groups = [ax for ax in figure.axes if ax.axison]
    assert [words(ax) for ax in groups] == [
        ["n = 8", "nominal accuracy: difference", "C1: protocols reach similar nominal accuracy"],
        ["n = 8", "n = 8", "memory score: change", "C4: penalising speed prolongs memory"],
        ["n = 8", "log10 speed of slow points: change"],
    ]
    assert [len(intervals(ax)) for ax in groups] == [1, 2, 1]
    assert [label.get_text() for label in groups[1].get_yticklabels()] == [
        "a: slow points − control",
        "all: slow points − control",
    ]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["supported", "contradicted", "inconclusive"]


def test_claims_name_lambda_where_there_are_several(tables):
    found = tables["claims"].query("claim == 'C4'")
    other = found.iloc[:1].assign(**{"lambda": 1000.0})
    shown = data("claims", {"claims": pd.concat([found, other])})
    subjects = ("a: slow points 0.1", "all: slow points", "b: slow points", "a: slow points 1000")
    assert list(shown["scope"]) == [f"{subject} − control" for subject in subjects]


def test_claims_of_the_only_data_set_stand_once(tables):
    shown = data("claims", {"claims": tables["claims"][tables["claims"]["dataset"] != "b"]})
    assert list(shown["scope"]) == ["a: VoCu − DeCu", "a: slow points − control"]


def test_claims_without_a_verdict_are_said_to_be_so(tables):
    figure = drawn("claims", tables["claims"].assign(verdict=None))
    assert words(figure.axes[0]) == ["no claim has a verdict"]


def test_claims_about_units_name_the_unit(tables):
    claims = made_up((about("C7", dataset="a"), -0.1, "supported"), (about("C1", dataset="a"), 0.1, "supported"))
    with unit_looks({"mingru": {"label": "minGRU"}}):
        assert set(data("claims", {"claims": claims})["scope"]) == {"a, minGRU", "a: VoCu \N{MINUS SIGN} DeCu"}


def test_units_stand_beside_what_their_spectrum_allows(tables):
    """Best first; a band as long as the largest score on average, hollow markers for what did not learn."""
    networks = tables["networks"].assign(memory_score=tables["networks"]["architecture"].map({"gru": 0.3, "lstm": 0.6}))
    networks["spectral_score"] = (networks["seed"] * 0.2 + 0.4).where(networks["architecture"] == "gru")
    (ax,) = drawn("units", networks).axes
    assert [label.get_text() for label in ax.get_yticklabels()] == ["LSTM", "GRU"]
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([0.5, 0.5])  # of two protocols
    assert all(0.5 < bar.get_y() < bar.get_y() + bar.get_height() < 1.5 for bar in ax.patches)
    hollow = [x for line in ax.lines if line.get_markerfacecolor() == "none" for x in line.get_xdata()]
    assert sorted(hollow) == [0.3, 0.3, 0.6, 0.6]  # one of two networks of each cell
    without = drawn("units", tables["networks"])  # of older studies
    assert not without.axes[0].patches
