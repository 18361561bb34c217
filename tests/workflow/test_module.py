"""The workflow as a module of another one, from another folder."""

import subprocess
import sys

import pytest

SNAKEFILE = """
configfile: "mine.yaml"


module slowpoints:
    snakefile:
        "{snakefile}"
    config:
        config
    {prefix}


use rule * from slowpoints as slowpoints_*


rule size:
    default_target: True
    input:
        "{folder}results/mine/figures/extrapolation.pdf",
    output:
        "size.txt",
    shell:
        "wc -c < {{input}} > {{output}}"
"""
CONFIG = "{study: mine, datasets: [digits-tiny], architectures: [gru], protocols: [vocu], modes: [], seeds: 1}"


@pytest.fixture
def another(project, tmp_path):
    """Runs Snakemake in a workflow that uses the project as a module, optionally with a prefix."""
    folder = tmp_path / "another"
    folder.mkdir()
    (folder / "mine.yaml").write_text(CONFIG)

    def run(*arguments, prefix=""):
        line = f'prefix:\n        "{prefix}"' if prefix else ""
        place = f"{prefix}/" if prefix else ""
        text = SNAKEFILE.format(snakefile=project.folder / "workflow/Snakefile", prefix=line, folder=place)
        (folder / "Snakefile").write_text(text)
        command = [sys.executable, "-m", "snakemake", *arguments]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
        assert run.returncode == 0, run.stderr
        return run.stdout

    run.folder = folder
    return run


def test_another_workflow_builds_on_its_figures(another, project):
    assert "slowpoints_plot_extrapolation" in another("-n")
    another("--cores", "2", prefix="rnn/memory")
    assert int((another.folder / "size.txt").read_text()) > 1000
    made = another.folder / "rnn/memory"
    assert (made / "results/networks/digits-tiny/gru/vocu/trained/0-0/weights.safetensors").is_file()
    assert {path.name for path in another.folder.iterdir()} == {
        "Snakefile",
        "mine.yaml",
        "rnn",
        "size.txt",
        ".snakemake",
    }
    assert not (project.folder / "results").exists()  # everything lies where it was called
    (another.folder / "mine.yaml").write_text(CONFIG.replace("seeds: 1", "seeds: 2"))
    plan = another("-n", prefix="rnn/memory")
    assert "trained/1-1/weights.safetensors" in plan  # it saw the block that is there
    assert "rule slowpoints_train_networks" in plan
    assert "trained/0-1" not in plan
