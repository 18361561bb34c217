"""The authors' descent."""

import torch

from slowpoints.dynamics.descent import descend


def test_it_equals_adam_of_pytorch_bit_for_bit():
    def residual(states):
        return torch.stack([0.05 * (1 - states[:, 0]), states[:, 1] - states[:, 0] ** 2], dim=1)

    start = torch.tensor([[-1.2, 1], [0.5, -0.5], [0, 0], [2, 2]], dtype=torch.float64)
    before, steps = start.clone(), 300
    lower, upper = torch.tensor([-1.5, 0.5]), torch.tensor([0.625, 3])
    state, _ = descend(residual, start, lower, upper, steps=steps, rate=0.01)
    reference = before.clone().requires_grad_()
    optimiser = torch.optim.Adam([reference], lr=0.01)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = 0.01 if step < 0.4 * steps else 0.001
        optimiser.zero_grad()
        residual(reference).square().sum().backward()
        optimiser.step()
        with torch.no_grad():
            reference.clamp_(lower, upper)
    assert torch.equal(start, before)
    assert torch.equal(state, reference)
    assert (state[:, 0] == 0.625).any()  # some state lies on an upper bound
    assert (state[:, 1] == 0.5).any()  # and some on a lower
    by_default, authors = (descend(residual, start, lower, upper, steps=9, **rate)[0] for rate in ({}, {"rate": 1e-3}))
    assert torch.equal(by_default, authors)
