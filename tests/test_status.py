"""`python -m slowpoints status`: from the logs of a finished run, of one on its way, and of one that was killed."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import yaml

from slowpoints.cli import main
from slowpoints.status import LAST_WRITTEN

TINY = "--configfile", "config/test.yaml"


@pytest.fixture
def ask(capsys, monkeypatch):
    """What the command says in the folder of a project, as rows of words."""

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
    assert " ".join(totals) == "4 of 4 networks trained; of 14 jobs on them 14 done; 10 of 10 figures drawn"


@pytest.mark.parametrize(("rule", "last"), LAST_WRITTEN.items())
def test_a_job_is_done_when_it_has_written_all_its_files(finished, rule, last):
    """The file that tells is no older than any other that the rule writes, whose names its log of the run has."""
    output = re.search(rf"rule {rule}:\n.*?output: (.*?)\n", finished.log, re.DOTALL)[1].split(", ")
    times = {Path(file).name: (finished.folder / file).stat().st_mtime_ns for file in output}
    assert times[last] == max(times.values())


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
    """One cell of many steps, one that diverges; then all is killed, and time goes by."""
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
    log = project.folder / "logs/train_networks/long.lstm.none.0-1.log"
    run = project.start("--cores", "2", "--keep-going", *config, output=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 240
        rows = {}
        while "left" not in " ".join(rows.get("long", [])) or "failed" not in rows.get("wild", []):
            assert run.poll() is None
            assert time.monotonic() < deadline, rows
            time.sleep(0.5)
            rows = {row[0]: row for row in ask(project, *config)}
    finally:
        for process in [*psutil.Process(run.pid).children(recursive=True), run]:
            process.kill()
        run.wait()
    assert rows["long"][5] == "running"
    assert "of 50000, report 0." in " ".join(rows["long"])
    assert " ".join(rows["wild"][6:]).startswith(
        "train_networks: slowpoints.training.loop.Diverged: wild lstm none, seed 0: the"
    )
    hour_ago = time.time() - 3600
    os.utime(log, (hour_ago, hour_ago))
    rows = {row[0]: " ".join(row) for row in ask(project, *config)}
    assert "trained no news for 60 min: train_networks, step" in rows["long"]


def test_the_last_attempt_counts(finished, tmp_path, monkeypatch, capsys):
    """A log to which a second attempt adds, of which the first lines are there."""
    name = "logs/train_networks/digits-tiny.gru.vocu.0-1.log"
    lines = (finished.folder / name).read_text().splitlines(keepends=True)
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text("".join(lines + lines[:12]))
    monkeypatch.chdir(tmp_path)
    main(["status", "--configfile", str(finished.folder / "config/test.yaml")])
    row = capsys.readouterr().out.splitlines()[2]  # after the title and the data set
    step = int(re.search(r"step (\d+): ", lines[11])[1])
    assert re.search(rf"trained +running +train_networks, attempt 2, step {step + 1} of 300, report .* left$", row), row


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--configfile", "nowhere.yaml"], "nowhere.yaml: No such file or directory"),
        (["--config", "seeds"], "--config is 'seeds'; it must be KEY=VALUE, such as seeds=2"),
        (["--config", "seeds=-2"], "config/config.yaml: seeds is -2; it must be at least 1"),
        (["--config", "seeds=["], "--config seeds: not YAML: "),
        (["--config", "sedes=2"], "config/config.yaml: unknown key sedes; allowed are"),
    ],
)
def test_bad_input_is_named(arguments, complaint):
    with pytest.raises(SystemExit) as stopped:
        main(["status", *arguments])
    assert complaint in str(stopped.value)


def test_it_does_not_wait_for_pytorch(tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError('status loads PyTorch')\n")
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-m", "slowpoints", "status"]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "0 of 48 networks trained" in run.stdout
