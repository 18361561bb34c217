"""Dry runs of every shipped configuration and of the profile, and the rules' own conventions."""

import re

import pytest
from places import ROOT

from slowpoints.datasets.idx import NAMES

CONFIGS = sorted(path.name for path in (ROOT / "config").glob("*.yaml"))


@pytest.fixture
def data_dir(tmp_path):
    """A folder that looks as if it held the files of every data set: a dry run reads none of them."""
    for name in ("mnist", "fashion-mnist"):
        (tmp_path / "data" / name).mkdir(parents=True)
        for file in NAMES:
            (tmp_path / "data" / name / file).touch()
    batches = tmp_path / "data/cifar10/cifar-10-batches-py"
    batches.mkdir(parents=True)
    for name in [*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]:
        (batches / name).touch()
    return tmp_path / "data"


@pytest.mark.parametrize("config", CONFIGS)
def test_no_target_means_all(project, data_dir, config):
    jobs = project.planned("--cores", "2", "--configfile", f"config/{config}", "--config", f"data_dir={data_dir}")
    assert jobs["all"] == 1
    assert jobs["train_networks"] >= 2


def test_the_default_study_is_48_networks_in_8_cells(project):
    jobs = project.planned("--cores", "2")
    assert jobs["train_networks"] == 8
    assert jobs["prepare_dataset"] == 2


def test_the_paper_is_40_mnist_and_20_cifar_networks(project, data_dir):
    arguments = ("--cores", "2", "--configfile", "config/paper.yaml", "--config", f"data_dir={data_dir}")
    jobs = project.planned(*arguments)
    assert (jobs["train_networks"], jobs["regularise_networks"]) == (8, 24)
    plan = project.snakemake("-n", *arguments)
    for dataset, block in {"mnist": "0-9", "cifar10": "0-4"}.items():
        for cell in ("gru/vocu", "gru/decu", "lstm/vocu", "lstm/decu"):
            assert f"results/networks/{dataset}/{cell}/trained/{block}/weights.safetensors" in plan


def test_mnist_is_downloaded_where_no_folder_is_given(project):
    jobs = project.planned("--cores", "2", "--configfile", "config/mnist.yaml")
    assert jobs["download_source"] == 4


def test_the_slurm_profile_plans_all_and_asks_gpus_for_training_alone(project):
    output = project.snakemake("-n", "--profile", "slurm")
    assert re.search(r"^all +1$", output, re.MULTILINE)
    asking = set(re.findall(r"rule (\w+):(?:(?!rule ).)*?gpu=1", output, re.DOTALL))
    assert asking == {"train_networks", "regularise_networks"}


def test_the_workflow_may_be_called_where_the_catalogue_looks(project):
    assert project.planned("--cores", "2", "--snakefile", "workflow/Snakefile")["all"] == 1


def test_rule_files_stay_short():
    for path in [*(ROOT / "workflow/rules").glob("*.smk"), ROOT / "workflow/Snakefile"]:
        assert len(path.read_text().splitlines()) <= 200, path.name


def test_every_rule_has_log_threads_memory_time_and_environment():
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        for rule in re.split(r"^rule ", path.read_text(), flags=re.MULTILINE)[1:]:
            for part in ("log:", "threads:", "mem_mb=", "runtime=", "conda:"):
                assert part in rule, f"{path.name}: rule {rule.split(':')[0]} has no {part}"


def test_a_rule_s_digest_is_of_its_own_script():
    rules = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    scripts = re.findall(r'script:\s+"../../scripts/(\w+).py"', rules)
    assert set(scripts) == {path.stem for path in (ROOT / "scripts").glob("[!_]*.py")}
    assert re.findall(r'code=library_digest\("(\w+)"\)', rules) == scripts
