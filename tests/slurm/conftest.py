"""A cluster for the tests here, and one finished run on it."""

import shutil
import tempfile
from pathlib import Path

import pytest
from projects import Project
from slurm.cluster import QUICK, Cluster, missing


@pytest.fixture(scope="session")
def cluster():
    """A real SLURM, stopped at the end; where it cannot be had, the skip says what is missing."""
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
    """A copy in which config/test.yaml has run as jobs of the cluster."""
    project = Project(tmp_path_factory.mktemp("on-slurm") / "project")
    project.run(*QUICK, "--configfile", "config/test.yaml")
    project.jobs = cluster.jobs(project.folder)
    return project
