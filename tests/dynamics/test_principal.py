"""Principal components of clouds whose axes are known."""

import numpy as np
import pytest
import torch

from slowpoints.dynamics.principal import principal_components


def test_axes_and_shares_of_a_known_cloud():
    generator, spread = torch.Generator().manual_seed(0), torch.tensor([5.0, 1.0, 3.0, 0.1])
    states = torch.randn(5000, 4, generator=generator, dtype=torch.float64) * spread + 2
    mean, axes, shares = principal_components(states, 3)
    np.testing.assert_allclose(mean, 2, atol=0.3)
    np.testing.assert_allclose(axes, np.eye(4)[[0, 2, 1]].T, atol=0.06)
    np.testing.assert_allclose(shares, np.array([25, 9, 1]) / 35.01, atol=0.02)


@pytest.mark.parametrize(("points", "coordinates"), [(50, 1), (50, 2), (2, 5)])
def test_few_states_or_coordinates_have_no_more_axes(points, coordinates):
    states = torch.randn(points, coordinates, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    mean, axes, shares = principal_components(states, 3)
    rank = min(points, coordinates)
    placed = (states - mean) @ axes
    assert placed.shape == (points, 3)
    assert (placed[:, rank:] == 0).all()
    assert (shares[rank:] == 0).all()
    np.testing.assert_allclose(shares.sum(), 1)
    np.testing.assert_allclose(placed.norm(dim=1), (states - mean).norm(dim=1))
