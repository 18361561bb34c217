"""A cluster for the tests here, and one finished run on it."""

import shutil
import tempfile
from pathlib import Path

import pytest
from projects import Project
from slurm.cluster import ONE_CELL, Cluster, missing


@pytest.fixture(scope="session")
def cluster():
    """A real SLURM, stopped at the end; skips with the reason if it cannot be started."""
    lacking = missing()
    if lacking:
        pytest.skip(f"no SLURM to test on: {lacking}")
    cluster = Cluster(Path(tempfile.mkdtemp(prefix="slurm-test-")))
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(cluster.folder)


@pytest.fixture(scope="session")
def on_slurm(cluster, tmp_path_factory) -> Project:
    """A copy in which a cell of config/test.yaml has run as jobs of the cluster; the slow tests run all of it."""
    project = Project(tmp_path_factory.mktemp("on-slurm") / "project")
    project.run(*ONE_CELL)
    project.jobs = cluster.jobs(project.folder)
    return project
