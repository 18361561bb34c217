"""What fine-tuning cost: a file beside the tables of each job, since tables contain no timings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from slowpoints.core.files import atomic
from slowpoints.core.layout import place_of
from slowpoints.core.schemas.schema import CELL

COST = "cost.json"
"""File of a seed block, beside its tables."""
COLUMNS = [*CELL, "mode", "lambda", "block", "networks", "steps", "seconds", "seconds_per_network", "device"]


def write_cost(
    path: str | Path, *, mode: str, lambda_: float, steps: int, networks: int, seconds: float, device: str
) -> None:
    """Writes what fine-tuning one seed block cost, atomically.

    Args:
        path: the file.
        mode: mode of fine-tuning.
        lambda_: its lambda.
        steps: number of optimisation steps.
        networks: number of networks fine-tuned together.
        seconds: time of fine-tuning over all attempts, without loading and measuring.
        device: name of the device.
    """
    cost = {"mode": mode, "lambda": lambda_, "steps": steps, "networks": networks, "seconds": seconds, "device": device}
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(cost) + "\n", encoding="utf-8")


def collate_costs(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Costs of all seed blocks as a table, sorted by cell, mode, lambda and block.

    Args:
        paths: files that `write_cost` wrote, in the folders of their seed blocks.

    Returns:
        A table with the columns `COLUMNS`.

    Raises:
        ValueError: naming the file that does not hold a cost.
    """
    rows = []
    for path in paths:
        cell, _, block = place_of(path)
        try:
            cost = json.loads(Path(path).read_text(encoding="utf-8"))
            per_network = cost["seconds"] / cost["networks"]
            row = {**dict(zip(CELL, cell, strict=True)), **cost, "block": block, "seconds_per_network": per_network}
            rows.append([row[name] for name in COLUMNS])
        except (ArithmeticError, KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path} does not hold the cost of a fine-tuning job ({error}); remove it to redo the job"
            ) from None
    return pd.DataFrame(rows, columns=COLUMNS).sort_values(COLUMNS[:6], ignore_index=True)


def seconds_per_network(costs: pd.DataFrame) -> pd.Series:
    """Seconds of fine-tuning per network, over all cells and seed blocks of each data set, mode and lambda.

    Args:
        costs: as `collate_costs` gives it.
    """
    sums = costs.groupby(["dataset", "mode", "lambda"])[["seconds", "networks"]].sum()
    return (sums["seconds"] / sums["networks"]).rename("seconds")


def read_costs(files: Mapping[str, str | Path]) -> dict[str, pd.DataFrame]:
    """The table that `collate_costs` returned, by the name `costs`, if `files` include one; nothing otherwise.

    Args:
        files: a study's files by name.

    Raises:
        ValueError: naming the file, if it lacks a column.
    """
    path = dict(files).get("costs")
    if path is None:
        return {}
    costs = pd.read_csv(path)
    if missing := [name for name in COLUMNS if name not in costs]:
        raise ValueError(f"{path} has no column {missing[0]}; remove it, and the next run will make it again")
    return {"costs": costs}
