"""Dry runs of every shipped configuration and of the profile, and the rules' own conventions."""

import re

import pytest
from config_page import shipped
from places import ROOT

from slowpoints.measures import lifetimes
from slowpoints.networks import ensemble

CONFIGS = [path.name for path in shipped("*.yaml")]


@pytest.mark.parametrize("config", CONFIGS)
def test_no_target_means_all(project, data_dir, config):
    jobs = project.planned("--cores", "2", "--configfile", f"config/{config}", "--config", f"data_dir={data_dir}")
    assert jobs["all"] == 1
    assert jobs["train_networks"] >= 2


def test_the_default_study_is_24_networks_in_8_cells(project):
    jobs = project.planned("--cores", "2")
    assert (jobs["train_networks"], jobs["regularise_networks"]) == (8, 24)
    assert jobs["prepare_dataset"] == 2
    plan = project.snakemake("-n", "--cores", "2")
    for dataset, block in {"digits": "0-3", "glyphs": "0-1"}.items():
        assert f"results/networks/{dataset}/lstm/decu/path/{block}/weights.safetensors" in plan


def test_the_paper_is_40_mnist_and_20_cifar_networks(project, data_dir):
    arguments = ("--cores", "2", "--configfile", "config/paper.yaml", "--config", f"data_dir={data_dir}")
    jobs = project.planned(*arguments)
    assert (jobs["train_networks"], jobs["regularise_networks"]) == (8, 32)
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
        for rule in re.split(r"^ *rule\b", path.read_text(), flags=re.MULTILINE)[1:]:
            for part in ("log:", "threads:", "mem_mb=", "runtime=", "conda:"):
                assert part in rule, f"{path.name}: rule {rule.split(':')[0]} has no {part}"


def test_a_rule_s_digest_is_of_its_own_script():
    rules = "".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    scripts = re.findall(r'script:\s+"../../scripts/(\w+).py"', rules)
    assert set(scripts) == {path.stem for path in (ROOT / "scripts").glob("[!_]*.py")}
    named = re.findall(r'code=(?:library|cell|tuning|reading)_digest\("(\w+)"|code=(figure|explorer)_digest', rules)
    other = {"figure": "plot_figure", "explorer": "draw_explorer"}
    assert [name or other[kind] for name, kind in named] == scripts


def test_no_script_is_named_like_a_test():
    assert not [path.name for path in (ROOT / "scripts").glob("*.py") if path.name.startswith("test_")]


def test_the_headline_figure_of_the_paper_plans_no_fine_tuning(project, data_dir):
    paper = ("--configfile", "config/paper.yaml", "--config", f"data_dir={data_dir}")
    jobs = project.planned("results/paper/figures/speed_vs_memory.pdf", "--cores", "2", *paper)
    assert jobs["train_networks"] == 8
    assert not {"regularise_networks", "track_formation"} & set(jobs)


def test_every_job_of_the_tiny_study_fits_a_partition_of_half_an_hour(project):
    plan = project.snakemake("-n", "--cores", "2", "--configfile", "config/test.yaml")
    minutes = [int(number) for number in re.findall(r"runtime=(\d+)", plan)]
    assert len(minutes) > 30
    assert max(minutes) <= 10


def test_a_missing_file_is_one_line_that_says_what_to_do(project, data_dir):
    (data_dir / "cifar10/cifar-10-batches-py/data_batch_2").unlink()
    config = ("--configfile", "config/cifar.yaml", "--config", f"data_dir={data_dir}")
    output = project.snakemake("-n", "--cores", "1", *config, fails=True)
    assert "data_batch_2 is not there; for a part of the images, name its batches in source.train_files" in output
    assert "Traceback" not in output
    assert "Exception" not in output
    assert len(output.strip().splitlines()) <= 3, output


def test_numbers_that_planning_has_for_itself_are_those_of_the_library():
    """The modules that define them import PyTorch, for which planning must not wait."""
    resources = (ROOT / "workflow/rules/resources.smk").read_text()
    own = {name: int(value) for name, value in re.findall(r"^([A-Z_]+) = (\d+)\b", resources, re.MULTILINE)}
    assert own["FRONT_END_CHUNK"] == ensemble.FRONT_END_CHUNK
    assert own["LIFETIME_CAP"] == lifetimes.LIFETIME_CAP


def test_planning_does_not_wait_for_pytorch(project):
    (project.folder / "src/torch.py").write_text("raise ImportError('planning loads PyTorch')\n")
    assert project.planned("--cores", "2")["train_networks"] == 8


def test_rules_made_by_a_loop_are_named_in_a_comment_or_by_their_figure(project):
    """So that a rule is found by searching for its name."""
    texts = [path.read_text() for path in [*(ROOT / "workflow/rules").glob("*.smk"), ROOT / "workflow/Snakefile"]]
    written = {name for text in texts for name in re.findall(r"^(?:rule|checkpoint) (\w+)", text, re.MULTILINE)}
    lists = [line for text in texts for line in re.findall(r"^#   (.*)", text, re.MULTILINE)]
    made = set(re.findall(r"^(\w+)$", project.snakemake("--list-rules", "--quiet"), re.MULTILINE)) - written
    heads = [path.read_text().partition("\n")[0] for path in (ROOT / "src/slowpoints/plots").glob("*.py")]
    assert made == set(re.findall(r"\w+", " ".join(lists))) | set(re.findall(r"plot_\w+", " ".join(heads)))
