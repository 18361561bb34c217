"""Tables over the whole grid, collated from the tables of its cells.

S networks, D delays, C classes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from slowpoints.analysis.memory_score import half_life, longest_score, memory_score, persistence
from slowpoints.core.arguments import instance
from slowpoints.core.layout import place_of
from slowpoints.core.modes import TRAINED
from slowpoints.core.schemas.memory import QUIETER
from slowpoints.core.schemas.schema import CELL, NETWORK, TUNED_NETWORK, TableSchema
from slowpoints.core.schemas.study import BEFORE_AND_AFTER, NETWORKS
from slowpoints.core.seed_block_tables import read_seed_block_table
from slowpoints.core.tables import read_facts, stored_class_names
from slowpoints.task.timing import FRAMES

LOG_FLOOR = -12.0
"""Smallest log10 of a speed; anything below is rounding error."""
LEAST_ACCURACY, LEAST_SHARE = 0.5, 0.8
"""A network has learned if its nominal accuracy reaches the first, and the second times the median of its cell."""


def collate(paths: Iterable[str | Path], schema: TableSchema, seeds: dict[str, int]) -> pd.DataFrame:
    """One table over all cells and seed blocks, sorted by the key of its schema.

    Args:
        paths: a file for each seed block of each cell.
        schema: schema of these tables.
        seeds: number of networks per cell in the study, by data set: those with seeds below that number.

    Raises:
        TypeError: if `schema` is not a `TableSchema`.
        FileNotFoundError: naming a missing file.
        ValueError: if there is no path; naming the file, if it is damaged, of another schema or version, or of another
            cell, mode or seeds than its path; or naming files with the same row or with different settings.
    """
    instance(schema, TableSchema, "schema", " (slowpoints.core.schemas)")
    files = [str(path) for path in paths]
    if not files:
        raise ValueError("paths is empty; a file for each seed block of each cell is needed")
    if absent := [file for file in files if not Path(file).is_file()]:
        raise FileNotFoundError(f"{absent[0]}: there is no such file")
    table = pd.concat([read_seed_block_table(file, schema) for file in files], keys=files)
    _check_same_settings(files)
    duplicates = table[table.duplicated(list(schema.key), keep=False)]
    if len(duplicates):
        row = duplicates.iloc[0][list(schema.key)].to_dict()
        raise ValueError(f"{' and '.join(duplicates.index.unique(0))}: the row {row} occurs more than once")
    table = table[table["seed"] < table["dataset"].map(seeds).astype(int)]
    return table.sort_values(list(schema.key), ignore_index=True)


def class_names(paths: Iterable[str | Path]) -> dict[str, list[str]]:
    """Class names by data set, for those that have any, from a table of one of its cells.

    Args:
        paths: as for `collate`.
    """
    first: dict[str, str | Path] = {}
    for path in paths:
        (dataset, *_), _, _ = place_of(path)
        first.setdefault(dataset, path)
    names_of = {dataset: stored_class_names(path) for dataset, path in first.items()}
    return {dataset: names for dataset, names in names_of.items() if names is not None}


def code_revisions(paths: Iterable[str | Path]) -> list[str]:
    """Revisions of the code that measured the tables of cells, each once.

    Args:
        paths: as for `collate`.
    """
    return sorted({read_facts(path).get("code_revision", "") for path in paths})


def _check_same_settings(files: Sequence[str]) -> None:
    """Refuses files of the same data set, protocol and mode that were measured with different settings."""
    first: dict[tuple[str, str, str], tuple[str, str]] = {}
    for file in files:
        (dataset, _, protocol), folder, _ = place_of(file)
        settings = read_facts(file).get("config_digest", "")
        other, expected = first.setdefault((dataset, protocol, folder), (file, settings))
        if settings != expected:
            raise ValueError(
                f"{file} was made with other settings than {other}: one of them belongs to another study; remove that "
                "one, and the next run will make it again"
            )


def log10_floored(speeds: np.ndarray) -> np.ndarray:
    """log10 of speeds, not below `LOG_FLOOR`; NaN stays NaN."""
    return np.log10(np.maximum(speeds, 10.0**LOG_FLOOR))


def accuracy_by_delay(extrapolation: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Accuracy over all classes and trials: a row for each group of `by`, a column for each delay."""
    counts = extrapolation.groupby([*by, "delay"], dropna=False)[["n_correct", "n_trials"]].sum()
    return (counts["n_correct"] / counts["n_trials"]).unstack("delay")


def memory_measures(extrapolation: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Columns `by`, memory_score, half_life, half_life_reached and persistence: a row for each group of `by`.

    Data sets may differ in their delays and classes; if `by` does not contain the data set, there must be only one.
    """
    if "dataset" in by:
        parts = [_memory_in_data_set(rows, by) for _, rows in extrapolation.groupby("dataset", sort=False)]
        return pd.concat(parts, ignore_index=True)
    return _memory_in_data_set(extrapolation, by)


def _memory_in_data_set(extrapolation: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """`memory_measures` of a single data set."""
    curves = accuracy_by_delay(extrapolation, by)
    delays = curves.columns.to_numpy()
    classes = extrapolation["label"].nunique()
    half_lives = half_life(delays, curves.to_numpy(), chance=1 / classes, trained=FRAMES - 1)
    measures = {
        "memory_score": memory_score(delays, curves.to_numpy()),
        "half_life": half_lives,
        "half_life_reached": ~np.isnan(half_lives),
        "persistence": persistence(delays, curves.to_numpy(), trained=FRAMES - 1),
    }
    return pd.DataFrame(measures, index=curves.index).reset_index()


def class_memory(extrapolation: pd.DataFrame) -> pd.DataFrame:
    """Memory of each class of each network as trained: columns of the network, label, memory_score and class_score.

    `memory_score` is computed from the class's accuracy, `class_score` from hits minus false alarms (the share of its
    trials reported as this class, minus the share of the other classes' trials that are). Otherwise, a class that a
    network reports once it has forgotten would score 1. NaN for older studies, which do not count false alarms.
    """
    by = [*NETWORK, "label"]
    memory = memory_measures(extrapolation, by)[[*by, "memory_score"]]
    if "n_false" not in extrapolation:
        return memory.assign(class_score=np.nan)
    others = extrapolation.groupby([*NETWORK, "delay"])["n_trials"].transform("sum") - extrapolation["n_trials"]
    false = extrapolation.assign(n_correct=extrapolation["n_false"], n_trials=others)
    alarms = memory_measures(false, by)[[*by, "memory_score"]].rename(columns={"memory_score": "alarms"})
    memory = memory.merge(alarms, on=by, validate="1:1")
    return memory.assign(class_score=memory["memory_score"] - memory["alarms"]).drop(columns="alarms")


CENTRE_FRAME = 14
"""Frame of the delay at which class centres lie (`measures.centres`), from which lifetimes and paths start."""


def spectral_scores(points: pd.DataFrame, extrapolation: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Memory scores that the spectrum in noise allows, of each group of `by`; NaN for units that are not affine.

    Each class counts as remembered in every trial for its `spectral_lifetime`, and never later; a class without a
    centre, for ever.

    Args:
        points: table `slow_points`.
        extrapolation: table `extrapolation`, whose delays are scored.
        by: columns of the network.
    """
    points = points.reset_index(drop=True)
    lifetime = points["spectral_lifetime"] if "spectral_lifetime" in points else pd.Series(np.nan, points.index)
    affine = lifetime.notna().groupby([points[name] for name in by], dropna=False).transform("any")
    scores = pd.Series(np.nan, points.index)
    for dataset, rows in points[affine].groupby("dataset"):
        delays = np.sort(extrapolation.loc[extrapolation["dataset"] == dataset, "delay"].unique())
        scores[rows.index] = longest_score(delays, CENTRE_FRAME + lifetime[rows.index].to_numpy(float))
    table = points.assign(spectral_score=scores).groupby(list(by), dropna=False)
    return table["spectral_score"].mean().reset_index()


SPEEDS = ("speed", "speed_1000", "centre_speed", "deep_speed", "settled_speed")
IN_NOISE = ("drift", "diffusion", "settled_drift", "settled_diffusion")
TIMES = ("lifetime", "point_lifetime", "margin_time", "margin_time_20", "predicted_lifetime")
CAP = 10  # margin times are capped at this many times the longest delay, as in table `slow_points`


def point_predictors(points: pd.DataFrame) -> pd.DataFrame:
    """The slow-point table with a column for every predictor of memory in the statistics.

    Speeds and times are given as log10 (speeds floored, times + 1); predictors missing from the table are omitted.
    """
    logs = {
        f"log10_{name}": log10_floored(points[name].to_numpy(float)) for name in SPEEDS + IN_NOISE if name in points
    }
    logs |= {f"log10_{name}": np.log10(points[name].to_numpy(float) + 1) for name in TIMES if name in points}
    return points.assign(**logs)


def early_margin_time(relaxation: pd.DataFrame) -> pd.DataFrame:
    """Frames that the margin would last at its rate of decline 20 frames after the class centre.

    m / (m' - m) with m the margin at that frame and m' one frame earlier: later frames are not used.

    Args:
        relaxation: table `relaxation`, mode trained.

    Returns:
        Columns of the network, label and `margin_time_20`: 0 where the margin is lost, and at most `CAP` times the last
        frame of the table.
    """
    cap = CAP * relaxation["frame"].max()
    margins = relaxation[relaxation["frame"].isin([FRAMES - 1, FRAMES])]
    margins = margins.pivot_table("margin", [*NETWORK, "label"], "frame")
    margin, fall = margins[FRAMES], margins[FRAMES - 1] - margins[FRAMES]
    time = (margin / fall.where(fall > 0)).fillna(cap).clip(upper=cap).where(margin > 0, 0.0)
    return time.rename("margin_time_20").reset_index()


def as_trained(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of trained networks, without fine-tuned ones."""
    return table[table["mode"] == TRAINED]


def network_table(
    accuracy: pd.DataFrame, extrapolation: pd.DataFrame, points: pd.DataFrame, by_noise: pd.DataFrame
) -> pd.DataFrame:
    """The table `networks`: one row for each trained network.

    Args:
        accuracy: table `accuracy`.
        extrapolation: table `extrapolation`.
        points: table `slow_points`.
        by_noise: table `extrapolation_by_noise`.
    """
    accuracy, extrapolation, points = (as_trained(table) for table in (accuracy, extrapolation, points))
    table = accuracy.drop(columns=["mode", "lambda"])
    median = table.groupby(CELL)["nominal_accuracy"].transform("median")
    least = np.maximum(LEAST_ACCURACY, LEAST_SHARE * median)
    table["learned"] = table["nominal_accuracy"] >= least
    predictors = point_predictors(points)
    columns = [name for name in NETWORKS.columns if name.startswith("log10_")]
    means = predictors.groupby(NETWORK)[columns].mean().reset_index()
    counts = points[NETWORK].assign(
        n_floored=(points[["centre_speed", "speed", "deep_speed"]] < 10.0**LOG_FLOOR).sum(axis=1),
        n_margin_capped=points["margin_capped"].eq(True),
    )
    parts = [memory_measures(extrapolation, NETWORK), means, counts.groupby(NETWORK).sum().reset_index()]
    parts.append(spectral_scores(points, extrapolation, NETWORK))
    for name, scale in QUIETER.items():
        quieter = by_noise[by_noise["noise_scale"] == scale]
        measures = ["memory_score", "half_life"]
        quieter = memory_measures(quieter, NETWORK)[[*NETWORK, *measures]]
        parts.append(quieter.rename(columns={measure: f"{measure}_{name}_noise" for measure in measures}))
    for part in parts:
        table = table.merge(part, on=NETWORK, validate="1:1")
    return table


def regularisation_table(accuracy: pd.DataFrame, extrapolation: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """The table `regularisation`: measures of each network before and after each mode of fine-tuning.

    Args:
        accuracy: table `accuracy`.
        extrapolation: table `extrapolation`.
        points: table `slow_points`.
    """
    logs = [name for name in BEFORE_AND_AFTER if name.startswith("log10_")]
    point_means = point_predictors(points).groupby(TUNED_NETWORK, dropna=False)[logs].mean().reset_index()
    measured = accuracy[[*TUNED_NETWORK, "nominal_accuracy"]]
    allowed = spectral_scores(points, extrapolation, TUNED_NETWORK)
    for part in (memory_measures(extrapolation, TUNED_NETWORK), point_means, allowed):
        measured = measured.merge(part, on=TUNED_NETWORK, validate="1:1")
    measured = measured[[*TUNED_NETWORK, *BEFORE_AND_AFTER]]
    before = as_trained(measured).drop(columns=["mode", "lambda"])
    after = measured[measured["mode"] != TRAINED]
    return after.merge(before, on=NETWORK, suffixes=("_after", "_before"), validate="m:1")
