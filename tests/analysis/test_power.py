"""The number of networks that would decide a claim, against statsmodels' power of z tests and Fisher's z."""

import math

import numpy as np
import pytest
from statsmodels.stats.power import NormalIndPower

from slowpoints.analysis.claims.rows import Row, Subject
from slowpoints.analysis.comparisons import Effect
from slowpoints.analysis.power import networks_needed

Z = 1.959964


def row(effect, low, high, claimed="either", margin=0.0, n=12):
    return Row(Subject("C4", "gain", "memory_score"), Effect(n, effect, low, high, "a test", 0.2), claimed, 0, margin)


def mean(effect, spread, n):
    """Mean of n changes with its interval."""
    half_width = Z * spread / math.sqrt(n)
    return effect, effect - half_width, effect + half_width


@pytest.mark.parametrize("effect", [0.5, -0.5, 0.2])
def test_a_mean_needs_as_many_as_a_z_test(effect):
    needed = networks_needed(row(*mean(effect, 1.0, 12)))
    expected = NormalIndPower(ddof=0).solve_power(abs(effect), alpha=0.05, power=0.8, ratio=0)
    assert needed == math.ceil(expected)


@pytest.mark.parametrize(
    ("effect", "claimed", "distance"),
    [
        (0.01, "none", 0.02),
        (-0.01, "none", 0.02),
        (0.05, "none", 0.02),
        (0.01, "no loss", 0.04),
        (-0.01, "no loss", 0.02),
        (0.01, "no gain", 0.02),
    ],
)
def test_the_distance_is_to_the_bound_that_the_claim_names(effect, claimed, distance):
    needed = networks_needed(row(*mean(effect, 0.2, 12), claimed=claimed, margin=0.03))
    expected = NormalIndPower(ddof=0).solve_power(distance / 0.2, alpha=0.05, power=0.8, ratio=0)
    assert needed == math.ceil(expected)


def test_a_correlation_needs_as_many_as_by_fisher_s_z():
    rho, n = -0.3, 20
    low, high = (math.tanh(math.atanh(rho) + side * Z / math.sqrt(n - 3)) for side in (-1, 1))
    fisher = (2.8015852 / math.atanh(rho)) ** 2 + 3
    assert networks_needed(row(rho, low, high, claimed="negative", n=n)) == pytest.approx(fisher, rel=0.2)


def test_as_many_as_said_decide_in_four_of_five_studies():
    rng = np.random.default_rng(0)
    needed = int(networks_needed(row(*mean(0.4, 1.0, 12))))
    means = rng.normal(0.4, 1.0, (4000, needed)).mean(1)
    assert np.mean(np.abs(means) > Z / math.sqrt(needed)) == pytest.approx(0.8, abs=0.03)


def test_none_where_the_interval_is_narrow_enough():
    """Such as for a row that is inconclusive only because p is adjusted."""
    assert math.isnan(networks_needed(row(0.5, 0.3, 0.7)))


def test_without_an_interval_or_on_the_bound_no_number_is_made_up():
    assert math.isnan(networks_needed(row(0.5, math.nan, math.nan)))
    assert math.isnan(networks_needed(row(0.5, 0.1, 0.9, claimed=None)))
    assert math.isinf(networks_needed(row(0.0, -0.1, 0.1)))
