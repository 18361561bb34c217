"""Wilson's interval against statsmodels', and against its definition."""

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from slowpoints.core.intervals import wilson


def test_it_is_statsmodels_s():
    trials = np.array([1, 2, 10, 37, 400, 10**6])[:, None]
    successes = np.minimum(np.array([0, 1, 2, 9, 36, 399, 10**6]), trials)
    for ours, theirs in zip(
        wilson(successes, trials), proportion_confint(successes, trials, method="wilson"), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(("successes", "trials"), [(8, 10), (1, 400)])
def test_its_ends_are_shares_of_which_the_count_is_two_sided_95_percent(successes, trials):
    """The ends solve (share - p)^2 = z^2 p (1 - p) / n."""
    for end in wilson(successes, trials):
        assert (successes / trials - end) ** 2 == pytest.approx(1.959964**2 * end * (1 - end) / trials, rel=1e-6)


def test_none_and_all_have_ends_at_0_and_1():
    low, high = wilson([0, 10], [10, 10])
    assert (low[0], high[1]) == pytest.approx((0, 1), abs=1e-15)
    assert low.min() >= 0
    assert high.max() <= 1
    assert low[1] == pytest.approx(1 - high[0])
