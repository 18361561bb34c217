"""Modes of fine-tuning, their lambda, and the folders of their networks."""

import pytest

from slowpoints.core.layout import tuning_named
from slowpoints.core.modes import MODES, lambda_text, lambdas, read_lambda, tunings, write_lambda


def folders(modes, setting, tuned=None):
    return [(tuning.mode, tuning.lambda_, tuning.folder) for tuning in tunings(modes, setting, tuned or {})]


def test_a_mode_with_one_lambda_has_its_name_as_folder():
    expected = [("control", 0.0, "control"), ("slow_points", 0.01, "slow_points")]
    assert folders(["control", "slow_points"], 0.01) == expected


def test_of_several_lambdas_each_has_a_folder():
    several = [("slow_points", 0.001, "slow_points-0.001"), ("slow_points", 300.0, "slow_points-300")]
    assert folders(["control", "slow_points"], [0.001, 300]) == [("control", 0.0, "control"), *several]


def test_lambda_may_go_by_mode():
    setting = {"slow_points": 0.1, "tracking": [0.1, 1]}
    expected = [
        ("slow_points", 0.1, "slow_points"),
        ("tracking", 0.1, "tracking-0.1"),
        ("tracking", 1.0, "tracking-1"),
    ]
    assert folders(["slow_points", "tracking"], setting) == expected
    with pytest.raises(KeyError):
        lambdas("centre_of_mass", setting)


def test_a_number_that_becomes_a_list_keeps_its_networks():
    found = folders(["slow_points"], [0.01, 0.1], {"slow_points": 0.1})
    assert found == [("slow_points", 0.01, "slow_points-0.01"), ("slow_points", 0.1, "slow_points")]


@pytest.mark.parametrize("lambda_", [1e-5, 0.1, 0.1 + 1e-9, 1 / 3, 300, 12345678.9])
def test_the_text_of_a_lambda_reads_as_exactly_that(lambda_):
    assert float(lambda_text(lambda_)) == lambda_
    assert lambda_text(0.1) != lambda_text(0.1 + 1e-9)


def test_a_list_that_becomes_a_number_takes_the_plain_folder_for_it():
    for tuned in ({}, {"slow_points": 0.1}, {"slow_points": 0.3}):
        assert folders(["slow_points"], 0.1, tuned) == [("slow_points", 0.1, "slow_points")]


@pytest.mark.parametrize("folder", [each.folder for each in tunings(MODES, [0.1, 1e-5, 300], {"settled": 300})])
def test_the_name_of_a_folder_tells_mode_and_lambda(folder):
    expected = {each.folder: each for each in tunings(MODES, [0.1, 1e-5, 300], {"settled": 300})}[folder]
    assert tuning_named(folder) == (expected.mode, expected.lambda_ if "-" in folder else None)


@pytest.mark.parametrize("content", [b"", b"much", b"nan", b"-1", b"inf", b"\xff", b"0.1 0.2"])
def test_a_note_that_is_no_lambda_is_named(tmp_path, content):
    (tmp_path / "lambda.txt").write_bytes(content)
    with pytest.raises(ValueError, match=f"^{tmp_path}/lambda.txt should hold the lambda of the networks beside it"):
        read_lambda(tmp_path)


def test_the_lambda_of_a_folder_is_kept_beside_its_blocks(tmp_path):
    assert read_lambda(tmp_path) is None
    write_lambda(tmp_path, 1 / 3)
    assert read_lambda(tmp_path) == 1 / 3
