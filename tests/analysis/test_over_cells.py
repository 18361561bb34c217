"""Cells as a sample: against formulas computed here, and against simulations with a known answer."""

import subprocess
import sys

import numpy as np
import pytest
from places import ROOT
from scipy import optimize, stats

from slowpoints.analysis.over_cells import correlation_over_cells, mean_over_cells, over_cells


def random_effects(effects, variances):
    """Mean, its error and the variance between cells: Paule & Mandel's equation solved, Hartung & Knapp's error."""
    k = len(effects)

    def weighted(tau2):
        weights = 1 / (variances + tau2)
        mean = (weights * effects).sum() / weights.sum()
        return weights, mean, (weights * (effects - mean) ** 2).sum()

    q = weighted(0.0)[2]
    tau2 = optimize.brentq(lambda tau2: weighted(tau2)[2] - (k - 1), 0, 100) if q > k - 1 else 0.0
    weights, mean, scatter = weighted(tau2)
    error = np.sqrt(max(scatter / (k - 1), 1) / weights.sum())
    return mean, error, tau2, q


@pytest.mark.parametrize("scatter", [0.3, 0.01])
def test_the_statistics_are_those_of_their_formulas(scatter):
    """For cells that differ, and for cells that differ no more than their errors."""
    rng = np.random.default_rng(1)
    effects, variances = rng.normal(0.2, scatter, 6), rng.uniform(0.001, 0.01, 6)
    mean, error, tau2, q = random_effects(effects, variances)
    assert (tau2 > 0) == (scatter == 0.3)
    found = over_cells(effects, variances, effects > 0)
    half, wider = stats.t.ppf(0.975, 5) * error, stats.t.ppf(0.975, 4) * np.hypot(error, np.sqrt(tau2))
    assert found[:2] == (6, (effects > 0).sum())
    expected = (mean, mean - half, mean + half, mean - wider, mean + wider, q, max(0, 1 - 5 / q))
    np.testing.assert_allclose(found[2:], expected, rtol=1e-4, atol=1e-6)


def test_two_equal_cells_by_hand():
    """Effects 1 and 3 with variance 1: Q = 2, tau² solves 2 / (1 + tau²) = 1, so tau² = 1 and the error is 1."""
    found = over_cells(np.array([1.0, 3.0]), np.ones(2), np.array([True, False]))
    half = 12.7062  # t of 1 degree of freedom
    np.testing.assert_allclose(found[:5], (2, 1, 2, 2 - half, 2 + half), rtol=1e-4)
    assert found.q == pytest.approx(2)
    assert found.i2 == pytest.approx(0.5)
    assert np.isnan([found.prediction_low, found.prediction_high]).all()


def test_cells_alike_do_not_scatter_and_are_no_more_certain_than_their_networks():
    found = over_cells(np.full(4, 0.5), np.full(4, 0.04), np.ones(4, bool))
    assert (found.q, found.i2) == (pytest.approx(0, abs=1e-12), 0)
    assert found.cells_high - found.cells_effect == pytest.approx(stats.t.ppf(0.975, 3) * 0.1)


def test_a_cell_without_an_error_counts_but_is_not_combined():
    samples = [np.array([0.1, 0.3]), np.array([0.9]), np.array([0.2, 0.2]), np.array([0.3, 0.5])]
    found = mean_over_cells(samples, np.ones(4, bool))
    assert found[:2] == (4, 4)
    np.testing.assert_allclose(found.cells_effect, 0.3)
    alone = mean_over_cells(samples[:3], np.ones(3, bool))
    assert alone.n_cells == 3
    assert np.isnan(alone[2:]).all()


def test_correlations_are_combined_as_fisher_s_z():
    r, n = np.array([-0.8, -0.2, 0.1, -0.5]), np.array([20.0, 20, 18, 4])
    mean, error, tau2, q = random_effects(np.arctanh(r), 1.06 / (n - 3))
    found = correlation_over_cells(r, n, r < 0)
    half, wider = stats.t.ppf(0.975, 3) * error, stats.t.ppf(0.975, 2) * np.hypot(error, np.sqrt(tau2))
    expected = np.tanh([mean, mean - half, mean + half, mean - wider, mean + wider])
    assert found[:2] == (4, 3)
    np.testing.assert_allclose(found[2:7], expected, rtol=1e-3)
    assert found.q == pytest.approx(q)
    for cell in (-1.0, -0.9):  # perfect; over too few networks
        more = correlation_over_cells(
            np.append(r, cell), np.append(n, 3.0 if cell > -1 else 20.0), np.append(r < 0, True)
        )
        assert more[:2] == (5, 4)
        np.testing.assert_allclose(more[2:], found[2:])


def coverage(cells, scatter, networks=12, repeats=250):
    """How often the intervals contain the true mean, and a further cell."""
    rng = np.random.default_rng(0)
    mean = further = 0
    for _ in range(repeats):
        samples = [rng.normal(effect, 0.08, networks) for effect in rng.normal(0.1, scatter, cells)]
        found = mean_over_cells(samples, np.ones(cells, bool))
        mean += found.cells_low < 0.1 < found.cells_high
        further += found.prediction_low < rng.normal(0.1, scatter) < found.prediction_high
    return mean / repeats, further / repeats


@pytest.mark.parametrize("cells", [4, 8])
def test_intervals_hold_what_they_are_of(cells):
    for share in coverage(cells, 0.06):
        assert 0.89 < share < 0.99  # four standard errors about 0.95 reach 0.055


def test_q_of_equal_cells_is_chi_squared():
    rng = np.random.default_rng(3)
    effects = rng.normal(0, 0.1, (400, 6))
    q = [over_cells(each, np.full(6, 0.01), each > 0).q for each in effects]
    assert stats.kstest(q, stats.chi2(5).cdf).pvalue > 0.01


def test_planning_and_telling_wait_for_no_statsmodels():
    code = (
        "import sys, slowpoints.analysis.claims as c, slowpoints.analysis.report, slowpoints.analysis.predictors; "
        "from slowpoints.analysis.claims import judge; c.all_claims(); print(*sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT / "src")
    assert not {name for name in shown.stdout.split() if name.split(".")[0] == "statsmodels"}
