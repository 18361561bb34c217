"""Correlations within strata, against SciPy and made-up data of known correlation."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from slowpoints.analysis.correlation import METHODS, bootstrap, class_correlation, network_correlation, permutation_p
from slowpoints.analysis.predictors import correlations
from slowpoints.core.streams import numpy_generator


def sample(n, slope, seed, shift=0.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return x + shift, slope * x + rng.normal(size=n) + 10 * shift


@pytest.mark.parametrize("method", METHODS)
def test_one_stratum_is_the_ordinary_correlation(method):
    x, y = sample(25, 0.6, 0)
    found = network_correlation([(x, y)], method, numpy_generator("test"))
    theirs = getattr(stats, f"{method}r")(x, y)
    assert found["r"] == pytest.approx(theirs.statistic)
    assert found["n"] == 25
    exact = stats.permutation_test(
        (y,),
        lambda v: getattr(stats, f"{method}r")(x, v).statistic,
        permutation_type="pairings",
        rng=0,
        n_resamples=4999,
    )
    assert found["p"] == pytest.approx(exact.pvalue, abs=0.015)
    options = {"paired": True, "vectorized": False, "method": "percentile", "n_resamples": 2000, "rng": 0}
    theirs = stats.bootstrap((x, y), lambda a, b: getattr(stats, f"{method}r")(a, b).statistic, **options)
    interval = theirs.confidence_interval
    assert found["low"] == pytest.approx(interval.low, abs=0.05)
    assert found["high"] == pytest.approx(interval.high, abs=0.05)


@pytest.mark.parametrize("method", METHODS)
def test_differences_between_strata_count_for_nothing(method):
    """Within each cell y falls with x; over all it rises, as the cells stand apart."""
    cells = [sample(12, -1.0, seed, shift=5.0 * seed) for seed in range(4)]
    x, y = (np.concatenate(side) for side in zip(*cells, strict=True))
    assert stats.pearsonr(x, y).statistic > 0.9
    found = network_correlation(cells, method, numpy_generator("test"))
    assert found["r"] < -0.4
    assert found["high"] < 0
    assert found["p"] < 0.01


def test_p_is_uniform_where_there_is_nothing():
    ps = [
        permutation_p(
            [sample(6, 0.0, 100 + 2 * seed), sample(9, 0.0, 101 + 2 * seed)], "spearman", numpy_generator(seed)
        )
        for seed in range(100)
    ]
    assert stats.kstest(ps, "uniform").pvalue > 0.01


def test_p_of_four_networks_has_its_known_least():
    """Of the 24 orders two are as far from zero as the perfect one: p = 1/12."""
    x = np.arange(4.0)
    assert permutation_p([(x, x)], "spearman", numpy_generator("p")) == pytest.approx(1 / 12, abs=0.01)


def test_intervals_cover_the_truth():
    """95 % intervals of the correlation of 40 networks in two cells: about 95 of 100 hold 0.5."""
    covered = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        cells = []
        for _ in range(2):
            x, e = rng.normal(size=(2, 40))
            cells.append((x, 0.5 * x + np.sqrt(0.75) * e))
        found = network_correlation(cells, "pearson", rng)
        covered += found["low"] <= 0.5 <= found["high"]
    assert 85 <= covered <= 100


def test_too_few_networks_have_no_correlation():
    found = network_correlation([sample(2, 1.0, 0)], "spearman", numpy_generator("test"))
    assert found["n"] == 0
    assert np.isnan(found["r"])


def test_values_that_do_not_vary_have_no_correlation():
    found = network_correlation([(np.ones(5), np.arange(5.0))], "pearson", numpy_generator("test"))
    assert np.isnan(found["r"])
    assert np.isnan(found["p"])


def test_bootstrap_of_a_mean_equals_scipy():
    values = np.random.default_rng(0).normal(size=50)
    low, high = bootstrap([values], lambda v, axis=-1: v.mean(axis), numpy_generator("test"))
    standard = values.std() / np.sqrt(50)
    assert (low, high) == pytest.approx((values.mean() - 1.96 * standard, values.mean() + 1.96 * standard), abs=0.05)


def test_class_correlation_resamples_networks():
    """Ten networks whose classes correlate perfectly, each its own way up or down: the interval spans both."""
    x = np.arange(10.0)
    found = class_correlation([[(x, x if seed % 2 else -x) for seed in range(10)]], "spearman", numpy_generator("test"))
    assert found["n"] == 100
    assert found["r"] == pytest.approx(0, abs=1e-12)
    assert found["low"] < -0.3
    assert found["high"] > 0.3


SPEEDS = ("speed", "centre_speed", "speed_1000", "deep_speed")


def grid(seeds=6, slope=-1.0):
    """Tables of a made-up grid in which memory falls with log speed, network by network."""
    rng = np.random.default_rng(0)
    networks, points, extrapolation = [], [], []
    for dataset in ("a", "b"):
        for protocol in ("vocu", "decu"):
            for seed in range(seeds):
                cell = {"dataset": dataset, "architecture": "gru", "protocol": protocol, "seed": seed}
                speed = rng.normal(-2, 0.3)
                memory = 0.5 + 0.2 * slope * (speed + 2) + rng.normal(0, 0.02)
                networks.append(cell | {"memory_score": memory, "learned": seed < seeds - 1})
                for label in range(3):
                    own = dict.fromkeys(
                        ("speed", "centre_speed", "speed_1000", "deep_speed"), 10 ** (speed + 0.05 * label)
                    )
                    points.append(
                        cell | {"label": label, "leading": 1.0, "n_unstable": label, "lifetime": 10.0 * label} | own
                    )
                    for delay in (19, 20, 100):
                        correct = int(100 * np.clip(memory + 0.1 * label, 0, 1))
                        extrapolation.append(
                            cell | {"label": label, "delay": delay, "n_trials": 100, "n_correct": correct}
                        )
    return pd.DataFrame(networks), pd.DataFrame(extrapolation), pd.DataFrame(points)


def test_the_table_has_every_pooling_predictor_and_method():
    table = correlations(*grid())
    pooled = table[table["dataset"].isna() & table["architecture"].isna() & table["protocol"].isna()]
    assert len(pooled) == 2 * 7 * 2  # levels, predictors, methods
    cells = table.dropna(subset=["dataset", "architecture", "protocol"])
    assert len(cells) == 4 * 28
    assert not table.duplicated(["dataset", "architecture", "protocol", "level", "predictor", "method"]).any()
    speed = pooled.query("level == 'network' and predictor == 'log10_speed' and method == 'spearman'").iloc[0]
    assert speed["r"] < -0.8
    assert speed["n"] == 4 * 5  # the network that did not learn is left out of each cell
    within = pooled.query("level == 'class' and predictor == 'log10_lifetime' and method == 'spearman'").iloc[0]
    assert within["r"] == pytest.approx(1)
    assert np.isnan(pooled.query("level == 'network' and predictor == 'leading'")["r"]).all()
