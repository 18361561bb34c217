"""Comparisons of groups within strata, against closed forms, SciPy and plain counting."""

import numpy as np
import pytest
from scipy import stats

from slowpoints.analysis.comparisons import change, difference, equivalence, no_gain, no_loss


def groups(*means, n=12, seed=0):
    """A stratum of groups with slightly different means."""
    rng = np.random.default_rng(seed)
    return tuple(mean + rng.normal(0, 0.1, n + side) for side, mean in enumerate(means))


def test_p_of_a_difference_counts_what_was_seen_among_the_permutations():
    """Two groups of 20 without overlap: no permutation is as far, and the least p is 1 of 10,000."""
    found = difference([(np.arange(20.0), 100 + np.arange(20.0))], np.random.default_rng(0))
    assert (found.n, found.effect, found.p) == (40, -100, 1 / 10_000)
    assert found.test == "permutation within strata"


def test_p_of_a_difference_has_its_known_value():
    """Of the 6 ways to share 4 values in pairs, 2 are as far apart as these: p = 1/3, whichever group is the larger."""
    low, high = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    for pair in ((low, high), (high, low)):
        assert difference([pair], np.random.default_rng(0)).p == pytest.approx(1 / 3, abs=0.02)


def test_groups_are_permuted_within_strata_alone():
    """Strata far apart: if mixed, they would hide the difference within them."""
    strata = [groups(shift, shift + 0.5, seed=int(shift)) for shift in (0.0, 50.0)]
    found = difference(strata, np.random.default_rng(0))
    sizes = [len(first) + len(second) for first, second in strata]
    assert found.effect == pytest.approx(np.average([a.mean() - b.mean() for a, b in strata], weights=sizes))
    assert found.p < 0.001
    assert -0.7 < found.low < found.effect < found.high < -0.3


def test_strata_weigh_by_their_size_in_effect_and_interval():
    """1 for 4 networks, 5 for 12; nothing varies within strata, so all resamples are equal."""
    strata = [(np.full(2, 1.0), np.zeros(2)), (np.full(6, 5.0), np.zeros(6))]
    found = difference(strata, np.random.default_rng(0))
    assert (found.effect, found.low, found.high) == (4, pytest.approx(4), pytest.approx(4))


def test_the_interval_of_a_difference_is_the_bootstrap_s():
    pair = groups(0.0, 0.3)
    found = difference([pair], np.random.default_rng(0))
    theirs = stats.bootstrap(
        pair, lambda a, b, axis: a.mean(axis) - b.mean(axis), method="percentile", n_resamples=4000, rng=1
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.01)
    assert difference([pair], np.random.default_rng(0)) == found


def test_equivalence_over_strata_is_least_squares_with_their_own_means():
    """Against the normal equations with White's correction of the third kind, written out."""
    strata = [groups(0.0, 0.02, n=7), groups(3.0, 3.05, n=11, seed=1)]
    found = equivalence(strata, 0.1)
    values = np.concatenate([np.concatenate(pair) for pair in strata])
    first = np.concatenate([np.repeat([1.0, 0.0], [len(a), len(b)]) for a, b in strata])
    stratum = np.repeat([0, 1], [len(a) + len(b) for a, b in strata])
    design = np.column_stack([stratum == 0, stratum == 1, first]).astype(float)
    inverse = np.linalg.inv(design.T @ design)
    slopes = inverse @ design.T @ values
    share = np.einsum("ij,jk,ik->i", design, inverse, design)
    left = (values - design @ slopes) / (1 - share)
    error = np.sqrt((inverse @ (design.T * left**2) @ design @ inverse)[2, 2])
    free = len(values) - 3
    t = stats.t(free)
    expected = max(t.sf((slopes[2] + 0.1) / error), t.sf((0.1 - slopes[2]) / error))
    assert (found.n, found.effect, found.p) == (len(values), pytest.approx(slopes[2]), pytest.approx(expected))
    reach = t.ppf(0.975) * error
    assert (found.low, found.high) == pytest.approx((slopes[2] - reach, slopes[2] + reach))
    assert found.test == "TOST within 0.1, least squares within strata, HC3"


def test_equivalence_in_one_stratum_is_welch_s():
    first, second = groups(0.0, 0.02)
    found = equivalence([(first, second)], 0.1)
    theirs = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high))
    assert (found.n, found.effect) == (25, pytest.approx(first.mean() - second.mean()))
    sides = [(first + 0.1, second, "greater"), (first - 0.1, second, "less")]
    one_sided = [stats.ttest_ind(a, b, equal_var=False, alternative=side).pvalue for a, b, side in sides]
    assert found.p == pytest.approx(max(one_sided))
    assert found.test == "TOST within 0.1, Welch"


def test_samples_that_do_not_vary_say_so():
    """The difference weighs strata by size; variation in a single stratum is enough for an error."""
    still = [(np.ones(2), np.zeros(2)), (np.full(4, 3.0), np.full(4, 5.0))]
    found = equivalence(still, 0.1)
    assert (found.n, found.effect) == (12, pytest.approx((4 * 1 - 8 * 2) / 12))
    assert np.isnan([found.low, found.high, found.p]).all()
    assert found.test == "TOST within 0.1: no sample varies"
    assert np.isfinite(equivalence([still[0], groups(0.0, 0.1)], 0.1).p)


def test_a_change_is_wilcoxon_s_and_its_interval_resamples_within_strata():
    """Strata that differ but do not vary: the interval has no width, and the mean weighs them by size."""
    found = change([np.full(6, 1.0), np.full(2, 5.0)], np.random.default_rng(0))
    assert (found.n, found.effect, found.low, found.high) == (8, 2, pytest.approx(2), pytest.approx(2))
    values = np.random.default_rng(1).normal(0.1, 0.2, 14)
    found = change([values], np.random.default_rng(0))
    assert found.p == pytest.approx(stats.wilcoxon(values).pvalue)
    assert found.test == "Wilcoxon signed-rank"
    error = values.std() / np.sqrt(14)
    bounds = (values.mean() - 1.96 * error, values.mean() + 1.96 * error)
    assert (found.low, found.high) == pytest.approx(bounds, abs=0.3 * error)


def test_no_change_at_all_is_no_evidence():
    found = change([np.zeros(5)], np.random.default_rng(0))
    assert (found.effect, found.p) == (0, 1)
    alone = change([np.array([0.1]), np.array([0.2])], np.random.default_rng(0))
    assert np.isnan([alone.low, alone.high]).all()
    assert alone.test == "Wilcoxon signed-rank, no interval: one network a cell"


def test_no_loss_is_a_one_sided_t_test_against_the_margin():
    values = np.random.default_rng(1).normal(-0.005, 0.02, 14)
    found = no_loss([values], 0.01, np.random.default_rng(0))
    assert found.p == pytest.approx(stats.ttest_1samp(values, -0.01, alternative="greater").pvalue)
    assert found.test == "no loss beyond 0.01, one-sided paired t"
    assert (found.low, found.high) == change([values], np.random.default_rng(0))[2:4]
    still = no_loss([np.full(3, -0.002)], 0.01, np.random.default_rng(0))
    assert still.effect == pytest.approx(-0.002)
    assert np.isnan([still.low, still.high, still.p]).all()
    assert still.test == "no loss beyond 0.01: no change varies"


def test_no_gain_is_no_loss_of_the_opposite():
    values = np.random.default_rng(5).normal(0.002, 0.01, 9)
    found = no_gain([values], 0.01, np.random.default_rng(0))
    assert found.p == pytest.approx(stats.ttest_1samp(values, 0.01, alternative="less").pvalue)
    assert found.effect == pytest.approx(values.mean())
    assert found.low < found.effect < found.high
    assert found.test == "no gain beyond 0.01, one-sided paired t"
