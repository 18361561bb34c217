"""Interrupted and resumed training: the same bits as without interruption, also after SIGKILL."""

import logging
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace

import pytest
import torch
from helpers import train
from places import ROOT

from slowpoints.core.modes import MODES
from slowpoints.core.presets.network import Layers
from slowpoints.core.presets.source import Source
from slowpoints.training.checkpoint import ResumeAt, ResumeFile
from slowpoints.training.fine_tuning import regularise
from slowpoints.training.stopwatch import Stopwatch


class Killed(Exception):
    """Raised in place of a kill."""


@pytest.fixture
def kill_at(monkeypatch):
    """Stops training at a step, right after its resume file is written."""

    def at(step):
        save_if_due = ResumeFile.save_if_due

        def and_stop(self, run):
            save_if_due(self, run)
            if run.step == step:
                raise Killed

        monkeypatch.setattr(ResumeFile, "save_if_due", and_stop)

    yield at
    monkeypatch.undo()


@pytest.fixture
def interrupt(kill_at, monkeypatch):
    """Runs training, and stops it at a step, right after its resume file is written."""

    def at(step, work, *arguments, **keywords):
        kill_at(step)
        with pytest.raises(Killed):
            work(*arguments, **keywords)
        monkeypatch.undo()

    return at


def same(one, other):
    return all(torch.equal(weight, other.weights[name]) for name, weight in one.weights.items())


@pytest.mark.parametrize("architecture", ["gru", "lstm"])
@pytest.mark.parametrize("front_end", [None, Layers((2,), (5,))])
def test_a_resumed_run_has_the_same_bits(make_networks, images, training, architecture, front_end, tmp_path, interrupt):
    networks = make_networks(architecture, front_end=front_end, double=False)
    whole, table, snapshots = train(networks, images, training, snapshots=4)
    resume = ResumeAt(tmp_path / "resume", 0, "code")
    for step in (1, 5, 6, 11):
        interrupt(step, train, networks, images, training, snapshots=4, resume=resume)
    again, other, taken = train(networks, images, training, snapshots=4, resume=resume)
    assert same(again, whole)
    assert other.equals(table.astype(other.dtypes))
    assert list(taken) == list(snapshots)
    assert all(torch.equal(taken[step].drive, snapshots[step].drive) for step in snapshots)
    resume.done()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", MODES)
def test_resumed_fine_tuning_has_the_same_bits(make_networks, images, training, mode, tmp_path, interrupt):
    from test_fine_tuning import FINE_TUNING, points_table

    networks = make_networks(double=False)
    settings = FINE_TUNING | {"training": training, "mode": mode, "lambda_": 30 if mode == "long_delays" else 0.1}
    whole, _ = regularise(networks, images, points_table(networks), **settings)
    resume = ResumeAt(tmp_path / "resume", 0, "code")
    first, second = Stopwatch(), Stopwatch()
    interrupt(5, regularise, networks, images, points_table(networks), **settings, resume=resume, watch=first)
    again, _ = regularise(networks, images, points_table(networks), **settings, resume=resume, watch=second)
    assert same(again, whole)
    assert 0 < second.before <= first.seconds  # the first attempt counts, up to its last resume file
    assert second.seconds > second.before


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"learning_rate": 0.02}, "other settings"),
        ({"steps": 14}, "other settings"),
        ({}, "not a whole safetensors file"),
    ],
)
def test_a_file_of_another_run_is_ignored(make_networks, images, training, change, reason, tmp_path, interrupt, caplog):
    networks = make_networks(double=False)
    resume = ResumeAt(tmp_path / "resume", 0, "code")
    interrupt(5, train, networks, images, training, resume=resume)
    if not change:
        resume.path.write_bytes(resume.path.read_bytes()[:100])
    other = replace(training, **change)
    with caplog.at_level(logging.WARNING):
        again, _, _ = train(networks, images, other, resume=resume)
    assert reason in caplog.text
    assert "starting anew" in caplog.text
    assert same(again, train(networks, images, other)[0])


def test_a_file_of_other_points_is_ignored(make_networks, images, training, tmp_path, interrupt, caplog):
    from test_fine_tuning import FINE_TUNING, points_table

    networks = make_networks(double=False)
    common = FINE_TUNING | {"training": training, "mode": "slow_points", "lambda_": 0.1}
    resume = ResumeAt(tmp_path / "resume", 0, "code")
    points = points_table(networks)
    interrupt(5, regularise, networks, images, points, **common, resume=resume)
    points["state"] = [0.9 * state for state in points["state"]]
    with caplog.at_level(logging.WARNING):
        again, _ = regularise(networks, images, points, **common, resume=resume)
    assert "other settings: starting anew" in caplog.text
    assert same(again, regularise(networks, images, points, **common)[0])


def test_a_file_of_other_code_is_ignored(make_networks, images, training, tmp_path, interrupt, caplog):
    networks = make_networks(double=False)
    resume = ResumeAt(tmp_path / "resume", 0, "code")
    interrupt(5, train, networks, images, training, resume=resume)
    with caplog.at_level(logging.WARNING):
        train(networks, images, training, resume=resume._replace(code="other"))
    assert "was written with other code: starting anew" in caplog.text


def test_files_are_written_no_oftener_than_asked(make_networks, images, training, tmp_path):
    train(make_networks(double=False), images, training, resume=ResumeAt(tmp_path / "resume", 60, "code"))
    assert list(tmp_path.iterdir()) == []


TRAIN = """
    import logging, sys
    from pathlib import Path
    sys.path[:0] = [{src!r}, {tests!r}]
    import torch
    torch.set_num_threads(1)
    from slowpoints import load_images, save_networks
    from dataclasses import replace
    from helpers import preset, train
    from slowpoints.core.schemas.training import TRAINING
    from slowpoints.core.tables import write_table
    from slowpoints.task.protocols import PROTOCOLS
    from slowpoints.training.checkpoint import ResumeAt
    from slowpoints.training.train import build_networks
    folder, tiny = Path({folder!r}), preset("digits-tiny")
    training = replace(tiny.training, steps=900)
    images = load_images(folder / "train.parquet")
    logging.basicConfig(stream=sys.stdout, level=logging.INFO)
    networks = build_networks("digits-tiny", "lstm", PROTOCOLS["vocu"], [0, 1], images, tiny.network, training)
    resume = ResumeAt(folder / "resume", 0.0 if {often} else 60, "code")
    networks, history, snapshots = train(networks, images, training, snapshots=3, resume=resume)
    save_networks(networks, folder / {name!r} / "weights.safetensors")
    write_table(history, folder / {name!r} / "training.parquet", TRAINING)
    resume.done()
"""


@pytest.mark.parametrize("kills", [pytest.param(2, marks=pytest.mark.slow), pytest.param(20, marks=pytest.mark.faults)])
def test_kills_at_random_moments_change_no_bit(tmp_path, kills):
    """SIGKILL during training, and while resume files are written."""
    from slowpoints import make_dataset

    parts = {part: tmp_path / f"{part}.parquet" for part in ("train", "valid", "test")}
    make_dataset(Source("digits"), None, parts)

    def start(name, often):
        places = {"src": str(ROOT / "src"), "tests": str(ROOT / "tests"), "folder": str(tmp_path)}
        code = textwrap.dedent(TRAIN).format(name=name, often=often, **places)
        return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)

    process = start("whole", False)
    process.communicate(timeout=300)
    assert process.returncode == 0
    chance = random.Random(0)
    for _ in range(kills):
        process = start("killed", True)
        assert any(": mean loss" in line for line in process.stdout)  # it trains
        time.sleep(chance.uniform(0, 0.4))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL, "training ended before it was killed: give it more steps"
    process = start("killed", True)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0
    assert "resumed at step" in output
    for file in ("weights.safetensors", "training.parquet"):
        assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "killed" / file).read_bytes()
    left = {path.name for path in tmp_path.iterdir()}
    assert "resume" not in left
    # A write that was killed leaves its temporary file, which nothing takes for a result.
    kept = {name for name in left if not name.startswith(".resume.")}
    assert kept == {"train.parquet", "valid.parquet", "test.parquet", "whole", "killed"}
