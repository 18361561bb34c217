"""A cell of the tiny study, and among the slow tests all of it, through the supplied profile, on a real SLURM."""

import pytest
from slurm.cluster import ONE_CELL, WHOLE, check_cell

pytestmark = pytest.mark.slurm

GPU_RULES = {"train_networks", "regularise_networks"}
SUBMISSIONS = {ONE_CELL: 6, WHOLE: 22}
"""The data set; for each cell its training, memory, slow points (with formation) and modes; tables and figures that
need no fine-tuning together; of the whole also costs, six tables with fine-tuned networks or formation, and claims and
figures from these together."""


def rule_of(job):
    return job["Comment"].removeprefix("rule_").split("_wildcards")[0]


def check_submissions(jobs, run):
    assert len(jobs) == SUBMISSIONS[run], [job["Comment"] for job in jobs]
    assert {job["JobState"] for job in jobs} == {"COMPLETED"}


def test_results_are_those_of_a_run_without_slurm(on_slurm, finished):
    check_cell(on_slurm, finished)


def test_jobs_that_train_ask_for_a_gpu_and_others_do_not(on_slurm):
    asking = {rule_of(job) for job in on_slurm.jobs if "gpu" in job.get("TresPerJob", "")}
    assert asking == GPU_RULES
    assert all("gpu" in job.get("TresPerJob", "") for job in on_slurm.jobs if rule_of(job) in GPU_RULES)


def test_short_rules_share_submissions(on_slurm):
    check_submissions(on_slurm.jobs, ONE_CELL)


def test_a_second_run_has_nothing_to_do(on_slurm):
    assert on_slurm.planned(*ONE_CELL) == {}


@pytest.mark.slow
def test_the_whole_study_is_that_of_a_run_without_slurm(cluster, finished, project):
    project.snakemake(*WHOLE)
    assert project.digests() == finished.digests()
    check_submissions(cluster.jobs(project.folder), WHOLE)
