"""`python -m slowpoints status` in a finished, a running, and a killed run."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from helpers import squeue
from places import ROOT
from projects import kill

from slowpoints.cli import main
from slowpoints.core import jobs
from slowpoints.core.progress import Progress, process_start, progress_path, this_machine

TINY = "--configfile", "config/test.yaml"


@pytest.fixture
def ask(capsys, monkeypatch):
    """Output of the command in the folder of a project, as rows of words."""

    def lines(project, *arguments):
        monkeypatch.chdir(project.folder)
        main(["status", *arguments])
        return [line.split() for line in capsys.readouterr().out.splitlines()]

    return lines


def test_a_finished_study_is_done_line_by_line(finished, ask):
    title, *rows, totals = ask(finished, *TINY)
    assert title[:2] == ["study", "test,"]
    modes = ("trained", "control", "slow_points", "settled")
    cells = [["digits-tiny", "gru", protocol, "0-1", mode, "done"] for protocol in ("vocu", "decu") for mode in modes]
    assert [row[:6] for row in rows] == cells
    log = (finished.folder / "logs/train_networks/digits-tiny.gru.vocu.0-1.log").read_text()
    assert " ".join(rows[0][6:]) in log.splitlines()[-1]
    assert " ".join(totals) == "4 of 4 networks trained; of 14 jobs on them 14 done; 13 of 13 figures drawn"


@pytest.mark.parametrize("rule", jobs.FILES)
def test_a_job_is_done_when_it_has_written_all_its_files(finished, rule):
    """Files and log are those of the rule, and the last file is the newest."""
    section = re.search(rf"rule {rule}:\n.*?\n    wildcards.*?\n", finished.log, re.DOTALL)[0]
    output, log = (re.search(rf"^    {entry}: (.*)$", section, re.MULTILINE)[1] for entry in ("output", "log"))
    times = {Path(file).name: (finished.folder / file).stat().st_mtime_ns for file in output.split(", ")}
    assert set(times) == set(jobs.FILES[rule])
    assert times[jobs.FILES[rule][-1]] == max(times.values())
    dataset, architecture, protocol, mode, block = Path(output.split(", ")[0]).parent.parts[-5:]
    assert str(jobs.log_file(rule, dataset, architecture, protocol, *([mode] * (rule == jobs.TUNE)), block)) == log


def test_jobs_that_have_finished_leave_no_progress(finished):
    assert list(finished.folder.rglob("*.progress.json*")) == []


def test_seeds_that_were_added_are_waiting(finished, ask):
    _, *rows, totals = ask(finished, *TINY, "--config", "seeds=3", "modes=[control]")
    assert [row[3:6] for row in rows[:4]] == [
        ["0-1", "trained", "done"],
        ["0-1", "control", "done"],
        ["2-2", "trained", "waiting"],
        ["2-2", "control", "waiting"],
    ]
    assert " ".join(totals).startswith("4 of 6 networks trained; of 20 jobs on them 10 done, 10 waiting")


def test_running_failed_and_killed_jobs_are_told_apart(project, ask):
    """One cell with many steps, and one that diverges; then all jobs are killed."""
    long, wild = (
        {"base": "digits-tiny", "training": training} for training in ({"steps": 50_000}, {"learning_rate": 1e37})
    )
    study = {
        "study": "mine",
        "datasets": ["long", "wild"],
        "architectures": ["lstm"],
        "protocols": ["none"],
        "modes": [],
    }
    (project.folder / "config/mine.yaml").write_text(yaml.safe_dump(study | {"presets": {"long": long, "wild": wild}}))
    config = ("--configfile", "config/mine.yaml")
    assert " ".join(ask(project, *config)[-1]).startswith("nothing has run yet in")
    run = project.start("--cores", "2", "--keep-going", *config, output=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 900  # on a busy machine, too
        rows = {}
        while "left" not in " ".join(rows.get("long", [])) or "failed" not in rows.get("wild", []):
            assert run.poll() is None
            assert time.monotonic() < deadline, rows
            time.sleep(0.5)
            rows = {row[0]: row for row in ask(project, *config)}
    finally:
        kill(run)
    assert rows["long"][5] == "running"
    assert "training, step" in " ".join(rows["long"])
    assert "of 50000, report 0." in " ".join(rows["long"])
    assert " ".join(rows["wild"][6:]).startswith(
        "train_networks: slowpoints.training.loop.Diverged: wild lstm none, seed 0: the"
    )
    rows = {row[0]: " ".join(row) for row in ask(project, *config)}
    assert "trained killed train_networks, training, step" in rows["long"]
    assert "left" not in rows["long"]


@pytest.fixture
def job(tmp_path, monkeypatch, capsys):
    """The state of the job that trains a cell, from a progress file of a job that runs in this process."""
    monkeypatch.chdir(tmp_path)
    file = progress_path(jobs.log_file(jobs.TRAIN, "digits-tiny", "gru", "vocu", "0-1"))
    file.parent.mkdir(parents=True)
    running = Progress(
        node="node7",
        machine=this_machine(),
        pid=os.getpid(),
        process_start=process_start(os.getpid()),
        stage="training",
        step=120,
        steps=300,
        seconds_per_step=2.0,
        accuracy={"report": 0.9, "null": 1.0},
    )

    def state(age=0.0, text=None, queue=None, begun=True, **changes):
        if begun:
            file.write_text(text or json.dumps(running._replace(**changes)._asdict()))
            then = time.time() - age
            os.utime(file, (then, then))
        if queue is not None:
            squeue(tmp_path, monkeypatch, queue.replace("HERE", str(tmp_path)))
        main(["status", "--configfile", str(ROOT / "config/test.yaml")])
        row = capsys.readouterr().out.splitlines()[2]  # after the title and the data set
        return " ".join(row.split()[5:])

    return state


ELSEWHERE = {"machine": "another", "slurm_job": "17"}
TRAINING = "running train_networks, training, step 120 of 300, report 0.900, null 1.000"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, f"{TRAINING}, about 6 min left in this stage"),
        ({"attempt": 2}, f"{TRAINING}, about 6 min left in this stage".replace("training,", "attempt 2, training,")),
        ({"seconds_per_step": 0.0}, TRAINING),
        ({"step": 300}, TRAINING.replace("120", "300")),
        ({"age": 400}, TRAINING),  # by now the stage should be over: an estimate of 0 s would be wrong
        ({"at_most": True}, TRAINING.replace("of 300", "of at most 300")),
        ({"age": 3600}, f"{TRAINING}, no step for 60 min"),  # its process is alive
        ({"age": -3600}, f"{TRAINING}, about 6 min left in this stage"),  # another computer's clock
        ({"step": 0, "steps": 0, "accuracy": {}, "stage": "spectrum"}, "running train_networks, spectrum"),
        ({"step": 0, "steps": 0, "accuracy": {}, "stage": ""}, "running train_networks, starting"),
        ({"error": "MemoryError: 8 networks"}, "failed train_networks: MemoryError: 8 networks"),
        ({"process_start": 1}, TRAINING.replace("running", "killed")),  # its number is another process's by now
        ({**ELSEWHERE, "process_start": 1}, f"{TRAINING}, about 6 min left in this stage"),
        ({"machine": "", "process_start": 1}, f"{TRAINING}, about 6 min left in this stage"),
        ({**ELSEWHERE, "age": 500}, TRAINING),
        (
            {**ELSEWHERE, "age": 3600},
            TRAINING.replace("running", "no news for 60 min:") + ", on node7, SLURM job 17",
        ),
        ({**ELSEWHERE, "age": 3600, "seconds_per_step": 800.0}, f"{TRAINING}, about 39 h 0 min left in this stage"),
    ],
)
def test_the_state_of_a_job_that_has_not_finished(job, changes, expected):
    assert job(**changes) == expected


SUBMITTED = "rule_train_networks_wildcards_digits-tiny_gru_vocu_0-1|HERE\n"
OTHERS = "3|RUNNING|None|rule_train_networks_wildcards_digits-tiny_gru_decu_0-1|HERE\n"
MINE, HOURS = {"machine": f"boot pid:[1] {os.getuid()}", "slurm_job": "17"}, {"age": 7200}


@pytest.mark.parametrize(
    ("queue", "changes", "expected"),
    [
        (
            f"{OTHERS}18|PENDING|Priority|{SUBMITTED}",
            {"begun": False},
            "queued train_networks, SLURM job 18 (Priority)",
        ),
        (f"18|RUNNING|None|{SUBMITTED}", {"begun": False}, "running train_networks, starting, SLURM job 18"),
        (f"18|PENDING|Priority|{SUBMITTED}".replace("HERE", "/elsewhere"), {"begun": False}, "waiting"),
        (OTHERS, {"begun": False}, "waiting"),
        (
            f"18|PENDING|Resources|{SUBMITTED}",
            {**MINE, "error": "MemoryError"},
            "queued train_networks, SLURM job 18 (Resources), after MemoryError",
        ),
        (f"17|COMPLETING|None|{SUBMITTED}", {**MINE, "error": "MemoryError"}, "failed train_networks: MemoryError"),
        (f"17|RUNNING|None|{SUBMITTED}", {**MINE}, f"{TRAINING}, about 6 min left in this stage"),
        (OTHERS, {**MINE}, f"{TRAINING}, about 6 min left in this stage"),  # the queue may have been read before
        (f"17|RUNNING|None|{SUBMITTED}", MINE | HOURS, f"{TRAINING}, no step for 2 h 0 min, SLURM job 17"),
        ("17|RUNNING|None|rule_measure_group|HERE\n", MINE | HOURS, f"{TRAINING}, no step for 2 h 0 min, SLURM job 17"),
        (f"17|PENDING|BeginTime|{SUBMITTED}", MINE | HOURS, "queued train_networks, SLURM job 17 (BeginTime)"),
        (
            OTHERS,
            MINE | HOURS,
            TRAINING.replace("running", "killed") + ", SLURM job 17 is no longer in the queue",
        ),
        (  # of another user, whose jobs are not in this queue
            OTHERS,
            {**ELSEWHERE, **HOURS},
            TRAINING.replace("running", "no news for 2 h 0 min:") + ", on node7, SLURM job 17",
        ),
    ],
)
def test_slurm_tells_of_jobs_that_have_not_begun_or_are_silent(job, queue, changes, expected):
    assert job(queue=queue, **changes) == expected


def test_a_job_that_slurm_can_never_start_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    squeue(tmp_path, monkeypatch, f"17|PENDING|JobHeldUser|rule_measure|{tmp_path}\n")
    main(["status"])
    assert "SLURM job 17 (rule_measure) cannot start as it is" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize(
    ("age", "expected"),
    [(0, "running train_networks, starting"), (3600, "no news for 60 min: train_networks, starting")],
)
def test_a_damaged_progress_file_says_that_the_job_has_begun(job, age, expected):
    assert job(age, '{"step": 1') == expected


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--configfile", "nowhere.yaml"], "nowhere.yaml: No such file or directory"),
        (["--config", "seeds"], "--config is 'seeds'; it must be KEY=VALUE, such as seeds=2"),
        (["--config", "seeds=-2"], "config/config.yaml: seeds is -2; it must be at least 1"),
        (["--config", "seeds=["], "config/config.yaml: seeds is '['; it must be a whole number or null"),
        (["--config", "sedes=2"], "config/config.yaml: unknown key sedes; allowed are"),
    ],
)
def test_bad_input_is_named(arguments, complaint):
    with pytest.raises(SystemExit) as stopped:
        main(["status", *arguments])
    assert complaint in str(stopped.value)


def test_the_name_of_a_study_is_that_of_its_configuration(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, text in (("my study", "study: mine\ndatasets: [digits]\n"), ("other", "datasets: [glyphs]\n")):
        (tmp_path / f"{name}.yaml").write_text(text)
    main(["name"])
    main(["name", "--configfile", "my study.yaml"])
    main(["name", "--configfiles", "my study.yaml", "other.yaml", "-C", "study=2020-10-10"])
    assert capsys.readouterr().out.split() == ["default", "mine", "2020-10-10"]
    for command in ("name", "status"):
        with pytest.raises(SystemExit, match=f"slowpoints {command}: other.yaml: study is missing; add"):
            main([command, "--configfile", "other.yaml"])


def test_it_does_not_wait_for_pytorch(tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError('status loads PyTorch')\n")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-m", "slowpoints", "status"]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "0 of 24 networks trained" in run.stdout
