"""Training from the command line, without Snakemake."""

import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from slowpoints.cli import main
from slowpoints.core.progress import ProgressFile

CELL = "networks/digits-tiny/gru/vocu/trained/0-1"
MADE = ("weights.safetensors", "snapshots.safetensors", "training.parquet")


@pytest.fixture
def results(tmp_path):
    return tmp_path / "results"


def test_it_writes_what_the_workflow_writes(finished, tmp_path, results):
    environment = {**os.environ, "PYTHONPATH": str(finished.folder / "src")}  # one revision of the code
    command = [sys.executable, "-m", "slowpoints", "train", "digits-tiny", "gru", "vocu"]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    for file in (*(f"{CELL}/{name}" for name in MADE), "datasets/digits-tiny/train.parquet"):
        alone, workflow = (folder / file for folder in (results, finished.folder / "results"))
        assert alone.read_bytes() == workflow.read_bytes(), file


def test_the_workflow_goes_on_from_it(project):
    shutil.rmtree(project.folder / "results", ignore_errors=True)
    for protocol in ("vocu", "decu"):
        main(["train", "digits-tiny", "gru", protocol, "--results", str(project.folder / "results")])
    jobs = project.planned("--cores", "2", "--configfile", "config/test.yaml")
    assert "train_networks" not in jobs
    assert jobs["measure_memory"] == 2


def test_the_workflow_refuses_networks_that_it_would_have_trained_otherwise(project):
    """Snakemake has no record of them, but the weights file names their settings and code."""
    main(["train", "digits-tiny", "gru", "vocu", "--results", str(project.folder / "results")])
    target = "results/networks/digits-tiny/gru/vocu/trained/0-1/extrapolation.parquet"
    (project.folder / "mine.yaml").write_text("presets: {digits-tiny: {training: {steps: 50}}}\n")
    plain = (target, "--configfile", "config/test.yaml")
    others = (*plain, "mine.yaml")
    output = project.snakemake("-n", *others, fails=True)
    assert "trained/0-1/weights.safetensors was not trained by this workflow, but with other settings than it" in output
    assert "train_networks" not in project.planned(*others, "--rerun-triggers", "mtime", "input", "--cores", "1")
    with (project.folder / "src/slowpoints/training/loop.py").open("a") as module:
        module.write("EDITED = True\n")
    assert "but with other code than it would use" in project.snakemake("-n", *plain, fails=True)


def test_seeds_and_settings_can_be_given(results, tmp_path):
    (tmp_path / "short.yaml").write_text("presets: {short: {base: digits-tiny, training: {steps: 4}}}\n")
    main(
        [
            "train",
            "short",
            "gru",
            "vocu",
            "--seeds",
            "3",
            "--config",
            str(tmp_path / "short.yaml"),
            "--results",
            str(results),
        ]
    )
    assert (results / "networks/short/gru/vocu/trained/3-3/weights.safetensors").is_file()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["mnist-tiny", "gru", "vocu"], "there is no preset 'mnist-tiny'; there are"),
        (["digits-tiny", "gru", "vocu", "--seeds", "4-2"], "--seeds is '4-2'; it must be"),
        (["mnist", "gru", "vocu", "--data-dir", "nowhere"], "there is no folder nowhere/mnist"),
        (["digits-tiny", "gru", "vocu", "--config", "missing.yaml"], "missing.yaml: No such file or directory"),
        (["digits-tiny", "gru", "vocu", "--config", __file__], f"{__file__}: not YAML: "),
    ],
)
def test_bad_input_is_named_and_nothing_is_left(results, capsys, arguments, complaint):
    with pytest.raises(SystemExit, match="slowpoints") as stopped:
        main(["train", *arguments, "--results", str(results)])
    assert complaint in str(stopped.value)
    assert not (results / "networks").exists()


@pytest.mark.slow
def test_lines_of_jobs_that_share_a_terminal_stay_whole(results, tmp_path):
    """Each line names its cell, and no progress bar interrupts it."""
    (tmp_path / "short.yaml").write_text("presets: {digits-tiny: {training: {steps: 200}}}\n")
    command = [sys.executable, "-m", "slowpoints", "train", "digits-tiny", "gru"]
    options = ["--config", str(tmp_path / "short.yaml"), "--results", str(results)]
    mine, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, 150))
    environment = {**os.environ, "TQDM_MININTERVAL": "0"}
    jobs = [
        subprocess.Popen([*command, protocol, *options], stdout=theirs, stderr=theirs, env=environment)
        for protocol in ("vocu", "decu")
    ]
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # how a terminal says that nobody writes any more
        while part := os.read(mine, 1 << 16):
            shown += part
    os.close(mine)
    assert [job.wait() for job in jobs] == [0, 0]
    assert b"training:" in shown  # there was a bar
    said = [
        line.rpartition(b"\r\x1b[K")[2] for line in shown.replace(b"\r\n", b"\n").split(b"\n") if b"mean loss" in line
    ]
    pattern = re.compile(
        rb"\d{4}-\S+ \S+ digits-tiny gru (vocu|decu) 0-1: step \d+: mean loss \S+, report \S+, null \S+"
    )
    assert len(said) == 2 * 101
    assert [line for line in said if not pattern.fullmatch(line)] == []


def test_it_reports_its_progress_where_a_job_of_the_workflow_does(results, tmp_path, monkeypatch):
    """So that `status` can read it, in the folder of results/ and logs/."""
    (tmp_path / "short.yaml").write_text("presets: {short: {base: digits-tiny, training: {steps: 4}}}\n")
    write, written = ProgressFile.write, []

    def noted(self, **changes):
        write(self, **changes)
        assert self.path.is_file()
        written.append((self.path.relative_to(tmp_path), self.progress.stage))

    monkeypatch.setattr(ProgressFile, "write", noted)
    arguments = ["--seeds", "3", "--config", str(tmp_path / "short.yaml"), "--results", str(results)]
    main(["train", "short", "gru", "vocu", *arguments])
    file = Path("logs/train_networks/short.gru.vocu.3-3.progress.json")
    assert written[:2] == [(file, ""), (file, "training")]
    assert list(tmp_path.rglob("*.progress.json*")) == []


def test_a_summary_of_no_study_says_so(tmp_path):
    with pytest.raises(SystemExit, match="holds no tables of a finished study"):
        main(["summary", str(tmp_path)])


def test_networks_that_do_not_fit_are_told_how_to_be_split(results, tmp_path):
    (tmp_path / "huge.yaml").write_text("presets: {digits-tiny: {training: {batch_size: 1000000000000}}}\n")
    with pytest.raises(
        SystemExit, match="2 networks do not fit into the memory of cpu together; set seeds_per_job to 1"
    ):
        main(
            ["train", "digits-tiny", "gru", "vocu", "--config", str(tmp_path / "huge.yaml"), "--results", str(results)]
        )


def test_a_terminal_that_lacks_a_character_shows_the_rest(tmp_path, monkeypatch):
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables/claims.parquet").touch()
    monkeypatch.setattr("slowpoints.analysis.summary.summary", lambda folder: "speed ± 1")
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    monkeypatch.setattr(sys, "stdout", terminal)
    main(["summary", str(tmp_path)])
    assert terminal.buffer.getvalue() == b"speed \\xb1 1\n"
