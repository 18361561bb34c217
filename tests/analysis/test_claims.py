"""Verdicts on simulated results with a known answer."""

import numpy as np
import pandas as pd
import pytest
from claim_tables import VOCU_DECU, only, select
from scipy import stats

from slowpoints.analysis import comparisons, correlation
from slowpoints.analysis.claims.judge import judge, verdict
from slowpoints.analysis.claims.rows import Row, Subject
from slowpoints.analysis.comparisons import Effect, change, mean_difference


@pytest.fixture(autouse=True)
def fewer_draws(monkeypatch):
    """Enough draws to distinguish the verdicts here, in a fifth of the time."""
    monkeypatch.setattr(correlation, "RESAMPLES", 400)
    for module in (correlation, comparisons):
        monkeypatch.setattr(module, "PERMUTATIONS", 1999)


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


SCOPES = [("a", "gru", "vocu"), ("a", "gru", None), ("a", None, None), (None, "gru", None), (None, None, None)]


def correlation_rows(r, low, high, p, level="network", scopes=SCOPES):
    return pd.DataFrame([
        dict(zip(("dataset", "architecture", "protocol"), names, strict=True)) | {
            "level": level, "predictor": "log10_speed", "method": "spearman", "n": 8, "r": r, "low": low,
            "high": high, "p": p,
        }
        for names in scopes
    ])  # fmt: skip


TRACKS = {"label": int, "step": int, "speed": float, "parent": float, "born": bool, "merged_with": float}
NO_FORMATION = pd.DataFrame(
    columns=["dataset", "architecture", "protocol", "seed", *TRACKS, "jumped"],
).astype(TRACKS | {"seed": int, "jumped": bool})
TUNED = ("memory_score_after", "log10_speed_after", "log10_settled_speed_after", "nominal_accuracy_after")
NO_TUNING = pd.DataFrame(columns=["dataset", "architecture", "protocol", "mode", "lambda", "seed", *TUNED]).astype(
    {"seed": int}
)


def judged(networks, correlations, formation=NO_FORMATION, regularisation=NO_TUNING):
    return judge(networks, correlations, formation, regularisation)


NOTHING = correlation_rows(0.0, -0.5, 0.5, 0.9)


def stated(table, claim, **about):
    return only(table, claim, **about)["verdict"]


@pytest.mark.parametrize(
    ("gap", "noise", "expected"),
    [(0.0, 0.005, "supported"), (0.1, 0.005, "contradicted"), (0.03, 0.02, "inconclusive")],
)
def test_alike_means_within_the_margin(gap, noise, expected):
    table = judged(networks(accuracy_gap=gap, noise=noise), NOTHING)
    assert stated(table, "C1", **VOCU_DECU) == expected
    assert stated(table, "C1", dataset="a", **VOCU_DECU) == expected
    assert pd.isna(stated(table, "C1", dataset="a", architecture="gru", **VOCU_DECU))


@pytest.mark.parametrize(("gap", "expected"), [(0.1, "supported"), (-0.1, "supported"), (0.0, "inconclusive")])
def test_protocols_differ_either_way(gap, expected):
    table = judged(networks(memory_gap=gap, seed=3), NOTHING)
    row = only(table, "C2", **VOCU_DECU)
    assert row["verdict"] == expected
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
    within = correlation_rows(*correlation)
    mixed = correlation_rows(-0.9, -0.95, -0.8, 0.001, level="mixed", scopes=SCOPES[1:])
    table = judged(networks(), pd.concat([within, mixed]))
    c3 = table[table["claim"] == "C3"]
    own = ["a/gru/vocu: {}, within cells", "a: {}, within cells", "all: {}, within cells"]
    scopes = [*own, *(f"{of}: {{}}, protocols mixed" for of in ("a/gru", "a", "all"))]
    assert sorted(c3["scope"]) == sorted(scope.format("log10 speed of slow points") for scope in scopes)
    assert set(c3["measure"]) == {"log10_speed"}
    assert stated(table, "C3", question="network") == expected
    assert stated(table, "C3", question="mixed") == "supported"  # a question of its own
    assert pd.isna(stated(table, "C3", question="network", dataset="a", architecture="gru", protocol="vocu"))
    assert pd.isna(stated(table, "C3", question="mixed", dataset="a", architecture="gru"))


def test_two_one_sided_tests_equal_two_welch_tests():
    data = networks(n=6)
    first, second = (
        data.query("dataset == 'a' and architecture == 'gru' and protocol == @name")["nominal_accuracy"].to_numpy()
        for name in ("vocu", "decu")
    )
    greater = stats.ttest_ind(first + 0.03, second, equal_var=False, alternative="greater").pvalue
    less = stats.ttest_ind(first - 0.03, second, equal_var=False, alternative="less").pvalue
    row = only(judged(data, NOTHING), "C1", dataset="a", architecture="gru", **VOCU_DECU)
    assert row["p_unadjusted"] == pytest.approx(max(greater, less))


def test_holm_is_over_rows_of_the_same_kind():
    table = judged(networks(memory_gap=0.02, n=4), NOTHING).query("claim == 'C2' and dataset.notna()")
    for single in (True, False):
        rows = table[table["architecture"].notna() == single]
        assert len(rows) == (4 if single else 2)
        raw = np.sort(rows["p_unadjusted"])
        expected = np.maximum.accumulate(np.minimum(raw * np.arange(len(raw), 0, -1), 1))
        np.testing.assert_allclose(np.sort(rows["p"]), expected)


def test_networks_that_did_not_learn_are_left_out_and_counted():
    data = networks(memory_gap=0.1)
    data.loc[data["seed"] == 0, "learned"] = False
    data.loc[data["seed"] == 0, "memory_score"] = 99.0
    table = judged(data, NOTHING)
    row = only(table, "C2", **VOCU_DECU)
    assert row["n_excluded"] == 8
    assert row["effect"] == pytest.approx(0.1, abs=0.02)
    assert only(table, "C2", dataset="a", architecture="gru", **VOCU_DECU)["n_excluded"] == 2
    assert only(table, "C1", **VOCU_DECU)["n"] == 64


def tuning(memory_gain, speed_gain, seeds=8, accuracy_gain=0.0, mode="slow_points", lambda_=0.01, dose=1.0):
    """Fine-tuning whose mode changes memory, speed and accuracy by these amounts relative to control, plus noise."""
    rng = np.random.default_rng(0)
    rows = []
    for cell in networks(n=1)[["dataset", "architecture", "protocol"]].itertuples(index=False):
        for seed in range(seeds):
            base = rng.normal(0, 0.3)
            for each in ("control", mode):
                on = each == mode
                values = {
                    "memory_score_after": base + on * dose * memory_gain + rng.normal(0, 0.01),
                    "log10_speed_after": base + on * dose * speed_gain + rng.normal(0, 0.01),
                    "log10_settled_speed_after": base + on * dose * speed_gain + rng.normal(0, 0.01),
                    "nominal_accuracy_after": 0.97 + on * accuracy_gain + rng.normal(0, 0.004),
                }
                rows.append(cell._asdict() | {"mode": each, "lambda": lambda_ * on, "seed": seed} | values)
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("memory_gain", "speed_gain", "expected"),
    [
        (0.05, -0.1, ("supported", "supported")),
        (-0.05, 0.1, ("contradicted", "contradicted")),
        (0.0, 0.0, ("inconclusive", "inconclusive")),
    ],
)
def test_control_is_paired_network_by_network(memory_gain, speed_gain, expected):
    table = judged(networks(), NOTHING, regularisation=tuning(memory_gain, speed_gain))
    assert tuple(stated(table, "C4", measure=measure) for measure in ("memory_score", "log10_speed")) == expected
    row = only(table, "C4", measure="memory_score")
    assert row[["mode", "lambda", "rival", "rival_lambda"]].tolist() == ["slow_points", 0.01, "control", 0]
    assert row["scope"] == "all: slow_points 0.01 - control, memory score"
    assert row["n"] == 8 * 8
    assert row["effect"] == pytest.approx(memory_gain, abs=0.01)
    cell = only(table, "C4", measure="memory_score", dataset="a", architecture="gru", protocol="vocu")
    assert cell["n"] == 8
    assert pd.isna(cell["verdict"])


def test_pairing_is_wilcoxon_s_test():
    table = judged(networks(), NOTHING, regularisation=tuning(0.004, 0.0))
    key = ["architecture", "protocol", "seed"]
    own = tuning(0.004, 0.0).query("dataset == 'a'").pivot_table("memory_score_after", key, "mode")
    expected = stats.wilcoxon(own["slow_points"] - own["control"]).pvalue
    assert only(table, "C4", measure="memory_score", dataset="a")["p_unadjusted"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("low", "high", "p", "claimed", "expected"),
    [
        (0.1, 0.2, 0.01, "positive", "supported"),
        (0.1, 0.2, 0.01, "negative", "contradicted"),
        (0.1, 0.2, 0.06, "positive", "inconclusive"),
        (-0.1, 0.2, 0.01, "either", "inconclusive"),
        (-0.2, -0.1, 0.01, "either", "supported"),
        (-0.02, 0.01, 0.01, "none", "supported"),
        (-0.02, 0.04, 0.2, "none", "inconclusive"),
        (0.04, 0.06, 0.9, "none", "contradicted"),
        (np.nan, np.nan, np.nan, "negative", "inconclusive"),
        (-0.02, 0.06, 0.01, "no loss", "supported"),
        (-0.04, 0.01, 0.3, "no loss", "inconclusive"),
        (-0.06, -0.04, 0.9, "no loss", "contradicted"),
    ],
)
def test_verdicts(low, high, p, claimed, expected):
    found = Effect(8, (low + high) / 2, low, high, "made up", p)
    assert verdict(Row(Subject("C1", "alike", "nominal_accuracy"), found, claimed, 0, margin=0.03), p) == expected


@pytest.mark.parametrize(
    ("accuracy_gain", "expected"),
    [(0.0, "supported"), (0.03, "supported"), (-0.03, "contradicted"), (-0.0098, "inconclusive")],
)
def test_what_a_penalty_costs_in_accuracy_is_said_beside_its_gain(accuracy_gain, expected):
    tuned = tuning(0.1, -0.1, accuracy_gain=accuracy_gain)
    table = judged(networks(), NOTHING, regularisation=tuned)
    row = only(table, "C4", measure="nominal_accuracy")
    assert row["verdict"] == expected
    key = ["dataset", "architecture", "protocol", "seed"]
    wide = tuned.pivot_table("nominal_accuracy_after", key, "mode")
    gain = wide["slow_points"] - wide["control"]
    assert row["p_unadjusted"] == pytest.approx(stats.ttest_1samp(gain, -0.01, alternative="greater").pvalue)
    assert row["effect"] == pytest.approx(gain.mean())


def test_one_network_can_show_no_loss_of_accuracy():
    table = judged(networks(), NOTHING, regularisation=tuning(0.1, -0.1).query("dataset == 'a' and seed == 0").head(2))
    rows = table[table["measure"].eq("nominal_accuracy") & table["claim"].ne("C1")]
    assert len(rows) == 3
    assert rows["p"].isna().all()
    assert set(rows["verdict"].dropna()) == {"inconclusive"}


def test_a_cell_of_one_network_weighs_as_one_in_an_interval():
    found = change([np.array([0.0, 0.001, -0.001]), np.array([1.0])], np.random.default_rng(0))
    assert found.effect == pytest.approx(0.25)
    assert found.low <= 0.25 <= found.high
    assert found.high < 0.26


def three_modes(settled_gain, rival_gain=0.05):
    """Control, a mode of the paper and the settled one, of the same networks."""
    rival = tuning(rival_gain, -0.1)
    ours = tuning(settled_gain, -0.1, mode="settled", lambda_=300.0).query("mode == 'settled'")
    return pd.concat([rival, ours])


@pytest.mark.parametrize(("gain", "expected"), [(0.2, "supported"), (0.05, "inconclusive"), (0.0, "contradicted")])
def test_the_settled_penalty_is_set_against_the_paper_s(gain, expected):
    table = judged(networks(), NOTHING, regularisation=three_modes(gain))
    c6 = table[table["claim"] == "C6"]
    assert set(c6["scope"].str.partition(": ")[2]) == {
        "settled 300 - slow_points 0.01, memory score", "settled 300 - control, nominal accuracy",
        "settled 300 - control, nominal accuracy, no loss beyond 0.005",
    }  # fmt: skip
    row = only(table, "C6", measure="memory_score")
    assert row[["mode", "lambda", "rival", "rival_lambda"]].tolist() == ["settled", 300, "slow_points", 0.01]
    assert row["verdict"] == expected
    for question in ("surpass", "strict"):
        assert stated(table, "C6", question=question, measure="nominal_accuracy", rival="control") == "supported"
    assert (row["n"], row["effect"]) == (64, pytest.approx(gain - 0.05, abs=0.01))


def lambdas(table, dataset=None):
    """Claim, and both lambdas as text, of the rows on memory of settled networks in a data set, or in all."""
    rows = pd.concat(
        [select(table, claim, measure="memory_score", mode="settled", dataset=dataset) for claim in ("C4", "C6")]
    )
    return {tuple(map(str, row)) for row in rows[["claim", "lambda", "rival_lambda"]].itertuples(index=False)}


def test_a_lambda_for_each_data_set_is_pooled_and_a_list_of_lambdas_is_not():
    tuned = three_modes(0.2)
    of_b = tuned["dataset"].eq("b") & tuned["mode"].eq("settled")
    table = judged(networks(), NOTHING, regularisation=tuned.assign(**{"lambda": tuned["lambda"].mask(of_b, 9.0)}))
    assert lambdas(table) == {("C4", "nan", "0.0"), ("C6", "nan", "0.01")}
    assert lambdas(table, "a") == {("C4", "300.0", "0.0"), ("C6", "300.0", "0.01")}
    assert lambdas(table, "b") == {("C4", "9.0", "0.0"), ("C6", "9.0", "0.01")}
    assert {"all: settled - control, memory score", "b/gru/vocu: settled 9 - control, memory score"} < set(
        table["scope"]
    )
    twice = judged(networks(), NOTHING, regularisation=pd.concat([tuned, tuned[of_b].assign(**{"lambda": 9.0})]))
    assert lambdas(twice) == {
        (claim, lambda_, rival) for claim, rival in (("C4", "0.0"), ("C6", "0.01")) for lambda_ in ("300.0", "9.0")
    }
    assert lambdas(twice, "a") == {("C4", "300.0", "0.0"), ("C6", "300.0", "0.01")}


def test_of_a_network_s_copies_the_slower_remember_longer():
    doses = [tuning(0.1, -0.1, mode="slow_points", lambda_=dose, dose=dose) for dose in (1.0, 2.0, 3.0)]
    copies = pd.concat([doses[0], *(each.query("mode != 'control'") for each in doses[1:])])
    row = only(judged(networks(), NOTHING, regularisation=copies), "C3", question="copies", measure="log10_speed")
    assert row["n"] == 64
    assert row["low"] <= row["effect"] <= row["high"] < -0.9
    assert pd.isna(row[["p", "verdict"]]).all()  # all networks share their four copies: nothing to test
    against = judged(networks(), NOTHING, regularisation=copies.assign(log10_speed_after=-copies["log10_speed_after"]))
    turned = {
        speed: only(against, "C3", question="copies", measure=speed)["effect"]
        for speed in ("log10_speed", "log10_settled_speed")
    }
    assert turned["log10_speed"] > 0.9
    assert turned["log10_settled_speed"] < -0.9


def test_one_protocol_alone_has_nothing_to_compare():
    table = judged(networks().query("protocol == 'vocu'"), NOTHING)
    assert "C3" in set(table["claim"])
    assert table["rival"].isna().all()


def test_three_protocols_are_compared_in_pairs():
    data = networks()
    data = pd.concat([data, data.query("protocol == 'decu'").assign(protocol="none")])
    table = judged(data, NOTHING).query("claim == 'C2' and dataset.isna()")
    assert table[["protocol", "rival"]].to_numpy().tolist() == [["vocu", "decu"], ["vocu", "none"], ["decu", "none"]]


def test_mean_difference_weighs_strata_by_size():
    values = [np.array([1.0, 3.0]), np.array([0.0, 0.0, 2.0, 2.0])]
    sides = [np.array([0, 1]), np.array([0, 0, 1, 1])]
    assert mean_difference(values, sides) == pytest.approx(-2)
    assert mean_difference(values, [1 - sides[0], sides[1]]) == pytest.approx((2 * 2 - 4 * 2) / 6)


def with_spectrum(table, beyond, when="", architecture="lstm"):
    """Networks of which one unit is affine: memory exceeds what its spectrum in noise allows by about `beyond`."""
    error = 0.01 * np.cos(np.arange(len(table)))  # about 0 in the mean of any cell
    allowed = table[f"memory_score{when}"] - beyond + error
    return table.assign(**{f"spectral_score{when}": allowed.where(table["architecture"] == architecture)})


@pytest.mark.parametrize(("beyond", "expected"), [(-0.1, "supported"), (0.1, "contradicted"), (0.0, "inconclusive")])
def test_memory_of_affine_units_is_set_against_their_spectrum(beyond, expected):
    table = judged(with_spectrum(networks(), beyond), NOTHING)
    for dataset in ("a", "b"):
        row = only(table, "C7", dataset=dataset, architecture="lstm")
        assert (row["verdict"], row["measure"], row["n"]) == (expected, "beyond_spectrum", 16)
        assert row["effect"] == pytest.approx(beyond, abs=0.01)
        cell = only(table, "C7", dataset=dataset, architecture="lstm", protocol="vocu")
        assert cell["n"] == 8
        assert pd.isna(cell["verdict"])
    assert len(table[table["claim"] == "C7"]) == 2 * (1 + 2)  # nothing of the GRU, nothing pooled over units


@pytest.mark.parametrize(
    ("gain", "expected"), [(0.0, "supported"), (-0.2, "supported"), (0.1, "contradicted"), (0.021, "inconclusive")]
)
def test_a_penalty_gains_affine_units_no_memory(gain, expected):
    tuned = with_spectrum(tuning(gain, -0.1, mode="settled", lambda_=3.0), -0.1, when="_after")
    table = judged(with_spectrum(networks(), -0.1), NOTHING, regularisation=tuned)
    unit = {"dataset": "a", "architecture": "lstm", "mode": "settled"}
    row = only(table, "C7", question="gain", measure="memory_score", **unit)
    assert (row["verdict"], row["rival"], row["lambda"], row["n"]) == (expected, "control", 3.0, 16)
    assert row["effect"] == pytest.approx(gain, abs=0.01)
    assert only(table, "C7", question="beyond", **unit)["verdict"] == "supported"
    allowed = only(table, "C7", question="allowed", **unit)  # described
    assert allowed["effect"] == pytest.approx(gain, abs=0.02)
    assert pd.isna(allowed["verdict"])
    assert row["p"] == pytest.approx(min(1, 2 * row["p_unadjusted"]))  # as many tests as data sets


def test_without_affine_units_no_row_changes():
    """Columns that are empty, as in studies of other units, or absent, as in older studies."""
    tuned = tuning(0.1, -0.1)
    older = judged(networks(), NOTHING, regularisation=tuned)
    assert "C7" not in set(older["claim"])
    empty = with_spectrum(networks(), 0.0, architecture="none")
    tuned = with_spectrum(tuned, 0.0, when="_after", architecture="none")
    pd.testing.assert_frame_equal(judged(empty, NOTHING, regularisation=tuned), older)
    affine = judged(with_spectrum(networks(), 0.0), NOTHING, regularisation=tuned)
    others = affine[affine["claim"] != "C7"].reset_index(drop=True)
    pd.testing.assert_frame_equal(others, older)
