"""Births of memories, read off their tracks through training (`formation`)."""

from __future__ import annotations

import pandas as pd

from slowpoints.analysis.aggregation import log10_floored
from slowpoints.core.schemas.kinds import NETWORK


def births(formation: pd.DataFrame) -> pd.DataFrame:
    """Memories born between two snapshots: a row for each, with its parent and its speed beside that of older ones.

    Args:
        formation: table `formation`.

    Returns:
        Columns of the network, label, step (the first with the memory), parent (NaN for none), log10_speed, and
        log10_older (mean over memories that were there one snapshot before; NaN where there was none).
    """
    network = [name for name in NETWORK if name in formation]
    table = formation.sort_values([*network, "label", "step"], ignore_index=True)
    track = [table[name] for name in (*network, "label")]
    table["log10_speed"] = log10_floored(table["speed"].to_numpy())
    was_born = table["born"].groupby(track).shift(1)
    table["parent"] = table["parent"].groupby(track).shift(1)
    older = table[was_born.eq(True)].groupby([*network, "step"])["log10_speed"].mean().rename("log10_older")
    new = table[table["born"] & was_born.eq(False)]
    columns = [*network, "label", "step", "parent", "log10_speed"]
    return new[columns].merge(older.reset_index(), on=[*network, "step"], how="left")
