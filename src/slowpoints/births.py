"""Births of memories, read off their tracks through training (`formation`)."""

from __future__ import annotations

import numpy as np
import pandas as pd


def add_parents(formation: pd.DataFrame) -> pd.DataFrame:
    """The table with `born` (whether a track's memory is there) and `parent`, sorted by network, class and step.

    A memory is there from when its class is in use and its track reads out as its class, without a break to the
    end. In the last row before that, `parent` is the class as which the track reads out, if another: the memory
    that its point was part of.
    """
    formation = formation.sort_values(["seed", "label", "step"], ignore_index=True)
    own = (formation["readout"] == formation["label"]) & formation["in_use"]
    groups = [formation["seed"], formation["label"]]
    formation["born"] = own[::-1].groupby(groups).cummin()[::-1].astype(bool)
    before = ~formation["born"] & formation["born"].groupby(groups).shift(-1, fill_value=False)
    other = before & (formation["readout"] != formation["label"])
    formation["parent"] = formation["readout"].where(other)
    return formation


def births(formation: pd.DataFrame) -> pd.DataFrame:
    """Memories born between two snapshots: a row for each, with its parent and its speed beside that of older ones.

    Args:
        formation: table `formation`.

    Returns:
        Columns of the network, label, step (the first with the memory), parent (NaN for none), log10_speed, and
        log10_older (mean over memories that were there one snapshot before; NaN where there was none).
    """
    network = [*(name for name in ("dataset", "architecture", "protocol") if name in formation), "seed"]
    table = formation.sort_values([*network, "label", "step"], ignore_index=True)
    track = [table[name] for name in (*network, "label")]
    table["log10_speed"] = np.log10(table["speed"].clip(lower=1e-12))
    was_born = table["born"].groupby(track).shift(1)
    table["parent"] = table["parent"].groupby(track).shift(1)
    older = table[was_born.eq(True)].groupby([*network, "step"])["log10_speed"].mean().rename("log10_older")
    new = table[table["born"] & was_born.eq(False)]
    columns = [*network, "label", "step", "parent", "log10_speed"]
    return new[columns].merge(older.reset_index(), on=[*network, "step"], how="left")
