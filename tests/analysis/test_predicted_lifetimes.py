"""Predicted half-lives beside those measured: on curves whose half-life is known in closed form."""

import numpy as np
import pandas as pd
import pytest

from slowpoints.analysis.predicted_lifetimes import NOISE_FREE, NOISY, prediction_errors

DELAYS = np.array([19, 20, 50, 100, 200, 500, 1000])
TRIALS = 10**6
CELL = {"dataset": "a", "architecture": "gru", "protocol": "vocu"}


def study(factors, lives=None, learned=True):
    """Tables of networks x ten classes, whose accuracy falls linearly in log delay, half-way to 0.1 at its half-life.

    Args:
        factors: `[networks, classes]`, by which the prediction differs from the half-life.
        lives: half-lives, of the same shape.
    """
    factors = np.asarray(factors, float)
    lives = np.broadcast_to(200.0 if lives is None else lives, factors.shape)
    networks, extrapolation, points = [], [], []
    for seed, (of_network, of_lives) in enumerate(zip(factors, lives, strict=True)):
        networks.append(CELL | {"seed": seed, "learned": learned})
        for label, (factor, life) in enumerate(zip(of_network, of_lives, strict=True)):
            memory = CELL | {"seed": seed, "label": label}
            share = np.log(DELAYS / 19) / np.log(life / 19)
            right = np.clip(1 - 0.45 * share, 0, 1)
            counts = {"n_trials": TRIALS}
            extrapolation += [
                memory | counts | {"delay": delay, "n_correct": round(value * TRIALS)}
                for delay, value in zip(DELAYS, right, strict=True)
            ]
            points.append(memory | {NOISY: factor * life, NOISE_FREE: 2 * life - 14})
    return pd.DataFrame(networks), pd.DataFrame(extrapolation), pd.DataFrame(points)


def test_factor_and_ratio_are_those_that_the_curves_were_made_with():
    """One memory is predicted too short by as much as another is too long; without noise all are twice too long."""
    factors = np.ones((3, 10))
    factors[:, :4], factors[:, 4:7] = 1.3, 1 / 1.2
    noisy, free = prediction_errors(*study(factors)).to_dict("records")
    assert (noisy["prediction"], noisy["n"]) == (NOISY, 30)
    assert noisy["factor"] == pytest.approx(1.2, rel=1e-4)
    assert noisy["ratio"] == pytest.approx(1, rel=1e-4)
    assert (noisy["factor_low"], noisy["factor_high"]) == (pytest.approx(1.2, rel=1e-4), pytest.approx(1.2, rel=1e-4))
    assert (free["prediction"], free["factor"], free["ratio"]) == (NOISE_FREE, *[pytest.approx(2, rel=1e-4)] * 2)


def test_memories_that_outlast_the_delays_or_are_predicted_beyond_them():
    lives = np.full((2, 10), 200.0)
    lives[0, 0] = 5000.0
    factors = np.ones((2, 10))
    factors[1] = 50.0  # beyond the longest delay, which is five half-lives
    noisy, _ = prediction_errors(*study(factors, lives)).to_dict("records")
    assert noisy["n"] == 19
    assert noisy["factor"] == pytest.approx(5, rel=1e-4)


def test_networks_that_did_not_learn_and_studies_without_predictions_have_no_rows():
    networks, extrapolation, points = study(np.ones((2, 10)))
    assert prediction_errors(networks.assign(learned=False), extrapolation, points).empty
    assert prediction_errors(networks, extrapolation, points.drop(columns=NOISY)).empty
    assert prediction_errors(networks, extrapolation, points.assign(**{NOISY: np.nan})).empty
    networks.loc[1, "learned"] = False
    assert prediction_errors(networks, extrapolation, points)["n"].tolist() == [10, 10]


def test_intervals_hold_the_median_of_networks_whose_memories_err_alike():
    """Log errors with a part of their own for each network: of 100 simulated studies, about 95 hold 1.3."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(100):
        errors = np.log(1.3) + rng.normal(0, 0.05, (12, 1)) + rng.normal(0, 0.02, (12, 10))
        noisy = prediction_errors(*study(np.exp(errors))).iloc[0]
        held += noisy["factor_low"] <= 1.3 <= noisy["factor_high"]
    assert 85 <= held < 100
