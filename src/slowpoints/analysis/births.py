"""Births of memories, from their tracks through training (`formation`)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from slowpoints.analysis.aggregation import log10_floored
from slowpoints.core.schemas.schema import NETWORK


def births(formation: pd.DataFrame) -> pd.DataFrame:
    """Memories born between two snapshots: a row for each, with its origin and the price of its birth.

    "Before" is one snapshot before `step`, the first with the memory.

    Args:
        formation: table `formation`; one without `nearest_distance`, of an older study, gives no `distance_before`, and
            measured `merged_with` and jumps in another unit.

    Returns:
        Columns of the network, label, step, and

        - parent: the class as which the track was read out before; NaN for none.
        - gap: steps since the snapshot before.
        - log10_speed, log10_older: its own, and the mean over memories that existed before.
        - appeared: whether the track jumped to its memory, so that no such point existed before.
        - merged, from_label: whether its track was merged with another before, and that track's class; NaN for none.
        - distance_before: to the nearest other track before, in typical distances.
        - parent_change: change of log10 speed, since before, of the memory that it was merged with; NaN if that was not
          a memory yet.
        - others_change: the same, averaged over all other memories that existed before.

        Means over nothing are NaN; the changes are given only for merged births.
    """
    network, table = _with_before(formation)
    at = [*network, "step"]
    remembered = table[table["was_born"].eq(True)]
    new = table[table["born"] & table["was_born"].eq(False)]
    new = new.assign(merged=new["from_label"].notna())
    columns = ["label", "parent", "gap", "log10_speed", "appeared", "merged", "from_label", "distance_before"]
    new = new[[*at, *columns]].merge(
        remembered.groupby(at)["log10_speed"].mean().rename("log10_older"), on=at, how="left"
    )

    split = new.loc[new["merged"], [*at, "label", "from_label"]]
    change = remembered[[*at, "label", "change"]]
    parents = split.merge(change.rename(columns={"label": "from_label", "change": "parent_change"}))
    others = split.merge(change.rename(columns={"label": "other"}), on=at)
    others = others[others["other"] != others["from_label"]]
    others = others.groupby([*at, "label"])["change"].mean().rename("others_change")
    for changes in (parents.drop(columns="from_label"), others):
        new = new.merge(changes, on=[*at, "label"], how="left")
    return new


def _with_before(formation: pd.DataFrame) -> tuple[list[str], pd.DataFrame]:
    """Columns of the network, and its tracks with values from one snapshot before, NaN in the first."""
    network = [name for name in NETWORK if name in formation]
    table = formation.sort_values([*network, "label", "step"], ignore_index=True)
    if "nearest_distance" not in table:
        table["nearest_distance"] = np.nan
    table["log10_speed"] = log10_floored(table["speed"].to_numpy(float))
    track = table.groupby([*network, "label"])
    table["change"], table["gap"] = track["log10_speed"].diff(), track["step"].diff()
    before = {
        "born": "was_born",
        "parent": "parent",
        "jumped": "appeared",
        "merged_with": "from_label",
        "nearest_distance": "distance_before",
    }
    return network, table.assign(**{name: track[column].shift(1) for column, name in before.items()})


def birth_counts(formation: pd.DataFrame) -> pd.DataFrame:
    """Numbers of births: a row for each network of the table, including those without a birth.

    Args:
        formation: table `formation`.

    Returns:
        Columns of the network, n_births (births seen between two snapshots), n_merged (those of them out of a track
        that was merged with another) and n_unseen (memories already in the first snapshot).
    """
    network, table = _with_before(formation)
    seen = table["born"] & table["was_born"].eq(False)
    counts = {
        "n_births": seen,
        "n_merged": seen & table["from_label"].notna(),
        "n_unseen": table["born"] & table["was_born"].isna(),
    }
    return table[network].assign(**counts).groupby(network, sort=False).sum().astype(int).reset_index()
