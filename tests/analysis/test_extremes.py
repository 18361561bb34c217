"""Studies at the limits of measurement, from files of seed blocks to figures: nulls, "inconclusive", no warning."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from slowpoints.analysis import comparisons, correlation, report
from slowpoints.analysis.aggregation import as_trained, collate, network_table, regularisation_table
from slowpoints.analysis.claims.judge import judge
from slowpoints.analysis.predictors import correlations
from slowpoints.analysis.summary import summary
from slowpoints.core.schemas.example import TASK
from slowpoints.core.schemas.measured import MEASURED
from slowpoints.core.schemas.memory import ACCURACY
from slowpoints.core.schemas.study import CLAIMS, CORRELATIONS, NETWORKS, REGULARISATION
from slowpoints.core.tables import read_table, with_cell, write_table
from slowpoints.plots.figures import FIGURES, data, draw

CLASSES, DELAYS, STEPS = 4, (4, 19, 20, 100, 1000), (5, 10, 20)
TUNINGS = {"trained": None, "control": 0.0, "slow_points": 0.1}
CAP = 10_000  # of lifetimes and margin times, in frames
POINT = ("centre_speed", "speed_1000", "speed", "deep_speed", "settled_speed")
SAYS = {
    "constant speed": ("speed_vs_memory", "nothing to rank: one side does not vary (n = 8)"),
    "every answer right": ("speed_vs_memory", "nothing to rank: one side does not vary (n = 8)"),
    "one network a cell": ("speed_vs_memory", "too few networks (n = 0)"),
    "no class read out": ("formation", "no class is read out"),
    "one network in all": ("claims", "n = 1"),
    "nothing learned": ("predictors", "no correlations"),
}
"""What a figure says of some of these studies."""


@dataclass(frozen=True)
class Case:
    """A simulated study, by the functions that make its numbers.

    Attributes:
        seeds: networks of each cell.
        protocols: of the study; one data set and one unit.
        right: share of right answers, of a random number in [0, 1] drawn for each network.
        speed: speed of every kind, of another such number for each network and class.
        read_out: how many classes have a slow point.
        nominal: nominal accuracy, of a number as for `right`.
        time: lifetimes and margin times, likewise.
    """

    seeds: int = 4
    protocols: tuple[str, ...] = ("vocu", "decu")
    right: object = lambda u: 0.5 + 0.4 * u
    speed: object = lambda u: 10 ** (-1 - 3 * u)
    read_out: int = CLASSES
    nominal: object = lambda u: 0.9 + 0.1 * u
    time: object = lambda u: 10 + 100 * u


CASES = {
    "ordinary": Case(),
    "constant speed": Case(speed=lambda u: 0.01),
    "tied speeds and memories": Case(speed=lambda u: round(u) * 0.01 + 0.01, right=lambda u: 0.5 + 0.4 * round(u)),
    "every answer right": Case(right=lambda u: 1.0, nominal=lambda u: 1.0),
    "no answer right": Case(right=lambda u: 0.0),
    "every speed zero": Case(speed=lambda u: 0.0),
    "every time at its cap": Case(time=lambda u: CAP),
    "huge speeds": Case(speed=lambda u: 1e12 * (1 + u)),
    "one network a cell": Case(seeds=1),
    "one network in all": Case(seeds=1, protocols=("vocu",)),
    "one class read out": Case(read_out=1),
    "two classes read out": Case(read_out=2),
    "no class read out": Case(read_out=0),
    "nothing learned": Case(nominal=lambda u: 0.1),
    "one network in all, that has learned nothing": Case(seeds=1, protocols=("vocu",), nominal=lambda u: 0.1),
    "nothing varies": Case(right=lambda u: 0.7, speed=lambda u: 0.01, nominal=lambda u: 0.95, time=lambda u: 50),
    "nothing at all": Case(right=lambda u: 0.0, read_out=0, nominal=lambda u: 0.0),
}


ALSO = ("ordinary", "tied speeds and memories", "no answer right", "every speed zero", "every time at its cap")
ALSO += ("huge speeds", "two classes read out", "one network in all, that has learned nothing")
"""Studies that lie between others: of those a quick run of the tests sees enough."""


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    monkeypatch.setattr(correlation, "RESAMPLES", 40)
    for module in (correlation, comparisons):
        monkeypatch.setattr(module, "PERMUTATIONS", 99)


def by_network(case, rng, columns):
    """A row for each network, of what a function of random numbers gives."""
    return pd.DataFrame([{"seed": seed} | columns(rng) for seed in range(case.seeds)])


def accuracy_of(case, rng):
    return by_network(case, rng, lambda rng: {
        "nominal_accuracy": case.nominal(rng.random()), "null_accuracy": 1.0, "n_parameters": 9, "steps": 20,
        "device": "cpu",
    })  # fmt: skip


def extrapolation_of(case, rng):
    rows = []
    for seed in range(case.seeds):
        share = case.right(rng.random())
        for delay in DELAYS:
            for label in range(CLASSES):
                n_correct = round(50 * share)
                rows.append({"seed": seed, "delay": delay, "label": label, "n_trials": 50, "n_correct": n_correct})
                rows[-1] |= {"accuracy": share, "low": share, "high": share, "n_false": 50 - n_correct}
    return pd.DataFrame(rows)


def by_noise_of(case, rng):
    table = extrapolation_of(case, rng)
    return pd.concat([table.assign(noise_scale=scale) for scale in (0.0, 0.5)])


def slow_points_of(case, rng):
    rows = []
    for seed in range(case.seeds):
        for label in range(CLASSES):
            found = dict.fromkeys(MEASURED["slow_points"].columns)
            if label < case.read_out:
                found |= {name: case.speed(rng.random()) for name in (*POINT, "raw_speed", "projected_gradient")}
                found |= {name: case.time(rng.random()) for name in ("lifetime", "point_lifetime", "margin_time")}
                found |= {name: case.speed(rng.random()) for name in ("drift", "diffusion")}
                found |= {f"settled_{name}": case.speed(rng.random()) for name in ("drift", "diffusion")}
                found |= dict.fromkeys(("distance", "deep_distance", "path_distance", "margin"), found["speed"])
                capped = ("lifetime_capped", "point_lifetime_capped", "margin_capped")
                found |= dict.fromkeys(capped, found["lifetime"] == CAP)
                found |= {"readout": label, "deep_readout": label, "converged": True, "iterations": 3}
                found |= {"deep_kind": "minimum", "leading": 1.0, "n_unstable": 0, "time_constant": None}
                found |= {"state": [found["speed"], 0.5]}
            rows.append(found | {"seed": seed, "label": label})
    return pd.DataFrame(rows).drop(columns=["dataset", "architecture", "protocol", "mode", "lambda"])


def grid(case, names, **columns):
    """A row for each network, class that is read out, and value of further keys."""
    keys = [(seed, label, value) for seed in range(case.seeds) for label in range(case.read_out) for value in names]
    table = pd.DataFrame(keys, columns=["seed", "label", "value"])
    return table.assign(**columns)


def spectrum_of(case, rng):
    return grid(case, (0, 1), real=1.0, imag=0.0).rename(columns={"value": "index"})


def relaxation_of(case, rng):
    table = grid(case, (0, 1, 20, 100), margin=1.0).rename(columns={"value": "frame"})
    return table.assign(speed=[case.speed(rng.random()) for _ in range(len(table))], readout=table["label"])


def trajectories_of(case, rng):
    keys = [("trial", 0, frame) for frame in range(3)] + [("centre", None, None), ("slow_point", None, None)]
    rows = []
    for seed in range(case.seeds):
        for kind, trial, frame in keys:
            for label in range(CLASSES if kind == "trial" else case.read_out):
                place = dict.fromkeys(("pc1", "pc2", "pc3"), case.speed(rng.random()))
                rows.append({"seed": seed, "kind": kind, "label": label, "trial": trial, "frame": frame} | place)
    return pd.DataFrame(rows)


def formation_of(case, rng):
    table = grid(case, STEPS, jumped=False, t_max=20, in_use=True, displacement=0.1).rename(columns={"value": "step"})
    return table.assign(
        speed=[case.speed(rng.random()) for _ in range(len(table))],
        readout=table["label"],
        parent=np.where((table["step"] == STEPS[0]) & (table["label"] > 0), 0, np.nan),
        merged_with=np.where((table["step"] == STEPS[0]) & (table["label"] == 1), 0, np.nan),
        born=(table["step"] > STEPS[0]) | (table["label"] == 0),
        nearest=np.where(case.read_out > 1, 1.0 - table["label"].clip(upper=1), np.nan),
        nearest_distance=1.0 if case.read_out > 1 else np.nan,
    )


MADE = {
    "accuracy": accuracy_of,
    "extrapolation": extrapolation_of,
    "extrapolation_by_noise": by_noise_of,
    "slow_points": slow_points_of,
    "spectrum": spectrum_of,
    "relaxation": relaxation_of,
    "trajectories": trajectories_of,
    "formation": formation_of,
}


@dataclass(frozen=True)
class Cell:
    dataset: str
    architecture: str
    protocol: str


def task_table():
    about = {"dataset": "a", "label": 1, "height": 2, "width": 2, "channels": 1, "image": [0.0, 0.5, 0.5, 1.0]}
    return pd.DataFrame([about | {"frame": frame, "stimulus": int(frame == 0), "trigger": int(frame == 3)}
                         | {"target": int(frame == 3)} for frame in range(4)])  # fmt: skip


def write_blocks(case, folder):
    """Files of every seed block of the study, by table."""
    files = {name: [] for name in MADE}
    for protocol in case.protocols:
        for place, (mode, lambda_) in enumerate(TUNINGS.items()):
            for name, made in MADE.items():
                kind = {**MEASURED, "accuracy": ACCURACY}[name]
                if mode != "trained" and not kind.tuned:
                    continue
                path = folder / "a/gru" / protocol / mode / f"0-{case.seeds - 1}" / f"{name}.parquet"
                rng = np.random.default_rng([place, case.protocols.index(protocol)])
                write_table(with_cell(made(case, rng), kind, Cell("a", "gru", protocol), mode, lambda_), path, kind)
                files[name].append(path)
    return files


def study_of(case, folder):
    """Tables of a study, as read from their files."""
    files, seeds = write_blocks(case, folder / "networks"), {"a": case.seeds}
    kinds = {**MEASURED, **{kind.name: kind for kind in (NETWORKS, REGULARISATION, CORRELATIONS, CLAIMS, TASK)}}
    tables = {}

    def keep(name, table):
        path = folder / "tables" / f"{name}.parquet"
        write_table(table, path, kinds[name])
        tables[name] = read_table(path, kinds[name])

    for name, kind in MEASURED.items():
        keep(name, collate(files[name], kind, seeds))
    accuracy = collate(files["accuracy"], ACCURACY, seeds)
    measured = [tables[name] for name in ("extrapolation", "slow_points", "extrapolation_by_noise")]
    keep("networks", network_table(accuracy, *measured))
    keep("regularisation", regularisation_table(accuracy, *measured[:2]))
    keep("correlations", correlations(tables["networks"], *(as_trained(table) for table in measured[:2])))
    keep("claims", judge(*(tables[name] for name in ("networks", "correlations", "formation", "regularisation"))))
    keep("task", task_table())
    return tables


@pytest.mark.long
@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in ALSO)) for name in CASES])
def test_a_study_goes_through_to_its_figures(tmp_path, name):
    tables = study_of(CASES[name], tmp_path)
    claims, found = tables["claims"], tables["correlations"]
    numbers = pd.concat([found[["r", "low", "high", "p"]], claims[["effect", "low", "high", "p"]]]).to_numpy(float)
    assert not np.isinf(numbers).any()
    assert (found.loc[found["r"].notna(), ["low", "high", "p"]].notna()).all(axis=None)
    assert (found.loc[found["r"].isna(), ["low", "high", "p"]].isna()).all(axis=None)
    assert set(claims["verdict"].dropna()) == {"inconclusive"}  # nothing but noise is in the ordinary one either
    for figure in FIGURES:
        drawn = draw(figure, data(figure, tables))
        drawn.draw_without_rendering()
        said = "\n".join(text.get_text() for text in drawn.findobj(Text))
        expected_of, expected = SAYS.get(name, (None, None))
        assert figure != expected_of or expected in said
    assert "### Claims" in summary(tmp_path)
    assert "supported)" not in report.summary(claims, tables["networks"])
    counted = report.captions(claims, found)["claims"].splitlines()
    assert {line[2:4] for line in counted} == set(claims.loc[claims["verdict"].notna(), "claim"])


@pytest.mark.parametrize("strata", [1, 2])
def test_samples_that_do_not_vary_are_not_said_to_be_equivalent(strata):
    found = comparisons.equivalence([(np.full(4, 0.95), np.full(4, 0.94))] * strata, 0.03)
    assert found.effect == pytest.approx(0.01)
    assert np.isnan([found.low, found.high, found.p]).all()
    assert found.test == "TOST within 0.03: no sample varies"


@pytest.mark.parametrize("changes", [[np.array([-0.5])], [np.full(4, -0.5)]])
def test_a_loss_that_does_not_vary_has_no_interval(changes):
    found = comparisons.no_loss(changes, 0.01, np.random.default_rng(0))
    assert found.effect == -0.5
    assert np.isnan([found.low, found.high, found.p]).all()
    assert found.test == "no loss beyond 0.01: no change varies"


def test_cells_of_one_network_have_no_interval():
    """Resampling within cells would always give the same networks, however much they differ."""
    found = comparisons.change([np.array([0.1 * cell]) for cell in range(1, 9)], np.random.default_rng(0))
    assert found.effect == pytest.approx(0.45)
    assert found.p < 0.05
    assert np.isnan([found.low, found.high]).all()
    assert found.test == "Wilcoxon signed-rank, no interval: one network a cell"
