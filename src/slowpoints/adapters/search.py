"""Slow points of a network that was trained elsewhere, from states that it went through."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from slowpoints.adapters.frames import Frame, Frozen, Module, frozen
from slowpoints.adapters.points import NetworkPoints
from slowpoints.dynamics.search import find_slow_points

States = Tensor | tuple[Tensor, Tensor]
"""`[..., n]`, or an LSTM's hidden and cell states, `[..., H]` each."""


def slow_points_of(
    module: Module,
    states: States,
    inputs: Tensor | None = None,
    *,
    starts: int | None = 300,
    noise: float = 0.0,
    seed: int = 0,
    lower: float | Tensor | None = None,
    upper: float | Tensor | None = None,
    tolerance: float = 1e-8,
    max_iterations: int = 100,
    newton: int = 40,
) -> NetworkPoints:
    """Fixed and slow points of a network under a constant input.

    From each start Newton's method looks for a fixed point, attractor or saddle; from those that have none near, the
    least speed is searched for. The speed is |F(z) - z| in hidden and cell states themselves.

    Args:
        module: `torch.nn.RNN`, `GRU`, `LSTM`, with any number of layers, one of their cells, or any callable: of states
            `[P, n]`, or, where inputs are given, of inputs `[P, N]` and states, to the next states `[P, n]`. A callable
            is run in float64; a module is copied first, and never changed.
        states: that the network went through, `[..., n]` (see `states_of`), or for an LSTM a pair of these.
        inputs: the constant input `[N]`; of `[..., N]` the mean over all but the last axis. None is zero.
        starts: states drawn at random to search from; None takes all, in the order given.
        noise: standard deviation of what is added to each coordinate of a start.
        seed: of both.
        lower: least value of each coordinate, a number or `[n]`; unless said, what the kind of module can reach.
        upper: greatest value, likewise.
        tolerance: projected gradient at which one has vanished.
        max_iterations: Hessians after which the search of least speed stops, and says that it does.
        newton: steps of Newton's method. With 0 each start is followed down its own valley of the speed alone: slower,
            but no slow point is passed by on the way to a fixed point further off.

    Returns:
        A point for each start.

    Raises:
        ValueError: if states or inputs do not fit the module, or there is nothing to start from.
        TypeError: if a callable does not lead from states to states.

    Example:
        >>> rnn = torch.nn.GRU(3, 64)
        >>> states = states_of(rnn, torch.randn(50, 20, 3))
        >>> points = slow_points_of(rnn, states).unique(1e-3)
    """
    constant = None if inputs is None else inputs.detach().reshape(-1, inputs.shape[-1]).mean(0)
    network = frozen(module, constant)
    given = torch.cat(states, dim=-1) if isinstance(states, tuple) else states
    begin = _drawn(_fitting(given, module).reshape(-1, given.shape[-1]), starts, noise, seed)
    network = Frozen(
        network.step,
        network.residual,
        network.lower if lower is None else lower,
        network.upper if upper is None else upper,
    )
    found = find_slow_points(
        network.step,
        begin,
        network.lower,
        network.upper,
        residual=network.residual,
        tolerance=tolerance,
        max_iterations=max_iterations,
        newton=newton,
    )
    return NetworkPoints(
        **vars(found), start=begin, share=torch.full_like(found.speed, 1 / len(begin)), network=network
    )


@torch.no_grad()
def states_of(module: nn.RNNBase | nn.RNNCellBase, inputs: Tensor, initial: Tensor | None = None) -> Tensor:
    """States that a network goes through, those of all its layers, and the cell states of an LSTM, side by side.

    Args:
        module: `torch.nn.RNN`, `GRU`, `LSTM`, or one of their cells; without its dropout.
        inputs: sequences as the module takes them, `[T, B, N]`, or `[B, T, N]` if it is `batch_first`; `[T, N]` is one.
        initial: states before the first frame, `[B, n]`; zero if not given.

    Returns:
        The state after each frame, in float64, n values in place of the N.

    Raises:
        ValueError: if the inputs do not fit the module.
    """
    frame = Frame(module)
    inputs = frame.checked_input(inputs)
    if inputs.dim() not in (2, 3):
        raise ValueError(f"inputs have {inputs.dim()} axes; they must have 3, or 2 for a single sequence")
    batch_first = inputs.dim() == 3 and getattr(module, "batch_first", False)
    sequences = inputs.transpose(0, 1) if batch_first else inputs
    sequences = sequences if inputs.dim() == 3 else sequences[:, None]
    state = inputs.new_zeros(sequences.shape[1], frame.coordinates) if initial is None else initial.to(inputs)
    visited = []
    for frame_inputs in sequences:
        state = frame(frame_inputs, state)
        visited.append(state)
    path = torch.stack(visited)
    if inputs.dim() == 2:
        return path[:, 0]
    return path.transpose(0, 1) if batch_first else path


def _fitting(states: Tensor, module: Module) -> Tensor:
    """The states, in float64.

    Raises:
        ValueError: if there are none, or they are not finite, or not the module's.
    """
    if not states.numel():
        raise ValueError(f"states have the shape {tuple(states.shape)}; there is nothing to start from")
    if not states.isfinite().all():
        raise ValueError("states must be finite")
    if isinstance(module, nn.RNNBase | nn.RNNCellBase):
        frame = Frame(module)
        if states.shape[-1] != frame.coordinates:
            parts = "hidden and cell states" if frame.has_cell_state else "hidden states"
            raise ValueError(
                f"states have {states.shape[-1]} values each; those of the module have {frame.coordinates}, the "
                f"{parts} of all layers (`states_of` gives them)"
            )
        return states.detach().to(next(frame.module.parameters()))
    return states.detach().double()


def _drawn(states: Tensor, starts: int | None, noise: float, seed: int) -> Tensor:
    """States to start from, `[P, n]`, drawn without replacement, with Gaussian noise."""
    generator = torch.Generator().manual_seed(seed)
    if starts is not None and starts < len(states):
        drawn = torch.randperm(len(states), generator=generator)[:starts]
        states = states[drawn.to(states.device)]
    if noise:
        states = states + noise * torch.randn(states.shape, generator=generator, dtype=states.dtype).to(states)
    return states
