"""Our Adam against PyTorch's, bit for bit, and what it does not import."""

import subprocess
import sys

import pytest
import torch

from slowpoints.core.adam import CpuAdam


@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_step_is_pytorch_s(decay, dtype):
    generator = torch.Generator().manual_seed(0)
    ours, theirs = (
        [
            torch.randn(shape, dtype=dtype, generator=generator.manual_seed(1)).requires_grad_()
            for shape in ((3, 7), (5,), ())
        ]
        for _ in range(2)
    )
    adam = CpuAdam(ours, decay)
    peer = torch.optim.Adam(theirs, weight_decay=decay, decoupled_weight_decay=decay > 0, foreach=False)
    for step in range(40):
        adam.param_groups[0]["lr"] = peer.param_groups[0]["lr"] = 0.1 / (1 + step)
        for weights, optimiser in ((ours, adam), (theirs, peer)):
            optimiser.zero_grad()
            used = weights if step % 3 else weights[:2]  # the third has no gradient
            sum((weight.sin() * (1 + step)).sum() for weight in used).backward()
            optimiser.step()
    for mine, other in zip(ours, theirs, strict=True):
        assert torch.equal(mine, other)
        assert list(adam.state[mine]) == list(peer.state[other])
        assert all(torch.equal(adam.state[mine][key], peer.state[other][key]) for key in adam.state[mine])


def test_training_does_not_wait_for_pytorch_s_compiler():
    script = """
import sys, torch
from slowpoints.core.adam import CpuAdam
weight = torch.ones(3, requires_grad=True)
adam = CpuAdam([weight])
(weight ** 2).sum().backward()
adam.step()
print("torch._dynamo" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
