"""Helpers of many tests."""

import stat

import pandas as pd
from places import ROOT

from slowpoints.analysis.lambdas import at_chosen_lambdas
from slowpoints.core.modes import TRAINED
from slowpoints.core.schemas.slow_points import TRAJECTORIES
from slowpoints.study import read_study
from slowpoints.task.protocols import PROTOCOLS
from slowpoints.training import train as training


def study(**config):
    """A checked configuration; data sets are those of the default study unless named."""
    return read_study(config, name="config/mine.yaml")


def preset(name):
    """A supplied preset."""
    return study(datasets=[name]).presets[name]


def reference_tables(study, *names, seeds=None, modes=None):
    """The tables of a study in reference/ by name; optionally only for networks with these seeds, and of those that
    were fine-tuned, only these modes at their chosen lambdas."""
    files = {name: ROOT / f"reference/{study}/{name}.parquet" for name in names}
    tables = {name: pd.read_parquet(file) for name, file in files.items() if file.exists()}
    if modes is not None:
        validation = pd.read_parquet(ROOT / f"reference/{study}/validation.parquet")
        for name in [name for name, table in tables.items() if "mode" in table]:
            table = at_chosen_lambdas(tables[name], validation)
            tables[name] = table[table["mode"].isin([TRAINED, *modes])]
    if seeds is None:
        return tables
    return {name: table[table["seed"].isin(seeds)].reset_index(drop=True) for name, table in tables.items()}


def with_ways(trajectories):
    """The table `trajectories` with straight paths from class centres to slow points in four frames, and a direction
    along the first component, 2 long, at each slow point, in place of any that it has."""
    trajectories = trajectories[~trajectories["kind"].isin(["path", "unstable"])]
    kinds = {kind: rows.reset_index(drop=True) for kind, rows in trajectories.groupby("kind")}
    centre, point = kinds["centre"], kinds["slow_point"]
    places = ["pc1", "pc2", "pc3"]
    way = point[places] - centre[places]
    paths = [centre.assign(kind="path", frame=k, **(centre[places] + k / 4 * way)) for k in range(5)]
    ends = [point.assign(kind="unstable", trial=0, frame=side, pc1=point["pc1"] + side) for side in (-1, 1)]
    return pd.concat([trajectories, *paths, *ends]).sort_values(list(TRAJECTORIES.key), ignore_index=True)


def train(networks, images, settings, **keywords):
    """Networks trained under the protocol that their specification names."""
    return training.train(networks, images, settings, PROTOCOLS[networks.spec.protocol], **keywords)


def squeue(folder, monkeypatch, queue):
    """Puts a `squeue` that prints this queue first on the path."""
    (folder / "queue").write_text(queue)
    program = folder / "squeue"
    program.write_text(f'#!/bin/sh\ncat "{folder}/queue"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
