"""Fixtures of several tests: small images and networks, the folder of real files, and copies of the project to run."""

import gc
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from filelock import FileLock
from projects import Project

from slowpoints.core.presets.training import Training
from slowpoints.datasets.images import ImageSet
from slowpoints.datasets.readers import cifar, idx
from slowpoints.networks.ensemble import Specification, initialise

torch.set_num_threads(1)


GROUPS = {"cluster": "cluster", "playwright": "browser", "report": "browser"}
"""Fixtures that are costly to set up: tests that use one go to the same worker."""
FIRST = ("cluster", "tutorial")  # the longest: what starts last ends alone
RUNS = {"project", "finished", "report"}
"""Fixtures of tests that run Snakemake, which makes them `long`."""


@pytest.hookimpl(tryfirst=True)  # before xdist looks at the groups
def pytest_collection_modifyitems(items):
    """Groups tests by the fixtures that they use, the longest groups first; marks those that run Snakemake."""
    for item in items:
        if RUNS & set(item.fixturenames):
            item.add_marker("long")
        for fixture in GROUPS.keys() & set(item.fixturenames):
            item.add_marker(pytest.mark.xdist_group(GROUPS[fixture]))
    items.sort(key=lambda item: not any(mark.args[0] in FIRST for mark in item.iter_markers("xdist_group")))


def pytest_collection_finish():
    """Excludes imported modules from garbage collection, which would take minutes of a test run.

    statsmodels collects at each correction of p for several tests, pytest at the end.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder with the real MNIST and CIFAR-10 files, named by SLOWPOINTS_DATA."""
    folder = os.environ.get("SLOWPOINTS_DATA")
    if not folder:
        pytest.skip("SLOWPOINTS_DATA is not set: it names the folder with the real mnist/ and cifar10/ files")
    return Path(folder)


@pytest.fixture
def data_dir(tmp_path) -> Path:
    """A folder with placeholder files of every data set; planning reads none of them."""
    batches = tmp_path / "data/cifar10/cifar-10-batches-py"
    folders = dict.fromkeys((tmp_path / "data/mnist", tmp_path / "data/fashion-mnist"), idx.NAMES)
    folders[batches] = (*cifar.TRAIN_FILES, cifar.TEST_FILE)
    for folder, files in folders.items():
        folder.mkdir(parents=True)
        for file in files:
            (folder / file).touch()
    return tmp_path / "data"


@pytest.fixture
def images() -> ImageSet:
    """60 images of 4x4 pixels in 3 classes, each bright in a different part."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 20).astype(np.int16)
    pixels = rng.integers(0, 60, (60, 4, 4, 1))
    for row, label in enumerate(labels):
        pixels[row, label] += 190
    pixels = pixels.astype(np.uint8)
    return ImageSet(pixels, labels, 3, float(pixels.mean() / 255), float(pixels.std() / 255))


@pytest.fixture
def spec(images) -> Specification:
    return Specification(
        dataset="small",
        architecture="gru",
        protocol="vocu",
        hidden=6,
        classes=3,
        image_shape=images.shape,
        noise_mean=images.mean,
        noise_std=images.std,
        readout="softmax",
        front_end=None,
        steps=0,
    )


@pytest.fixture
def make_networks(spec):
    """Untrained networks, optionally in float64 for close comparisons."""

    def make(architecture="gru", seeds=(0, 1), *, double=True, **changes):
        networks = initialise(replace(spec, architecture=architecture, **changes), seeds)
        if double:
            networks = replace(networks, weights={name: w.double() for name, w in networks.weights.items()})
        return networks

    return make


@pytest.fixture
def training() -> Training:
    """Preset section `training` for a short run."""
    settings = {
        "steps": 12,
        "batch_size": 5,
        "learning_rate": 0.01,
        "rate_drop": "10/12",
        "readout": "softmax",
        "noise": "bank",
        "bank": 23,
        "clip_norm": None,
        "precision": "float32",
        "cuda_graph": True,
        "schedules": {"vocabulary": [[0, 2], [0.5, 3]], "delay": [[0, 6], [0.5, 20]], "response": [[0, 0], [0.5, 1]]},
    }
    return Training.of(settings)


@pytest.fixture
def project(tmp_path) -> Project:
    """A fresh copy of the project, before any run."""
    return Project(tmp_path / "project")


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Project:
    """A copy in which config/test.yaml has finished, one per worker; tests must restore it."""
    folder = tmp_path_factory.mktemp("finished") / "project"
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return _run(folder)
    made = tmp_path_factory.getbasetemp().parent / "finished"  # by the first worker that needs it
    with FileLock(f"{made}.lock"):
        if not made.exists():
            _run(folder).folder.rename(made)  # so that it is there whole or not at all
    return Project(folder, of=made)


def _run(folder: Path) -> Project:
    project = Project(folder)
    project.run("--cores", "2", "--configfile", "config/test.yaml")
    return project


@pytest.fixture(scope="session")
def report(finished, tmp_path_factory) -> Path:
    """The report of that run, made from the study's own folder only."""
    project = Project(tmp_path_factory.mktemp("reported") / "project")
    shutil.copytree(finished.folder / "results/test", project.folder / "results/test")
    project.snakemake("--configfile", "config/test.yaml", "--report", "results/test/report.html")
    assert {file.split("/")[0] for file in project.files()} == {"test"}  # nothing was made anew
    return project.folder / "results/test/report.html"
