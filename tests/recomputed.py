"""Numbers quoted on the pages, recomputed from the tables in reference/ with pandas and SciPy only.

Nothing here uses the library's own analysis: definitions follow docs/method.md, implemented independently.
"""

from functools import cache

import numpy as np
import pandas as pd
from places import ROOT
from scipy import stats

CELL = ["dataset", "architecture", "protocol"]
NETWORK = [*CELL, "seed"]
MIXED = ["dataset", "architecture"]
STUDIES = ("embedded", "mnist-small", "cifar", "mnist-tenth")
UNITS = "units"  # the study of recurrent units, which stands by itself
RESAMPLES = 2000
CHANCE = 0.1


@cache
def table(study, name):
    return pd.read_parquet(ROOT / f"reference/{study}/{name}.parquet")


def trained(study, name):
    rows = table(study, name)
    return rows[rows["mode"] == "trained"]


def accuracy(rows, by):
    """Accuracy over classes and trials: a row for each group, a column for each delay."""
    counts = rows.groupby([*by, "delay"])[["n_correct", "n_trials"]].sum()
    return (counts["n_correct"] / counts["n_trials"]).unstack("delay")


@cache
def networks(study):
    """Networks with the baselines that a predictor must beat, and the margin time taken at frame 20.

    For correlations, `memory` and accuracies are those of the classes that have a slow point.
    """
    frame = table(study, "networks").set_index(NETWORK)
    points = trained(study, "slow_points").dropna(subset="speed")
    with_point = trained(study, "extrapolation").merge(points[[*NETWORK, "label"]])
    by_delay = accuracy(with_point, NETWORK)
    frame = frame.join(by_delay[[20, 50, 100]].add_prefix("accuracy_"))
    frame["memory"] = averaged(by_delay.loc[:, 20:])
    margin = trained(study, "relaxation").pivot(index=[*NETWORK, "label"], columns="frame", values="margin")
    at, fall = margin[20], margin[19] - margin[20]
    time = np.where(at <= 0, 0, np.where(fall > 0, np.minimum(at / fall.where(fall > 0), 10_000), 10_000))
    early = pd.Series(np.log10(time + 1), at.index).groupby(NETWORK).mean()
    frame["margin_time_20"] = early
    frame["vocu"] = (frame.index.get_level_values("protocol") == "vocu").astype(float)
    return frame.reset_index()


@cache
def classes(study):
    """Log speed of each class's slow point, and its memory: hits less false alarms, averaged over log delay."""
    rows = trained(study, "extrapolation")
    rows = rows[rows["delay"] >= 20]
    others = rows.groupby([*NETWORK, "delay"])["n_trials"].transform("sum") - rows["n_trials"]
    rows = rows.assign(hits=rows["n_correct"] / rows["n_trials"] - rows["n_false"] / others)
    hits = rows.pivot(index=[*NETWORK, "label"], columns="delay", values="hits")
    points = trained(study, "slow_points").set_index([*NETWORK, "label"])["speed"]
    frame = pd.DataFrame({"memory": averaged(hits), "log10_speed": np.log10(points).reindex(hits.index)}, hits.index)
    return frame.dropna().reset_index()


def averaged(by_delay):
    """Mean of each row over log delay."""
    log_delay = np.log(by_delay.columns.to_numpy(float))
    return np.trapezoid(by_delay.to_numpy(), log_delay) / np.ptp(log_delay)


def scores(values):
    ranks = stats.rankdata(values, axis=-1) / (values.shape[-1] + 1)
    return ranks - ranks.mean(-1, keepdims=True)


def correlation(pairs):
    """Spearman's correlation, values ranked within each pair of arrays `[..., n]` and sums taken over pairs."""
    sums = np.zeros(3)
    for x, y in pairs:
        x, y = scores(x), scores(y)
        sums = sums + np.array([(x * x).sum(-1), (y * y).sum(-1), (x * y).sum(-1)]).T
    return sums[..., 2] / np.sqrt(sums[..., 0] * sums[..., 1])


def spearman(frame, predictor, within=CELL):
    groups = [group[[predictor, "memory"]].to_numpy(float).T for _, group in frame.groupby(within)]
    return float(correlation([group for group in groups if group.shape[1] > 2]))


def spearman_interval(frame, predictor, within=CELL):
    """Percentile interval, networks resampled within cells."""
    rng = np.random.default_rng(0)
    pairs = []
    for _, group in frame.groupby(within):
        parts = []
        for _, cell in group.groupby(CELL):
            values = cell[[predictor, "memory"]].to_numpy(float).T
            parts.append(values[:, rng.integers(len(cell), size=(RESAMPLES, len(cell)))])
        pairs.append(np.concatenate(parts, axis=-1))
    return tuple(np.nanquantile(correlation(pairs), [0.025, 0.975]))


def class_interval(frame):
    """Percentile interval, networks within cells and the classes of each data set resampled together."""
    rng = np.random.default_rng(0)
    values = []
    for _ in range(200):
        pairs = []
        for _, of_dataset in frame.groupby("dataset"):
            labels = rng.integers(10, size=10)
            for _, cell in of_dataset.groupby(CELL):
                wide = cell.pivot(index="seed", columns="label", values=["log10_speed", "memory"])
                x, y = (wide[name].reindex(columns=range(10)).to_numpy()[:, labels] for name in wide.columns.levels[0])
                for row in rng.integers(len(wide), size=len(wide)):
                    present = ~np.isnan(x[row])
                    if present.sum() > 2:
                        pairs.append((x[row, present], y[row, present]))
        values.append(correlation(pairs))
    return tuple(np.nanquantile(values, [0.025, 0.975]))


def heterogeneity(frame, predictor="log10_speed"):
    """Lowest and highest correlation of a cell, Cochran's Q and I squared of their Fisher transforms."""
    cells = [(spearman(cell, predictor), len(cell)) for _, cell in frame.groupby(CELL)]
    rho, n = np.array(cells).T
    weights = (n - 3) / 1.06
    z = np.arctanh(rho)
    q = (weights * (z - np.average(z, weights=weights)) ** 2).sum()
    return rho.min(), rho.max(), q, max(0.0, 1 - (len(z) - 1) / q)


def difference(frame, measure):
    """Mean over architectures of VoCu's mean less DeCu's."""
    means = frame.groupby(["architecture", "protocol"])[measure].mean().unstack("protocol")
    return (means["vocu"] - means["decu"]).mean()


def difference_interval(frame, measure):
    """Percentile interval, networks resampled within cells."""
    rng = np.random.default_rng(0)
    total = 0
    for (_, _, protocol), cell in frame.groupby(CELL):
        values = cell[measure].dropna().to_numpy()
        means = values[rng.integers(len(values), size=(RESAMPLES, len(values)))].mean(1)
        total = total + (1 if protocol == "vocu" else -1) * means
    return tuple(np.quantile(total / frame["architecture"].nunique(), [0.025, 0.975]))


@cache
def chosen_lambdas(study):
    """Lambda by data set and mode: the most memory of those that cost at most 0.005, else the one that costs least.

    On the validation images, means over cells of means over networks, relative to control.
    """
    if not (ROOT / f"reference/{study}/validation.parquet").is_file():
        return {}
    rows = table(study, "validation").set_index([*NETWORK, "mode", "lambda"])[["memory_score", "nominal_accuracy"]]
    control = rows.xs("control", level="mode").droplevel("lambda")
    cells = rows.sub(control, axis=0).groupby([*CELL, "mode", "lambda"]).mean()
    chosen = {}
    for (dataset, mode), of_mode in cells.groupby(["dataset", "mode"]):
        means = of_mode.groupby("lambda").mean()
        harmless = means[means["nominal_accuracy"] >= -0.005]
        best = means["nominal_accuracy"].idxmax() if harmless.empty else harmless["memory_score"].idxmax()
        chosen[dataset, mode] = best
    return chosen


def at_chosen(study, rows):
    """Rows of trained networks, and of each mode at its chosen lambda."""
    chosen = [chosen_lambdas(study).get(key, np.nan) for key in zip(rows["dataset"], rows["mode"], strict=True)]
    return rows[np.isnan(chosen) | (rows["lambda"] == chosen)]


def changes(study, mode, measure="memory_score", against="control"):
    """Difference of each network between one mode and another, each at its chosen lambda."""
    tuned = at_chosen(study, table(study, "regularisation")).set_index(["mode", *NETWORK])[f"{measure}_after"]
    return tuned.xs(mode) - tuned.xs(against)


def seconds(study):
    """Seconds of fine-tuning per network relative to control, by data set and mode, at the chosen lambdas."""
    costs = at_chosen(study, pd.read_csv(ROOT / f"reference/{study}/costs.csv"))
    each = costs.groupby(["dataset", "mode"])[["seconds", "networks"]].sum()
    each = (each["seconds"] / each["networks"]).unstack("mode")
    return each.div(each["control"], axis=0)


def prediction_error(study, dataset, prediction, start=0):
    """Median factor between predicted and measured half-lives of a data set's single memories, and median ratio."""
    curves = accuracy(trained(study, "extrapolation").query("dataset == @dataset"), [*NETWORK, "label"])
    measured = curves.apply(half_life, axis=1)
    measured = measured[np.isfinite(measured)]
    points = trained(study, "slow_points").set_index([*NETWORK, "label"])[prediction]
    predicted = (points.reindex(measured.index) + start).clip(upper=curves.columns.max())
    error = np.log(predicted[predicted > 0] / measured).dropna()
    return float(np.exp(error.abs().median())), float(np.exp(error.median())), len(error)


def change_interval(change):
    """Percentile interval of the mean, networks resampled within cells."""
    rng = np.random.default_rng(0)
    total = sum(
        cell.to_numpy()[rng.integers(len(cell), size=(RESAMPLES, len(cell)))].sum(1) for _, cell in change.groupby(CELL)
    )
    return tuple(np.quantile(total / len(change), [0.025, 0.975]))


def random_effects(change):
    """Mean over cells as a sample (DerSimonian & Laird), its interval, and the interval for a further cell."""
    cells = change.groupby(CELL)
    mean, variance = cells.mean().to_numpy(), cells.sem().to_numpy() ** 2
    weights = 1 / variance
    q = (weights * (mean - np.average(mean, weights=weights)) ** 2).sum()
    between = max(0.0, (q - len(mean) + 1) / (weights.sum() - (weights**2).sum() / weights.sum()))
    weights = 1 / (variance + between)
    centre, error = np.average(mean, weights=weights), weights.sum() ** -0.5
    half, further = stats.norm.ppf(0.975) * error, stats.t.ppf(0.975, len(mean) - 2) * np.sqrt(between + error**2)
    return centre, centre - half, centre + half, centre - further, centre + further


def merged_share(study):
    """Share of each network's births from a track that was merged with another one snapshot before."""
    rows = table(study, "formation").sort_values([*NETWORK, "label", "step"])
    before = rows.groupby([*NETWORK, "label"])[["born", "merged_with"]].shift(1)
    births = rows[rows["born"] & before["born"].eq(False)]
    merged = before.loc[births.index, "merged_with"].notna()
    return births.assign(merged=merged.astype(float)).groupby(NETWORK)["merged"].mean().reset_index()


def half_life_ratios(study):
    """Median half-life without noise over that with noise, by cell; infinite half-lives count as longest."""
    quiet = table(study, "extrapolation_by_noise")
    quiet = accuracy(quiet[quiet["noise_scale"] == 0], NETWORK)
    noisy = accuracy(trained(study, "extrapolation"), NETWORK)
    medians = [by.apply(half_life, axis=1).groupby(CELL).median() for by in (quiet, noisy)]
    return medians[0] / medians[1]


def half_life(by_delay):
    """Delay at which accuracy first falls half-way from that at delay 19 to chance, interpolated in log delay."""
    level = (by_delay[19] + CHANCE) / 2
    beyond = by_delay[by_delay.index >= 19]
    below = np.flatnonzero(beyond.to_numpy() < level)
    if not len(below) or below[0] == 0:
        return np.inf
    at = below[0]
    (x0, x1), (y0, y1) = np.log(beyond.index[at - 1 : at + 1].to_numpy(float)), beyond.iloc[at - 1 : at + 1]
    return float(np.exp(x0 + (y0 - level) / (y0 - y1) * (x1 - x0)))


def share_left(study, mode):
    """Share of a cell's accuracy at delay 19 that is left at delay 1,000."""
    rows = at_chosen(study, table(study, "extrapolation"))
    by_delay = accuracy(rows[rows["mode"] == mode], CELL)
    return by_delay[1000] / by_delay[19]
