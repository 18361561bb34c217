"""Data of a study for the explorer, from its tables.

The page receives numbers as packed columns, one table after another, and a header in JSON that maps networks to rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from slowpoints.analysis.births import births
from slowpoints.core.intervals import wilson
from slowpoints.core.modes import LOOKS, TRAINED, lambda_text
from slowpoints.core.schemas.schema import CELL, NETWORK, TUNED_NETWORK
from slowpoints.core.tables import class_names_of
from slowpoints.plots.formation import changes
from slowpoints.plots.relaxation import held
from slowpoints.task.protocols import PROTOCOLS

OF_NETWORKS = ("learned", "nominal_accuracy", "memory_score", "half_life", "log10_speed")
OF_TUNED = ("nominal_accuracy", "memory_score", "log10_speed")
LASTING = math.exp(-1)
"""Smallest modulus of an eigenvalue that is included: a time constant of one frame. More than half are smaller."""
ALIGNED = 8  # bytes: alignment of every column

Columns = dict[str, str]
PLACE: Columns = {"label": "i2", "pc1": "f4", "pc2": "f4", "pc3": "f4"}
INTERVAL: Columns = {"n_trials": "i4", "accuracy": "f4", "low": "f4", "high": "f4"}
SPEEDS = ("speed", "centre_speed", "settled_speed", "deep_speed")


@dataclass(frozen=True)
class Part:
    """A table of the page.

    Attributes:
        source: the study's table from which it is made.
        columns: NumPy type of each packed column; floats store nulls as NaN.
        make: makes it from the study's table, which may lack columns added in later versions.
    """

    source: str
    columns: Columns
    make: Callable[[pd.DataFrame], pd.DataFrame] = lambda table: table


def _over_classes(extrapolation: pd.DataFrame) -> pd.DataFrame:
    """Accuracy over trials of all classes, with Wilson's 95 % interval."""
    counts = extrapolation.groupby([*TUNED_NETWORK, "delay"], dropna=False)[["n_correct", "n_trials"]].sum()
    low, high = wilson(counts["n_correct"], counts["n_trials"])
    return counts.assign(accuracy=counts["n_correct"] / counts["n_trials"], low=low, high=high).reset_index()


def _with_held(relaxation: pd.DataFrame) -> pd.DataFrame:
    return relaxation.assign(held=held(relaxation, [*TUNED_NETWORK, "label"]))


def _of_kind(kind: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda trajectories: trajectories[trajectories["kind"] == kind]


def _lasting(spectrum: pd.DataFrame) -> pd.DataFrame:
    return spectrum[np.hypot(spectrum["real"], spectrum["imag"]) >= LASTING]


PARTS: dict[str, Part] = {
    "accuracy": Part("extrapolation", {"delay": "i4", **INTERVAL}, _over_classes),
    "by_class": Part("extrapolation", {"delay": "i4", "label": "i2", **INTERVAL}),
    "relaxation": Part(
        "relaxation", {"label": "i2", "frame": "i4", "speed": "f4", "margin": "f4", "held": "u1"}, _with_held
    ),
    "slow_points": Part(
        "slow_points",
        {"label": "i2"}
        | dict.fromkeys((*SPEEDS, "readout", "distance", "leading", "n_unstable", "time_constant", "lifetime"), "f4")
        | {"lifetime_capped": "f4"},
    ),
    "spectrum": Part("spectrum", {"label": "i2", "real": "f4", "imag": "f4"}, _lasting),
    "trials": Part("trajectories", {**PLACE, "trial": "i2", "frame": "i2"}, _of_kind("trial")),
    "centres": Part("trajectories", PLACE, _of_kind("centre")),
    "points": Part("trajectories", PLACE, _of_kind("slow_point")),
    "paths": Part("trajectories", {**PLACE, "frame": "i4"}, _of_kind("path")),
    "unstable": Part("trajectories", {**PLACE, "trial": "i2"}, _of_kind("unstable")),
    "formation": Part("formation", {"label": "i2", "step": "i4", "speed": "f4", "born": "u1"}),
    "births": Part(
        "formation", {"label": "i2", "step": "i4", "log10_speed": "f4", "merged": "u1", "from_label": "f4"}, births
    ),
    "changes": Part("formation", {"step": "i4", "in_use": "i2", "t_max": "i2"}, changes),
}
"""Tables of the page; those from `trials` on describe trained networks only."""


def gather(tables: Mapping[str, pd.DataFrame], most_seeds: int | None = None) -> tuple[dict[str, Any], bytes]:
    """Header and columns of the page.

    Args:
        tables: the available tables of `explorer.EXPLORED`, by name.
        most_seeds: number of networks per cell, in the order of their seeds, with more than a summary; all if None.

    Returns:
        A header for JSON, and the columns as bytes, little-endian, aligned to multiples of 8. The header has

        - networks: name and summary of each, in the order of figures.
        - tuned: summary of each fine-tuned network by name, such as "digits/gru/vocu/settled/3".
        - modes: of each data set, `trained` first; with several lambdas, one mode for each, such as "settled-300".
        - classes: number of classes of each data set.
        - class_names: names of classes, for each data set whose tables contain them.
        - parts: for each table, its columns as [type, first byte], and first row and number of rows by network.
        - seeds: the largest number of seeds in a cell, and the number of networks per cell with more than a summary.
    """
    modes = _modes(tables)
    networks = _networks(tables)
    most = int(networks.groupby(CELL).size().max()) if len(networks) else 0
    detailed_seeds = most if most_seeds is None else min(most, most_seeds)
    detailed = networks.loc[networks.groupby(CELL).cumcount() < detailed_seeds, NETWORK]
    parts = {name: part.make(tables[part.source]) for name, part in PARTS.items() if part.source in tables}
    index, columns = _pack(parts, detailed, modes)
    header = {
        "networks": _records(networks),
        "tuned": _tuned(tables.get("regularisation"), modes),
        "modes": _in_order(modes, networks),
        "classes": _classes(tables),
        "class_names": class_names_of(tables),
        "parts": index,
        "seeds": [most, detailed_seeds],
    }
    return header, columns


def _networks(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every network in any table, in the order of figures, with its summary from table `networks`."""
    every = pd.concat([pd.DataFrame(columns=NETWORK), *(table[NETWORK] for table in tables.values() if len(table))])
    every = every.drop_duplicates(ignore_index=True)
    rank = {
        **{name: list(dict.fromkeys(every[name])) for name in ("dataset", "architecture")},
        "protocol": list(PROTOCOLS),
        "seed": sorted(every["seed"]),
    }
    every = every.sort_values(NETWORK, key=lambda column: column.map(rank[str(column.name)].index), ignore_index=True)
    if "networks" not in tables:
        return every
    known = [name for name in OF_NETWORKS if name in tables["networks"]]
    return every.merge(tables["networks"][[*NETWORK, *known]], on=NETWORK, how="left")


Modes = dict[tuple[str, str, float | None], str]
"""Mode on the page by data set, mode and lambda (None for networks as trained)."""


def _modes(tables: Mapping[str, pd.DataFrame]) -> Modes:
    tuned = [table[["dataset", "mode", "lambda"]] for table in tables.values() if "mode" in table and len(table)]
    if not tuned:
        return {}
    tunings = pd.concat(tuned).drop_duplicates()
    several = tunings.groupby(["dataset", "mode"])["lambda"].transform("nunique") > 1
    return {
        (dataset, mode, _lambda(lambda_)): f"{mode}-{lambda_text(lambda_)}" if more else mode
        for (dataset, mode, lambda_), more in zip(tunings.itertuples(index=False), several, strict=True)
    }


def _lambda(lambda_: float) -> float | None:
    return None if np.isnan(lambda_) else lambda_


def _in_order(modes: Modes, networks: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Modes of each data set in the order of figures, and by lambda."""
    order = list(LOOKS)
    ranked = sorted(modes.items(), key=lambda item: (order.index(item[0][1]), item[0][2] or 0.0))
    return {
        dataset: [{"name": TRAINED, "mode": TRAINED, "lambda": None}]
        + [
            {"name": name, "mode": mode, "lambda": lambda_}
            for (of, mode, lambda_), name in ranked
            if of == dataset and mode != TRAINED
        ]
        for dataset in dict.fromkeys(networks["dataset"])
    }


def _classes(tables: Mapping[str, pd.DataFrame]) -> dict[str, int]:
    labelled = [table[["dataset", "label"]] for table in tables.values() if "label" in table and len(table)]
    if not labelled:
        return {}
    return (pd.concat(labelled).groupby("dataset")["label"].max().astype(int) + 1).to_dict()


def _tuned(regularisation: pd.DataFrame | None, modes: Modes) -> dict[str, dict[str, Any]]:
    if regularisation is None:
        return {}
    after = {f"{name}_after": name for name in OF_TUNED if f"{name}_after" in regularisation}
    summaries = _records(regularisation[list(after)].rename(columns=after))
    return dict(zip(_names(regularisation, modes), summaries, strict=True))


def _names(networks: pd.DataFrame, modes: Modes) -> list[str]:
    """Names of networks on the page: cell, mode and seed, such as "digits/gru/vocu/trained/3"."""
    return [
        "/".join([*cell, modes.get((cell[0], mode, _lambda(lambda_)), mode), str(seed)])
        for *cell, mode, lambda_, seed in networks[TUNED_NETWORK].itertuples(index=False)
    ]


def _pack(parts: Mapping[str, pd.DataFrame], networks: pd.DataFrame, modes: Modes) -> tuple[dict[str, Any], bytes]:
    index: dict[str, Any] = {}
    columns = bytearray()
    for name, table in parts.items():
        table = table.merge(networks, on=NETWORK)
        if "mode" not in table:
            table = table.assign(mode=TRAINED, **{"lambda": np.nan})
        table = table.sort_values(TUNED_NETWORK, kind="stable")
        sizes = table.groupby(TUNED_NETWORK, dropna=False).size().rename("rows").reset_index()
        first = sizes["rows"].cumsum() - sizes["rows"]
        rows = zip(first.tolist(), sizes["rows"].tolist(), strict=True)
        index[name] = {"columns": {}, "rows": dict(zip(_names(sizes, modes), rows, strict=True))}
        for column, dtype in PARTS[name].columns.items():
            index[name]["columns"][column] = [dtype, len(columns)]
            values = table[column] if column in table else pd.Series(np.nan, index=table.index)
            columns += values.to_numpy(float).astype(f"<{dtype}").tobytes()
            columns += bytes(-len(columns) % ALIGNED)
    return index, bytes(columns)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain values, nulls as None."""
    return table.astype(object).where(table.notna(), None).to_dict("records")
