"""The environment of a run does not change it: settings of Matplotlib, the terminal's encoding, names of folders."""

import shutil
import subprocess
import sys

import pytest
from places import ROOT

FIGURE, PAGE = "results/reference-mnist-small/figures/spectrum.png", "results/reference-mnist-small/explorer.html"
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
"""A terminal of an encoding that lacks most characters."""
ODD = {
    **ASCII,
    "MPLBACKEND": "module://of_a_notebook",
    "COLUMNS": "1",
    "HOME": "/dev/null/no_home",
    "NO_COLOR": "1",
    "OMP_NUM_THREADS": "3",
    "PYTHONHASHSEED": "7",
    "PYTHONOPTIMIZE": "2",
    "PYTHONWARNINGS": "error",
    "TERM": "dumb",
    "TMPDIR": "/dev/null/no_folder",
    "TZ": "Asia/Kathmandu",
}


@pytest.fixture
def reference(project):
    """A project with the tables of finished studies."""
    (project.folder / "reference").symlink_to(ROOT / "reference")
    return project


def drawn(project, **variables):
    """A figure and an explorer, made again."""
    shutil.rmtree(project.folder / "results", ignore_errors=True)
    project.snakemake(FIGURE, PAGE, "--cores", "2", "--configfile", "config/test.yaml", **variables)
    return [(project.folder / file).read_bytes() for file in (FIGURE, PAGE)]


def test_figures_and_pages_are_the_same_in_any_surroundings(reference, tmp_path):
    usual = drawn(reference)
    (reference.folder / "matplotlibrc").write_bytes("font.size: 30 # é, in another encoding\n".encode("latin-1"))
    assert drawn(reference, **ODD, XDG_CACHE_HOME=str(tmp_path / "cache")) == usual
    assert "“".encode() in usual[1]


@pytest.mark.slow
def test_a_matplotlibrc_of_the_user_changes_no_figure(reference, tmp_path):
    """A readable one, in the folder of settings, which Matplotlib would follow."""
    usual = drawn(reference)
    settings = tmp_path / "settings/matplotlib"
    settings.mkdir(parents=True)
    (settings / "matplotlibrc").write_text(
        "text.usetex: True\nlines.linewidth: 9\nsavefig.bbox: tight\nbackend: TkAgg\n"
    )
    assert drawn(reference, XDG_CONFIG_HOME=str(tmp_path / "settings")) == usual


def test_a_report_is_the_same_in_a_terminal_of_another_encoding(finished, project):
    shutil.copytree(finished.folder / "results/test", project.folder / "results/test")
    pages = []
    for name, variables in (("usual", {}), ("ascii", ASCII)):
        file = project.folder / f"{name}.html"
        project.snakemake("--configfile", "config/test.yaml", "--report", file.name, **variables)
        pages.append(file.read_bytes())
    usual, ascii_ = (page.count("“".encode()) for page in pages)
    assert usual == ascii_ > 0


@pytest.fixture
def environment():
    """The folder of the environment that runs these tests."""
    if sys.prefix == sys.base_prefix:
        pytest.skip("the tests don't run in a virtual environment")
    return sys.prefix


def python_of(link, environment, *arguments, folder):
    link.symlink_to(environment)
    command = [link / "bin/python", "-m", "snakemake", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8")


def test_an_environment_below_a_folder_with_a_space_runs_jobs(project, environment, tmp_path):
    """As `make` creates it in the project's folder."""
    folder = project.folder.rename(tmp_path / "my project's (copy) & $HOME")
    target = "results/datasets/digits-tiny/train.parquet"
    arguments = (target, "--cores", "1", "--configfile", "config/test.yaml")
    done = python_of(folder / ".venv", environment, *arguments, folder=folder)
    assert (folder / target).is_file(), done.stderr


def test_an_environment_elsewhere_below_a_folder_with_a_space_is_refused_by_name(project, environment, tmp_path):
    link = tmp_path / "my environment"
    done = python_of(link, environment, "-n", "--configfile", "config/test.yaml", folder=project.folder)
    assert done.returncode != 0
    assert f"{link}/bin/python" in done.stderr
    assert "contains a space" in done.stderr
    assert "Traceback" not in done.stderr
