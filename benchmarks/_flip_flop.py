"""Networks of PyTorch trained on the 3-bit flip-flop, for benchmarks and tests."""

import torch
from torch import nn

from slowpoints import flip_flop_trials

FRAMES, TRIALS, PULSES, RATE = 40, 64, 0.1, 3e-3


def trained(
    kind: str, hidden: int, steps: int, *, frames: int = FRAMES, rate: float = PULSES, seed: int = 0
) -> tuple[nn.RNNBase, float]:
    """A network and the squared error of its last batch; 4,000 steps of 64 units take half a minute of one core.

    Args:
        kind: of the module in `torch.nn`: RNN, GRU or LSTM.
        hidden: units.
        steps: batches.
        frames: of a trial.
        rate: of pulses, per frame and channel.
        seed: of weights and trials.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = getattr(nn, kind)(3, hidden)
        readout = nn.Linear(hidden, 3)
    weights = [*network.parameters(), *readout.parameters()]
    optimiser = torch.optim.Adam(weights, lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    for step in range(steps):
        inputs, targets = flip_flop_trials(TRIALS, frames, rate=rate, seed=seed * steps + step)
        loss = (readout(network(inputs)[0]) - targets).square().mean()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimiser.step()
        schedule.step()
    return network, loss.item()
