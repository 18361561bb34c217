"""Modes of fine-tuning, their lambda, and the folders of their networks."""

import pytest

from slowpoints.core.modes import keep_lambda, kept_lambda, lambda_text, lambdas, tunings


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


def test_the_lambda_of_a_folder_is_kept_beside_its_blocks(tmp_path):
    assert kept_lambda(tmp_path) is None
    keep_lambda(tmp_path, 1 / 3)
    assert kept_lambda(tmp_path) == 1 / 3
