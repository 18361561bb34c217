"""The grid of a configuration: seed blocks, and folders of fine-tuned networks."""

import pytest
from helpers import study

from slowpoints.core.config import ConfigError

CELL = ("digits", "gru", "vocu")


def train_block(folder, block):
    place = folder.joinpath(*CELL, "trained", block)
    place.mkdir(parents=True)
    (place / "weights.safetensors").touch()


def test_all_networks_of_a_cell_are_one_block(tmp_path):
    assert study(seeds=8).seed_blocks(CELL, tmp_path) == ["0-7"]
    assert study(seeds=1).seed_blocks(CELL, tmp_path) == ["0-0"]


def test_a_cell_may_be_split_into_jobs(tmp_path):
    assert study(seeds=8, seeds_per_job=3).seed_blocks(CELL, tmp_path) == ["0-2", "3-5", "6-7"]


def test_more_seeds_add_a_block_and_keep_what_is_trained(tmp_path):
    train_block(tmp_path, "0-7")
    assert study(seeds=12).seed_blocks(CELL, tmp_path) == ["0-7", "8-11"]
    assert study(seeds=12, seeds_per_job=2).seed_blocks(CELL, tmp_path) == ["0-7", "8-9", "10-11"]
    assert study(seeds=5).seed_blocks(CELL, tmp_path) == ["0-7"]  # the tables take seeds 0 to 4


def test_a_run_that_is_half_done_keeps_its_blocks(tmp_path):
    train_block(tmp_path, "3-5")
    assert study(seeds=8, seeds_per_job=3).seed_blocks(CELL, tmp_path) == ["0-2", "3-5", "6-7"]


def test_a_finished_block_is_never_trained_into(tmp_path):
    """A seed block of another split with a different start: 0-7 would contain its networks twice."""
    train_block(tmp_path, "4-7")
    assert study(seeds=8).seed_blocks(CELL, tmp_path) == ["0-3", "4-7"]
    assert study(seeds=12, seeds_per_job=3).seed_blocks(CELL, tmp_path) == ["0-2", "3-3", "4-7", "8-10", "11-11"]


@pytest.mark.parametrize("content", ["", "much"])
def test_a_folder_whose_lambda_cannot_be_read_is_named(tmp_path, content):
    note = tmp_path.joinpath(*CELL, "slow_points/lambda.txt")
    note.parent.mkdir(parents=True)
    note.write_text(content)
    with pytest.raises(ConfigError, match=f"^{note} should hold the lambda"):
        study().tunings(CELL, tmp_path)
