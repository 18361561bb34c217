"""Memory scores and half-lives of known curves."""

import numpy as np
import pytest

from slowpoints.analysis.memory_score import half_life, memory_score, persistence

DELAYS = np.array([4, 10, 19, 20, 50, 100, 1000])


def test_memory_score_of_constant_accuracy_is_that_accuracy():
    np.testing.assert_allclose(memory_score(DELAYS, np.full((3, 7), 0.7)), 0.7)


def test_memory_score_averages_over_log_delay():
    fine = np.union1d(np.round(np.geomspace(20, 1000, 400)), [19, 20])
    falling = 1 - np.log(fine / 20) / np.log(50)  # from 1 at 20 to 0 at 1000, a line in log delay
    np.testing.assert_allclose(memory_score(fine, falling[None]), 0.5, atol=1e-12)
    step = (fine < np.sqrt(20 * 1000)).astype(float)  # all or nothing, half-way in log delay
    np.testing.assert_allclose(memory_score(fine, step[None]), 0.5, atol=0.01)


def test_memory_score_ignores_delays_of_training():
    accuracy = np.where(DELAYS < 20, 0.0, 0.6)
    np.testing.assert_allclose(memory_score(DELAYS, accuracy), 0.6)
    two = np.array([19, 20, 100])
    np.testing.assert_allclose(memory_score(two, np.array([0.0, 1.0, 0.4])), 0.7)


@pytest.mark.parametrize("delays", [[4, 19, 50, 1000], [4, 19, 20]])
def test_memory_score_refuses_delays_without_20_or_nothing_beyond(delays):
    with pytest.raises(ValueError, match="20"):
        memory_score(np.array(delays), np.ones(len(delays)))


def test_half_life_of_an_exponential_memory():
    delays = np.union1d(np.geomspace(4, 1000, 2000), [19])
    accuracy = 0.1 + 0.9 * 0.5 ** ((delays - 19) / 50)  # half of what was there at 19 is gone at 69
    life = half_life(delays, accuracy[None], chance=0.1, trained=19)
    np.testing.assert_allclose(life, 69, rtol=1e-3)


def test_half_life_is_interpolated_in_log_delay():
    accuracy = np.array([[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.1]])  # from 1 at 100 to 0.1 at 1000: 0.55 half-way
    np.testing.assert_allclose(half_life(DELAYS, accuracy, chance=0.1, trained=19), np.sqrt(100 * 1000))


def test_half_life_is_where_accuracy_first_comes_down_to_the_level():
    """From 1 to half: exactly at a delay, although accuracy rises again; before the first delay after training."""
    accuracy = np.array([[1, 1, 1, 0.9, 0.5, 0.9, 0.9], [1, 1, 1, 0, 0, 0, 0]])
    found = half_life(DELAYS, accuracy, chance=0.0, trained=19)
    np.testing.assert_allclose(found, [50, np.sqrt(19 * 20)])


def test_half_life_is_missing_where_memory_never_fades():
    assert np.isnan(half_life(DELAYS, np.ones((1, 7)), chance=0.1, trained=19)).all()
    assert np.isnan(half_life(DELAYS, np.full((1, 7), 0.1), chance=0.1, trained=19)).all()  # nor was there any


def test_half_life_refuses_a_trained_delay_it_was_not_given():
    with pytest.raises(ValueError, match="delay 18 is not among"):
        half_life(DELAYS, np.ones((1, 7)), chance=0.1, trained=18)


def test_persistence_is_memory_relative_to_what_was_learned():
    accuracy = np.array([[0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8], [0.9, 0.9, 0.5, 0.4, 0.4, 0.4, 0.4], [0.0] * 7])
    accuracy = np.vstack([accuracy, [0, 0, 0, 0.1, 0.1, 0.1, 0.1]])  # right later by chance alone
    found = persistence(DELAYS, accuracy, trained=19)
    np.testing.assert_allclose(found, [1.0, 0.8, np.nan, np.nan])
    with pytest.raises(ValueError, match="21"):
        persistence(DELAYS, accuracy, trained=21)
