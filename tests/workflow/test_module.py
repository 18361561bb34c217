"""The workflow as a module of another one, from another folder."""

import subprocess
import sys

SNAKEFILE = """
configfile: "mine.yaml"


module slowpoints:
    snakefile:
        "{snakefile}"
    config:
        config


use rule * from slowpoints as slowpoints_*


rule size:
    default_target: True
    input:
        "results/mine/figures/extrapolation.pdf",
    output:
        "size.txt",
    shell:
        "wc -c < {{input}} > {{output}}"
"""
CONFIG = "{study: mine, datasets: [digits-tiny], architectures: [gru], protocols: [vocu], modes: [], seeds: 1}"


def test_another_workflow_builds_on_its_figures(project, tmp_path):
    folder = tmp_path / "another"
    folder.mkdir()
    (folder / "Snakefile").write_text(SNAKEFILE.format(snakefile=project.folder / "workflow/Snakefile"))
    (folder / "mine.yaml").write_text(CONFIG)
    command = [sys.executable, "-m", "snakemake", "--cores", "2"]
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    assert int((folder / "size.txt").read_text()) > 1000
    assert (folder / "results/networks/digits-tiny/gru/vocu/trained/0-0/weights.safetensors").is_file()
    assert not (project.folder / "results").exists()  # everything lies where it was called
