"""Slow points of a network trained elsewhere, searched from states that it visited."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from slowpoints.adapters.frames import Frame, Module, device_of, frozen, unwrapped
from slowpoints.adapters.points import NetworkPoints
from slowpoints.adapters.states import as_input, as_states, without_layers
from slowpoints.core.arguments import finite, whole_number
from slowpoints.core.arrays import Array, is_list_of_arrays
from slowpoints.core.streams import seeded
from slowpoints.core.torch_modes import usual_modes
from slowpoints.dynamics.region import MAX_DISTANCE
from slowpoints.dynamics.residual import bounds_like, clamp_start
from slowpoints.dynamics.search import find_slow_points


@usual_modes()
def slow_points_of(
    module: Module,
    states: Array,
    inputs: Array | None = None,
    *,
    starts: int | None = 300,
    noise: float = 0.0,
    seed: int = 0,
    lower: float | Tensor | None = None,
    upper: float | Tensor | None = None,
    tolerance: float = 1e-8,
    max_iterations: int = 100,
    newton: int = 40,
    merge: float = 0.02,
) -> NetworkPoints:
    """Fixed and slow points of a network under a constant input.

    From each start Newton's method looks for a fixed point, attractor or saddle; where it finds none nearby, the speed
    |F(z) - z|, in hidden and cell states themselves, is minimised. No search goes further from its start than ten times
    (1 + the length of that state).

    Args:
        module: `torch.nn.RNN`, `GRU` or `LSTM` with any number of layers, one of their cells, or any callable: from
            states `[P, n]`, or with `inputs` from inputs `[P, N]` and states, to the next states `[P, n]`. A callable
            runs in float64; a module is copied first, and never changed. Wrappers of `torch.compile` or `DataParallel`
            are removed.
        states: that the network visited, `[..., n]` (see `states_of`), or for an LSTM a pair of hidden and cell states,
            also `[L, B, H]` as PyTorch returns them.
        inputs: the constant input `[N]`. None means zero, or, for a callable, none at all.
        starts: number of states drawn at random to search from; None takes all, in their order.
        noise: standard deviation of Gaussian noise added to each coordinate of a start.
        seed: of both.
        lower: least value of each coordinate, a number or `[n]`; by default what the module can reach. States beyond
            are clamped, with a warning.
        upper: greatest value of each coordinate, likewise.
        tolerance: projected gradient below which a point counts as stationary.
        max_iterations: maximum number of Hessians in the minimisation of the speed.
        newton: maximum number of steps of Newton's method. With 0 the speed is minimised from every start: slower, but
            no slow point is passed on the way to a more distant fixed point.
        merge: distance, relative to 1 + |z|, within which two searches become one unless a barrier of the speed
            separates them; `searched` of the result says which. All first descend by L-BFGS, which brings those of a
            valley together. With 0 each start is searched on its own: several times slower where there are no fixed
            points nearby.

    Returns:
        A point for each start.

    Raises:
        ValueError: if states, inputs or settings are invalid, or do not fit the module.
        TypeError: if a callable does not lead from states to states, fails, is not deterministic (noise, dropout),
            computes with less than float64, or has other derivatives in PyTorch than those of its values; or if a
            setting is not a number.

    Warns:
        UserWarning: if starts lie beyond the bounds, or derivatives are not finite at some points.

    Example:
        >>> rnn = torch.nn.GRU(3, 64)
        >>> states = states_of(rnn, torch.randn(50, 20, 3))
        >>> points = slow_points_of(rnn, states).unique(1e-3)
    """
    starts = None if starts is None else whole_number(starts, "starts", least=1)
    noise = finite(noise, "noise", least=0)
    generator = seeded(seed)
    module = unwrapped(module)
    frame = Frame(module) if isinstance(module, nn.RNNBase | nn.RNNCellBase) else None
    visited = frame.checked_states(states) if frame is not None else _states_for(module, states)
    start = _drawn(visited.reshape(-1, visited.shape[-1]), starts, generator)
    constant = as_input(inputs, "inputs")
    if constant is not None:
        constant = constant.to(start.device) if frame is None else frame.checked_inputs(constant)
    network = frozen(frame or module, constant)
    low, high = bounds_like(start, network.lower if lower is None else lower, network.upper if upper is None else upper)
    start = _with_noise(clamp_start(start, low, high), noise, generator).clamp(low, high)
    points = find_slow_points(
        network.step,
        start,
        low,
        high,
        residual=network.residual,
        tolerance=tolerance,
        max_iterations=max_iterations,
        newton=newton,
        merge=merge,
        max_distance=MAX_DISTANCE,
    )
    network = network._replace(lower=low[0], upper=high[0])
    share = torch.full_like(points.speed, 1 / len(start))
    return NetworkPoints(**vars(points), start=start, share=share, network=network)


@usual_modes()
@torch.no_grad()
def states_of(
    module: nn.RNNBase | nn.RNNCellBase, inputs: Array, initial: Array | None = None
) -> Tensor | list[Tensor]:
    """States that a network visits: those of all its layers, and the cell states of an LSTM, side by side.

    Args:
        module: `torch.nn.RNN`, `GRU`, `LSTM`, or one of their cells; run without dropout.
        inputs: sequences as the module takes them, `[T, B, N]`, or `[B, T, N]` if it is `batch_first`; `[T, N]` is one.
            A list of `[T, N]` holds one sequence for each trial, as for `torch.nn.utils.rnn.pad_sequence`.
        initial: states before the first frame, `[B, n]`, or `[n]` for all; for an LSTM also a pair, in the forms that
            `slow_points_of` takes; zero by default.

    Returns:
        The state after each frame, time first, `[T, B, n]`, or `[T, n]` for a single sequence, in float64. For trials
        of different lengths a list, `[T, n]` each.

    Raises:
        TypeError: if the module is none of these.
        ValueError: if inputs or initial states do not fit the module.
    """
    frame = Frame(unwrapped(module))
    if is_list_of_arrays(inputs):
        return _states_of_trials(frame, [frame.checked_inputs(trial) for trial in inputs], initial)
    sequences = frame.checked_inputs(inputs)
    axes = sequences.dim()
    if axes not in (2, 3):
        raise ValueError(f"inputs have {axes} axes; they must have 3, or 2 for a single sequence")
    if axes == 2:
        sequences = sequences[:, None]
    elif getattr(frame.module, "batch_first", False):
        sequences = sequences.transpose(0, 1)
    path = _path(frame, sequences, _initial(frame, initial, sequences.shape[1]))
    return path[:, 0] if axes == 2 else path


def _states_of_trials(frame: Frame, trials: list[Tensor], initial: Array | None) -> Tensor | list[Tensor]:
    """States in trials `[T, N]`: `[T, B, n]` if all have the same length, otherwise `[T, n]` for each."""
    if any(trial.dim() != 2 for trial in trials):
        raise ValueError("inputs are a list whose arrays are not all sequences [T, N]; pass batches one by one")
    states = _initial(frame, initial, len(trials))
    if len({len(trial) for trial in trials}) == 1:
        return _path(frame, torch.stack(trials, dim=1), states)
    return [_path(frame, trial[:, None], state[None])[:, 0] for trial, state in zip(trials, states, strict=True)]


def _initial(frame: Frame, initial: Array | None, sequences: int) -> Tensor:
    """The states before the first frame, `[B, n]`."""
    zero = frame.weight.new_zeros(sequences, frame.coordinates)
    state = zero if initial is None else without_layers(frame.checked_states(initial))
    if state.shape not in (zero.shape, zero.shape[1:]):
        raise ValueError(f"initial states have the shape {tuple(state.shape)}; they must have {tuple(zero.shape)}")
    return state.expand(zero.shape)


def _path(frame: Frame, sequences: Tensor, state: Tensor) -> Tensor:
    """The state after each frame `[T, B, n]` of sequences `[T, B, N]`."""
    visited = []
    for frame_inputs in sequences:
        state = frame(frame_inputs, state)
        visited.append(state)
    return torch.stack(visited)


def _states_for(module: Module, states: Array) -> Tensor:
    """States `[..., n]` of a callable, on the device of its weights if it has any."""
    return as_states(states, ()).to(device_of(module))


def _drawn(states: Tensor, starts: int | None, generator: torch.Generator) -> Tensor:
    """Starts `[P, n]`, drawn without replacement."""
    if starts is None or starts >= len(states):
        return states
    drawn = torch.randperm(len(states), generator=generator, device="cpu")[:starts]
    return states[drawn.to(states.device)]


def _with_noise(states: Tensor, noise: float, generator: torch.Generator) -> Tensor:
    """States with Gaussian noise of this standard deviation added to each coordinate."""
    return states + noise * torch.randn(states.shape, generator=generator, dtype=states.dtype, device="cpu").to(states)
