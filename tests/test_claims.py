"""Verdicts on made-up results whose answer is known."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from slowpoints.claims import judge, mean_difference


def networks(accuracy_gap=0.0, memory_gap=0.0, n=8, noise=0.005, seed=0):
    rng = np.random.default_rng(seed)
    rows = []
    for dataset in ("a", "b"):
        for architecture in ("gru", "lstm"):
            for protocol in ("vocu", "decu"):
                first = protocol == "vocu"
                for network in range(n):
                    rows.append(
                        {
                            "dataset": dataset,
                            "architecture": architecture,
                            "protocol": protocol,
                            "seed": network,
                            "learned": True,
                            "nominal_accuracy": 0.95 + accuracy_gap * first + rng.normal(0, noise),
                            "memory_score": 0.5 + memory_gap * first + rng.normal(0, 0.02),
                        }
                    )
    return pd.DataFrame(rows)


def correlation_rows(r, low, high, p):
    rows = []
    for dataset, architecture, protocol in [
        ("a", "gru", "vocu"),
        ("a", None, None),
        (None, "gru", None),
        (None, None, None),
    ]:
        rows.append({
            "dataset": dataset, "architecture": architecture, "protocol": protocol, "level": "network",
            "predictor": "log10_speed", "method": "spearman", "n": 8, "r": r, "low": low, "high": high, "p": p,
        })  # fmt: skip
    return pd.DataFrame(rows)


NOTHING = correlation_rows(0.0, -0.5, 0.5, 0.9)


def verdict(table, claim, scope):
    return table.set_index(["claim", "scope"]).loc[(claim, scope), "verdict"]


@pytest.mark.parametrize(
    ("gap", "noise", "expected"),
    [(0.0, 0.005, "supported"), (0.1, 0.005, "contradicted"), (0.03, 0.02, "inconclusive")],
)
def test_alike_means_within_the_margin(gap, noise, expected):
    table = judge(networks(accuracy_gap=gap, noise=noise), NOTHING)
    assert verdict(table, "C1", "all: vocu - decu") == expected
    assert verdict(table, "C1", "a: vocu - decu") == expected
    assert pd.isna(verdict(table, "C1", "a/gru: vocu - decu"))


@pytest.mark.parametrize(("gap", "expected"), [(0.1, "supported"), (-0.1, "supported"), (0.0, "inconclusive")])
def test_protocols_differ_either_way(gap, expected):
    table = judge(networks(memory_gap=gap, seed=3), NOTHING)
    assert verdict(table, "C2", "all: vocu - decu") == expected
    row = table.set_index(["claim", "scope"]).loc[("C2", "all: vocu - decu")]
    assert row["effect"] == pytest.approx(gap, abs=0.02)
    assert row["low"] < row["effect"] < row["high"]
    assert row["n"] == 64


@pytest.mark.parametrize(
    ("correlation", "expected"),
    [
        ((-0.6, -0.8, -0.3, 0.001), "supported"),
        ((0.6, 0.3, 0.8, 0.001), "contradicted"),
        ((-0.6, -0.8, 0.1, 0.2), "inconclusive"),
        ((-0.6, -0.8, -0.3, 0.2), "inconclusive"),
    ],
)
def test_speed_predicts(correlation, expected):
    table = judge(networks(), correlation_rows(*correlation))
    c3 = table[table["claim"] == "C3"]
    assert c3["scope"].tolist() == ["a/gru/vocu", "a", "all"]
    assert verdict(table, "C3", "all") == expected
    assert pd.isna(verdict(table, "C3", "a/gru/vocu"))


def test_two_one_sided_tests_equal_two_welch_tests():
    data = networks(n=6)
    first, second = (
        data.query("dataset == 'a' and architecture == 'gru' and protocol == @name")["nominal_accuracy"].to_numpy()
        for name in ("vocu", "decu")
    )
    greater = stats.ttest_ind(first + 0.03, second, equal_var=False, alternative="greater").pvalue
    less = stats.ttest_ind(first - 0.03, second, equal_var=False, alternative="less").pvalue
    row = judge(data, NOTHING).set_index(["claim", "scope"]).loc[("C1", "a/gru: vocu - decu")]
    assert row["p_unadjusted"] == pytest.approx(max(greater, less))


def test_holm_is_over_rows_of_the_same_kind():
    table = judge(networks(memory_gap=0.02, n=4), NOTHING).set_index(["claim", "scope"])
    for scopes in (["a/gru", "a/lstm", "b/gru", "b/lstm"], ["a", "b"]):
        rows = table.loc[[("C2", f"{scope}: vocu - decu") for scope in scopes]]
        raw = np.sort(rows["p_unadjusted"])
        expected = np.maximum.accumulate(np.minimum(raw * np.arange(len(raw), 0, -1), 1))
        np.testing.assert_allclose(np.sort(rows["p"]), expected)


def test_networks_that_did_not_learn_are_left_out_and_counted():
    data = networks(memory_gap=0.1)
    data.loc[data["seed"] == 0, "learned"] = False
    data.loc[data["seed"] == 0, "memory_score"] = 99.0
    table = judge(data, NOTHING).set_index(["claim", "scope"])
    assert table.loc[("C2", "all: vocu - decu"), "n_excluded"] == 8
    assert table.loc[("C2", "a/gru: vocu - decu"), "n_excluded"] == 2
    assert table.loc[("C2", "all: vocu - decu"), "effect"] == pytest.approx(0.1, abs=0.02)
    assert table.loc[("C1", "all: vocu - decu"), "n"] == 64


def test_one_protocol_alone_has_nothing_to_compare():
    table = judge(networks().query("protocol == 'vocu'"), NOTHING)
    assert set(table["claim"]) == {"C3"}


def test_three_protocols_are_compared_in_pairs():
    data = networks()
    data = pd.concat([data, data.query("protocol == 'decu'").assign(protocol="none")])
    scopes = judge(data, NOTHING).query("claim == 'C2'")["scope"]
    assert [scope for scope in scopes if scope.startswith("all")] == [
        "all: vocu - decu", "all: vocu - none", "all: decu - none",
    ]  # fmt: skip


def test_mean_difference_weighs_strata_by_size():
    values = [np.array([1.0, 3.0]), np.array([0.0, 0.0, 2.0, 2.0])]
    sides = [np.array([0, 1]), np.array([0, 0, 1, 1])]
    assert mean_difference(values, sides) == pytest.approx(-2)
    assert mean_difference(values, [1 - sides[0], sides[1]]) == pytest.approx((2 * 2 - 4 * 2) / 6)
