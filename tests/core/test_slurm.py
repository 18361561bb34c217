"""SLURM's reasons for waiting: permanent ones are distinguished from temporary ones."""

from pathlib import Path

import pytest
from helpers import squeue

from slowpoints.core.slurm import QueuedJob, queued_jobs, remedy, stuck, watch

HOPELESS = (
    "PartitionConfig", "PartitionNodeLimit", "PartitionTimeLimit", "QOSMaxCpuPerJobLimit", "QOSMaxGRESPerJob",
    "QOSMaxWallDurationPerJobLimit", "QOSMaxCpuPerNode", "AssocMaxWallDurationPerJobLimit",
    "AssocMaxCpuMinutesPerJobLimit",
    "MaxMemPerLimit", "QOSMinGRES", "QOSMinCpuNotSatisfied", "InvalidAccount", "InvalidQOS", "AccountNotAllowed",
    "QOSNotAllowed", "BadConstraints", "JobHeldUser", "JobHeldAdmin", "launch failed requeued held",
    "DependencyNeverSatisfied",
)  # fmt: skip
PASSING = (
    "None", "Resources", "Priority", "BeginTime", "Dependency", "Licenses", "Reservation", "PartitionDown",
    "PartitionInactive", "ReqNodeNotAvail", "ReqNodeNotAvail, UnavailableNodes:node[1-2]", "AssocGrpGRES",
    "AssocGrpCpuLimit", "QOSGrpCpuLimit", "QOSGrpMemLimit", "QOSUsageThreshold", "JobArrayTaskLimit", "Prolog", "",
)  # fmt: skip
OWN = ("QOSMaxCpuPerUserLimit", "QOSMaxGRESPerUser", "QOSMaxJobsPerUserLimit", "AssocMaxJobsLimit")
HERE = Path("/home/me/two words | and a bar")


def job(reason, number="7", state="PENDING", folder=HERE):
    return QueuedJob(number, state, reason, "rule_trained", str(folder))


@pytest.mark.parametrize("reason", HOPELESS)
def test_what_never_passes_has_a_remedy(reason):
    assert remedy(reason)
    assert remedy(reason, others_run=False)


@pytest.mark.parametrize("reason", PASSING)
def test_what_may_pass_has_none(reason):
    assert remedy(reason) is None
    assert remedy(reason, others_run=False) is None


@pytest.mark.parametrize("reason", OWN)
def test_a_limit_on_all_of_one_s_jobs_is_hopeless_for_one_that_is_alone(reason):
    assert remedy(reason) is None
    assert "by itself" in remedy(reason, others_run=False)


def test_a_line_names_job_reason_and_what_to_type():
    (line,) = stuck([job("launch failed requeued held", "12")], HERE).values()
    assert "SLURM job 12 (rule_trained)" in line
    assert "(launch failed requeued held)" in line
    assert "`scontrol release 12`" in line


def test_only_pending_jobs_of_the_folder_are_stuck():
    jobs = [
        job("PartitionConfig", "1"),
        job("PartitionConfig", "2", folder="/home/me/other"),
        job("PartitionConfig", "3", state="COMPLETED"),
        job("Priority", "4"),
    ]
    assert list(stuck(jobs, HERE)) == ["1"]


def test_running_jobs_of_other_folders_count_against_a_limit_on_all():
    waits = job("QOSMaxCpuPerUserLimit", "1")
    assert list(stuck([waits], HERE)) == ["1"]
    assert stuck([waits, job("None", "2", state="RUNNING", folder="/home/me/other")], HERE) == {}


def test_the_queue_is_read(tmp_path, monkeypatch):
    squeue(tmp_path, monkeypatch, f"7|PENDING|ReqNodeNotAvail, May be reserved|rule_x|{HERE}\nslurm_load_jobs error\n")
    assert queued_jobs() == [QueuedJob("7", "PENDING", "ReqNodeNotAvail, May be reserved", "rule_x", str(HERE))]


def test_a_job_is_named_once_and_not_before_two_looks_agree(tmp_path, monkeypatch):
    """Checks are counted by the pauses between them; the last one ends the watch."""
    answers = iter(["", "1|PENDING|PartitionConfig|a|/x\n", "1|PENDING|Resources|a|/x\n"])
    answers = [*answers, *["2|PENDING|PartitionConfig|b|/x\n"] * 3]
    said, looks = [], []

    def pause():
        if len(looks) == len(answers):
            raise EOFError
        squeue(tmp_path, monkeypatch, answers[len(looks)])
        looks.append(list(said))

    with pytest.raises(EOFError):
        watch(Path("/x"), said.append, pause)
    assert looks[-1] == said  # the third look at it says nothing more
    assert [line.split()[2] for line in said] == ["2"]


def test_a_watch_outlives_a_queue_that_cannot_be_read(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    looks = []

    def pause():
        looks.append(None)
        if len(looks) == 3:
            raise EOFError

    with pytest.raises(EOFError):
        watch(Path("/x"), pytest.fail, pause)
