"""Correlations within strata, against SciPy and simulated data of known correlation."""

import numpy as np
import pytest
from scipy import stats

from slowpoints.analysis import correlation
from slowpoints.analysis.correlation import (
    METHODS,
    Classes,
    NetworkCorrelation,
    _ClassScores,
    bootstrap,
    class_correlation,
    missing,
    percentiles,
    permutation_p,
    scores,
)
from slowpoints.core.streams import numpy_generator


def sample(n, slope, seed, shift=0.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return x + shift, slope * x + rng.normal(size=n) + 10 * shift


def over_networks(strata, method, rng):
    """Correlation of networks within strata of one cell each."""
    return NetworkCorrelation([[cell] for cell in strata], method).of(0, rng)


@pytest.mark.parametrize("method", METHODS)
def test_one_stratum_is_the_ordinary_correlation(method):
    x, y = sample(25, 0.6, 0)
    found = over_networks([(x, y)], method, numpy_generator("test"))
    theirs = getattr(stats, f"{method}r")(x, y)
    assert found.r == pytest.approx(theirs.statistic)
    assert found.n == 25
    exact = stats.permutation_test(
        (y,),
        lambda v: getattr(stats, f"{method}r")(x, v).statistic,
        permutation_type="pairings",
        rng=0,
        n_resamples=4999,
    )
    assert found.p == pytest.approx(exact.pvalue, abs=0.015)
    options = {"paired": True, "vectorized": False, "method": "percentile", "n_resamples": 2000, "rng": 0}
    theirs = stats.bootstrap((x, y), lambda a, b: getattr(stats, f"{method}r")(a, b).statistic, **options)
    interval = theirs.confidence_interval
    assert found.low == pytest.approx(interval.low, abs=0.05)
    assert found.high == pytest.approx(interval.high, abs=0.05)


@pytest.mark.parametrize("method", METHODS)
def test_differences_between_strata_count_for_nothing(method):
    """Within each cell y falls with x; over all cells it rises, since they differ."""
    cells = [sample(12, -1.0, seed, shift=5.0 * seed) for seed in range(4)]
    x, y = (np.concatenate(side) for side in zip(*cells, strict=True))
    assert stats.pearsonr(x, y).statistic > 0.9
    found = over_networks(cells, method, numpy_generator("test"))
    assert found.r < -0.4
    assert found.high < 0
    assert found.p < 0.01


def test_strata_weigh_by_ranks_as_shares_of_their_size():
    """Of n networks in order the squares of ranks / (n + 1) sum to n (n - 1) / 12 (n + 1): for 3, 1/8; for 9, 3/5."""
    rising, falling = np.arange(3.0), np.arange(9.0)
    found = over_networks([(rising, rising), (falling, -falling)], "spearman", numpy_generator("weights"))
    assert found.r == pytest.approx((1 / 8 - 3 / 5) / (1 / 8 + 3 / 5))
    assert found.n == 12


@pytest.mark.parametrize("method", METHODS)
def test_p_counts_what_was_seen_among_the_permutations(method):
    """No permutation of 30 networks comes near a perfect order: 1 of 10,000, not 0."""
    x = np.arange(30.0)
    assert permutation_p([(x, x**3)], method, numpy_generator("least")) == 1 / 10_000
    table = Classes(np.tile(x, (3, 1)), np.tile(-(x**3), (3, 1)), np.zeros(3, int))
    found = class_correlation([table], method, numpy_generator("least"))
    assert (found.p, found.n) == (1 / 10_000, 90)


def test_p_is_uniform_where_there_is_nothing():
    ps = [
        permutation_p(
            [sample(6, 0.0, 100 + 2 * seed), sample(9, 0.0, 101 + 2 * seed)], "spearman", numpy_generator(seed)
        )
        for seed in range(100)
    ]
    assert stats.kstest(ps, "uniform").pvalue > 0.01


def test_with_protocols_mixed_two_protocols_cannot_show_that_speed_is_why():
    """Speed and memory depend on the protocol independently: the test is fair within cells, but not when mixed.

    With protocols mixed, it tests whether protocols differ in both, hence the stricter row beside it.
    """
    rejected = {"mixed": 0, "within": 0}
    for seed in range(60):
        rng = np.random.default_rng(seed)
        strata = []
        for _ in range(2):
            effects = rng.normal(size=(2, 2))  # of two protocols on either side
            strata.append([tuple(effect[:, None] + 0.5 * rng.normal(size=(2, 8))) for effect in effects])
        for name, cells in (("mixed", strata), ("within", [[cell] for stratum in strata for cell in stratum])):
            pairs = [tuple(np.concatenate(side) for side in zip(*group, strict=True)) for group in cells]
            rejected[name] += permutation_p(pairs, "spearman", numpy_generator(name, seed)) < 0.05
    assert rejected["within"] <= 8  # 3 expected; more than 8 in 1 % of cases
    assert rejected["mixed"] >= 10


def test_p_of_four_networks_has_its_known_least():
    """Of the 24 orders two are as far from zero as the perfect one: p = 1/12."""
    x = np.arange(4.0)
    assert permutation_p([(x, x)], "spearman", numpy_generator("p")) == pytest.approx(1 / 12, abs=0.01)
    twice = permutation_p([(x, x), (x, x)], "spearman", numpy_generator("p"))
    assert twice == pytest.approx(2 / 24**2, abs=0.0015)  # in two strata: both as seen, or both turned round


def test_values_are_centred_row_by_row():
    rows = scores(np.array([[1.0, 2.0, 6.0], [10.0, 20.0, 60.0]]), "pearson")
    np.testing.assert_allclose(rows, [[-2, -1, 3], [-20, -10, 30]])


def test_p_is_of_the_predictor_that_is_asked_for():
    """The first predicts memory, the second does not; and p of ranks differs from p of values."""
    rng = np.random.default_rng(0)
    memory, rival = rng.normal(size=(2, 12))
    found = NetworkCorrelation([[(memory + 0.01 * rival, rival, memory)]], "spearman")
    assert found.of(0, numpy_generator("first")).p < 0.001
    assert found.of(1, numpy_generator("second")).p > 0.2
    x = 10 ** np.arange(5.0)
    ranked, plain = (NetworkCorrelation([[(x, x)]], method).of(0, numpy_generator("p")).p for method in METHODS)
    assert ranked == pytest.approx(2 / 120, abs=0.005)  # as seen, and turned round
    assert plain == pytest.approx(1 / 120, abs=0.004)  # turned round it is not as far


def test_intervals_cover_the_truth():
    """95 % intervals of the correlation of 40 networks in two cells: about 95 of 100 contain 0.5."""
    covered = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        cells = []
        for _ in range(2):
            x, e = rng.normal(size=(2, 40))
            cells.append((x, 0.5 * x + np.sqrt(0.75) * e))
        found = over_networks(cells, "pearson", rng)
        covered += found.low <= 0.5 <= found.high
    assert 85 <= covered <= 100


def test_too_few_networks_have_no_correlation():
    found = over_networks([sample(2, 1.0, 0)], "spearman", numpy_generator("test"))
    assert found.n == 0
    assert np.isnan(found.r)


@pytest.mark.parametrize(("n", "why"), [(2, "too few networks"), (3, "nothing to rank: one side does not vary")])
def test_why_there_is_no_correlation_is_said(n, why):
    assert missing(n) == why


def test_values_that_do_not_vary_have_no_correlation():
    found = over_networks([(np.ones(5), np.arange(5.0))], "pearson", numpy_generator("test"))
    assert np.isnan(found.r)
    assert np.isnan(found.p)


def test_the_interval_is_the_middle_95_percent_of_what_is_a_number():
    assert percentiles(np.append(np.arange(1001.0), np.nan)) == pytest.approx((25, 975))
    assert np.isnan(percentiles(np.array([np.nan]))).all()


def test_two_of_a_kind_are_resampled_as_often_as_said():
    resamples = []

    def mean(values, axis=-1):
        resamples.append(len(values))
        return values.mean(axis)

    assert bootstrap([np.array([1.0, 3.0])], mean, numpy_generator("test")) == (1, 3)
    assert correlation.RESAMPLES in resamples


def test_bootstrap_of_a_mean_equals_scipy():
    values = np.random.default_rng(0).normal(size=50)
    low, high = bootstrap([values], lambda v, axis=-1: v.mean(axis), numpy_generator("test"))
    standard = values.std() / np.sqrt(50)
    assert (low, high) == pytest.approx((values.mean() - 1.96 * standard, values.mean() + 1.96 * standard), abs=0.05)


def two_cells(shift, rho, rng, n=10):
    """A stratum of two cells that differ in both measures: x, a rival that is x with noise, and y."""
    cells = []
    for place in (0, shift):
        x, e, f = rng.normal(size=(3, n))
        cells.append((x + place, x + f + place, rho * x + np.sqrt(1 - rho**2) * e + place))
    return cells


def test_with_cells_mixed_their_differences_count():
    cells = two_cells(4.0, 0.0, np.random.default_rng(0))
    mixed = NetworkCorrelation([cells], "spearman").of(0, numpy_generator("mixed"))
    x, _, y = (np.concatenate(side) for side in zip(*cells, strict=True))
    assert mixed.r == pytest.approx(stats.spearmanr(x, y).statistic)
    assert mixed.r > 0.5
    assert mixed.p < 0.01
    within = NetworkCorrelation([[cell] for cell in cells], "spearman").of(0, numpy_generator("within"))
    assert abs(within.r) < 0.5


def test_a_cell_of_one_network_counts_once():
    """In a resample as in the table: two cells, one of which cannot be resampled."""
    x = np.arange(6.0)
    found = NetworkCorrelation([[(x, x), (np.array([9.0]), np.array([-9.0]))]], "pearson")
    assert found.of(0, numpy_generator("one")).n == 7
    assert found._r(0, [np.arange(6), np.array([0, 0])]) == pytest.approx(found._r(0, [np.arange(6), np.array([0])]))


def test_the_better_predictor_is_told_from_the_worse():
    rng = np.random.default_rng(1)
    strata = [two_cells(0.0, -0.8, rng, n=30) for _ in range(2)]
    found = NetworkCorrelation(strata, "spearman")
    first, second = (found.of(predictor, numpy_generator("one")).r for predictor in (0, 1))
    better, low, high = found.difference(0, 1, (-1, -1), numpy_generator("difference"))
    assert better == pytest.approx(second - first)
    assert 0 < low < better < high
    opposed, _, _ = found.difference(0, 1, (1, -1), numpy_generator("signs"))
    assert opposed == pytest.approx(first + second)
    same, low, high = found.difference(0, 0, (-1, -1), numpy_generator("same"))
    assert same == low == high == 0  # of the same resamples


def test_differences_between_predictors_are_covered():
    """x and a rival of known correlations, 0.6 and 0.6 / sqrt(2): 95 % intervals contain the difference."""
    covered = 0
    for seed in range(60):
        found = NetworkCorrelation([two_cells(0.0, 0.6, np.random.default_rng(seed), n=40)], "pearson")
        _, low, high = found.difference(0, 1, (1, 1), numpy_generator("coverage", seed))
        covered += low <= 0.6 - 0.6 / np.sqrt(2) <= high
    assert covered >= 51  # of which a share of 0.95 is below in 1 % of cases


def classes(networks, shared, rng, slope=0.0, n_classes=10, cells=2):
    """Networks of one data set: a part of each class shared by all networks, an individual part, and memory."""
    of_class, own = rng.normal(size=(2, 2, networks, n_classes))
    of_class[:] = of_class[:, :1]
    x, e = np.sqrt(shared) * of_class + np.sqrt(1 - shared) * own
    return Classes(x, slope * x + np.sqrt(1 - slope**2) * e, np.arange(networks) % cells)


def test_class_correlation_is_the_ordinary_one_within_each_network():
    table = classes(1, 0.0, np.random.default_rng(0), slope=0.5, cells=1)
    for method in METHODS:
        found = class_correlation([table], method, numpy_generator("class"))
        expected = getattr(stats, f"{method}r")(table.predictor[0], table.memory[0])
        assert found.r == pytest.approx(expected.statistic)
        assert found.p == pytest.approx(expected.pvalue, abs=0.05)
        assert found.n == 10


@pytest.mark.parametrize("shared", [0.0, 0.5, 1.0])
def test_a_true_null_over_classes_is_rejected_as_often_as_it_says(shared):
    """Memory and predictor both depend on the class, but not on one another. Permuted network by network, the test
    rejected half of such nulls: networks are no independent draws of what a class is like.
    """
    ps = []
    for seed in range(150):
        tables = [classes(12, shared, np.random.default_rng([seed, part])) for part in range(2)]
        ps.append(class_correlation(tables, "spearman", numpy_generator("size", seed)).p)
    assert sum(p < 0.05 for p in ps) <= 15  # 0.05 of 150 is 7.5; more than 15 in 1 % of cases
    assert stats.kstest(ps, "uniform").pvalue > 0.001


@pytest.mark.parametrize("shared", [0.0, 0.8])
def test_intervals_over_classes_cover_the_truth(shared):
    covered = 0
    for seed in range(80):
        tables = [classes(12, shared, np.random.default_rng([seed, part]), slope=0.5) for part in range(2)]
        found = class_correlation(tables, "pearson", numpy_generator("coverage", seed))
        covered += found.low <= 0.5 <= found.high
    assert covered >= 68  # 85 %: with ten classes a percentile interval is somewhat short


def test_a_correlation_over_classes_is_found():
    found = class_correlation([classes(12, 0.5, np.random.default_rng(0), slope=0.7)], "spearman", numpy_generator("x"))
    assert found.p < 0.01
    assert 0 < found.low < found.r < found.high


def test_classes_that_are_missing_count_on_neither_side():
    table = classes(6, 0.5, np.random.default_rng(0), slope=0.7)
    predictor = table.predictor.copy()
    predictor[0, 3:5] = np.nan
    predictor[1, 2:] = np.nan  # too few are left
    found = class_correlation([Classes(predictor, table.memory, table.cell)], "spearman", numpy_generator("missing"))
    assert found.n == 5 * 10 - 2
    each = [np.isfinite(row) for row in predictor]
    pairs = [(predictor[row, there], table.memory[row, there]) for row, there in enumerate(each) if there.sum() > 2]
    sums = [[stats.rankdata(side) / (len(side) + 1) for side in pair] for pair in pairs]
    xx, yy, xy = (sum(np.cov(x, y, bias=True)[place] * len(x) for x, y in sums) for place in ((0, 0), (1, 1), (0, 1)))
    assert found.r == pytest.approx(xy / np.sqrt(xx * yy))


def test_p_over_classes_has_its_known_value():
    """Two of the 24 orders of 4 classes are as extreme: the observed one and its reverse."""
    rising = np.arange(4.0)[None]
    found = class_correlation([Classes(rising, rising, np.zeros(1, int))], "spearman", np.random.default_rng(0))
    assert found.p == pytest.approx(2 / 24, abs=0.01)


def test_no_networks_have_no_correlation_over_classes():
    empty = np.zeros((0, 10))
    found = class_correlation([Classes(empty, empty, np.zeros(0, int))], "spearman", numpy_generator("none"))
    assert found.n == 0
    assert np.isnan(found.r)
    assert class_correlation([], "spearman", numpy_generator("none")).n == 0


def test_classes_that_are_drawn_twice_count_twice():
    """Moments of weighted classes equal those of repeated classes; a missing class has no weight."""
    x, y = np.random.default_rng(0).normal(size=(2, 2, 4))
    there = np.array([[1, 1, 1, 1], [1, 0, 1, 1]], float)
    weights = np.array([[1, 1, 1, 1], [2, 0, 1, 1], [0, 3, 0, 1], [0, 3, 1, 0]])
    found = _ClassScores(x * there, y * there, there, np.zeros(2, int)).moments(weights)
    for draw, network in np.ndindex(4, 2):
        times = weights[draw] * there[network].astype(int)
        a, b = (np.repeat(side[network], times) for side in (x, y))
        a, b = a - a.mean(), b - b.mean()
        assert found[:, draw, network] == pytest.approx([(a * a).sum(), (b * b).sum(), (a * b).sum()], abs=1e-12)
