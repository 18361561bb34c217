"""Memory of any recurrent network: accuracy against delay, from the states in which memories start.

B trials of n state coordinates, D delays, C classes, N inputs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from slowpoints.adapters.evaluation import Network, callable_in_evaluation
from slowpoints.adapters.frames import Frame, Module
from slowpoints.adapters.states import as_input
from slowpoints.analysis import memory_score as measures
from slowpoints.core.arguments import finite, table_columns, type_named, whole_numbers
from slowpoints.core.arrays import Array, as_numbers
from slowpoints.core.intervals import wilson
from slowpoints.core.progress import report_stage
from slowpoints.core.streams import seeded
from slowpoints.core.torch_modes import usual_modes

if TYPE_CHECKING:
    from slowpoints.adapters.picture import Picture

COLUMNS = ("delay", "label", "n", "n_correct", "accuracy", "low", "high")
ROWS_AT_ONCE, FRAMES_AT_ONCE = 4096, 64  # trials and frames of one pass, which bound its memory
Sampler = Callable[[int], Tensor]


@usual_modes()
@torch.no_grad()
def retention(
    module: Module,
    readout: Callable[[Tensor], Tensor],
    states: Array,
    labels: Array,
    delays: Sequence[int],
    *,
    inputs: Array | None = None,
    ask: Array | None = None,
    noise: float | Sampler = 0.0,
    seed: int = 0,
) -> pd.DataFrame:
    """Accuracy of the readout after each delay.

    From states just after what is to be remembered, the network runs on under a constant input and noise. After each
    delay it is asked on a separate branch, so that one roll-out serves all delays: the input of that frame is changed
    by `ask - inputs`, and the hidden state after it is read out. The network runs in evaluation mode, in the precision
    of its weights, and is not changed. Compare accuracy with that of your own forward pass, also at a delay beyond
    training: if `inputs`, `ask` or states are not those of the task, the table is of another, and may look plausible.

    Args:
        module: `torch.nn.RNN`, `GRU` or `LSTM` with any number of layers or projections, one of their cells, or any
            callable: from states `[B, n]`, or with `inputs` from inputs `[B, N]` and states, to the next states.
        readout: from hidden states of the last layer `[B, H]`, or for a callable its whole states `[B, n]`, to logits
            of the classes `[B, C]`.
        states: one for each trial, `[B, n]`, laid out as by `states_of`, or for an LSTM a pair of hidden and cell
            states, also `[L, B, H]` as PyTorch returns them.
        labels: what each trial is to remember, `[B]`, from 0 to C - 1.
        delays: in frames since the states, at least 1, each once.
        inputs: the constant input of the delay `[N]`. None means zero, or, for a callable, none at all.
        ask: the input that asks for the answer `[N]`. None if the readout needs no such input.
        noise: standard deviation of Gaussian noise on the inputs, drawn independently for each value, frame and trial;
            or a callable `noise(frame)` from the number of a frame, starting at 1, to its inputs `[B, N]`, which
            replace constant input and noise. It is called once for each frame, in order. At the frame that asks,
            `ask - inputs` is added to what it returns.
        seed: of the noise, which is the same in each call; a callable seeds its own.

    Returns:
        A row for each delay, in increasing order, and label: delay, label, n (trials), n_correct, accuracy, low and
        high (Wilson 95 % interval), and chance, 1 / C, the accuracy of a guess among the classes of the readout.

    Raises:
        TypeError: if module, readout or noise is not callable as described, fails or returns something else, or a
            setting is not a number.
        ValueError: if states, labels, inputs or settings are invalid, or do not fit the module or each other, or the
            network diverges.

    Example:
        >>> states = states_of(network, stimuli)[-1]
        >>> table = retention(network, readout, states, labels, [1, 10, 100, 1000], noise=0.1)
        >>> half_life(table)
    """
    network = Network(module, inputs)
    if not callable(readout):
        raise TypeError(f"readout is {type_named(readout)}; it must be a callable from hidden states to logits")
    start = network.states(states)
    label = _checked_labels(labels, len(start)).to(start.device)
    wanted = sorted(whole_numbers(delays, "delays", least=1))
    frame_inputs, asking = _inputs(network, start, ask, noise, seed)
    read_out = callable_in_evaluation(readout)
    n_correct, classes = [], 0
    for hidden in _asked(network, start, wanted, frame_inputs, asking):
        logits = _logits(read_out, hidden, label)
        right, classes = logits.argmax(1) == label, logits.shape[1]
        n_correct.append(torch.bincount(label[right], minlength=int(label.max()) + 1))
    table = _table(wanted, torch.stack(n_correct).cpu().numpy(), torch.bincount(label).cpu().numpy())
    return table.assign(chance=1 / classes)


def half_life(table: pd.DataFrame, *, chance: float | None = None, trained: int | None = None) -> float:
    """Delay in frames at which accuracy has fallen half-way from its level at the trained delay to chance.

    Interpolated in log delay between the two delays around the first crossing.

    Args:
        table: as returned by `retention`, or some of its rows, such as those of one label.
        chance: accuracy of a guess, below 1; by default that of the table's column `chance`, 1 / C of the readout, or
            in a table without that column 1 / number of labels. Pass it if only some of the C outputs can be right, or
            some labels are more frequent than others.
        trained: delay at which accuracy starts to count, such as the longest of training; by default the shortest.

    Returns:
        NaN if accuracy does not fall that far within the delays, or is no better than chance from the start.

    Raises:
        TypeError: if the table is not a data frame, or a setting is not a number.
        ValueError: if the table is empty, lacks a column or the trained delay, chance is unknown or not in [0, 1), or
            no memory is read out correctly at that delay.
    """
    delays, accuracy = _curve(table)
    trained = int(delays[0]) if trained is None else int(finite(trained, "trained"))
    chance = chance_of(table) if chance is None else finite(chance, "chance")
    if not 0 <= chance < 1:
        raise ValueError(f"chance is {chance:g}; it must be at least 0 and less than 1, such as 0.25 for four classes")
    if not accuracy[delays == trained].all():
        raise ValueError(
            f"no memory is read out correctly at delay {trained}: readout, labels, inputs or ask do not fit the states"
        )
    return float(measures.half_life(delays, accuracy[None], chance=chance, trained=trained)[0])


def memory_score(table: pd.DataFrame, *, first: int | None = None) -> float:
    """Accuracy averaged over log delay, up to the longest delay: one number that is never missing.

    It depends on the first and the longest delay: compare scores of the same delays only.

    Args:
        table: as returned by `retention`.
        first: first delay of the average; by default the shortest.

    Raises:
        TypeError: if the table is not a data frame.
        ValueError: if the table is empty, or lacks a column, the first delay, or any later one.
    """
    delays, accuracy = _curve(table)
    return float(measures.memory_score(delays, accuracy, int(delays[0]) if first is None else first))


def plot_retention(tables: pd.DataFrame | Mapping[str, pd.DataFrame]) -> Picture:
    """Plots accuracy over all labels against delay, with 95 % intervals, and half-lives in the legend.

    Args:
        tables: as returned by `retention`; several by name, such as `{"before": table, "after": other}`.

    Raises:
        TypeError: if they are not data frames.
        ValueError: if there are none, or one is empty or lacks a column.
    """
    from slowpoints.adapters.retention_picture import draw  # Matplotlib, which takes a second to import

    if not isinstance(tables, Mapping | pd.DataFrame):
        raise TypeError(f"tables is {type_named(tables)}; it must be a table, or several by name, {{name: table}}")
    named = dict(tables) if isinstance(tables, Mapping) else {"": tables}
    if not named:
        raise ValueError("tables is empty; it must hold at least one")
    for name, table in named.items():
        _check(table, f"tables[{name!r}]" if name else "tables")
    return draw(named)


def over_labels(table: pd.DataFrame) -> pd.DataFrame:
    """Counts of all labels together, by delay, with accuracy, low and high."""
    counts = table.groupby("delay")[["n", "n_correct"]].sum()
    low, high = wilson(counts["n_correct"], counts["n"])
    return counts.assign(accuracy=counts["n_correct"] / counts["n"], low=low, high=high)


def chance_of(table: pd.DataFrame) -> float:
    """Accuracy of a guess: that of the column `chance`, or 1 / number of labels in a table without it.

    Raises:
        ValueError: if a table without it has a single label, or one with it several values.
    """
    if "chance" in table.columns:
        values = table["chance"].dropna().unique()
        if len(values) == 1:
            return float(values[0])
        raise ValueError(f"column chance of the table has {len(values)} values; pass `chance`, such as 1 / classes")
    labels = table["label"].nunique()
    if labels == 1:
        raise ValueError(
            "chance is unknown: the table has a single label and no column chance; pass `chance`, such as 1 / classes"
        )
    return 1 / labels


def _check(table: pd.DataFrame, name: str) -> None:
    table_columns(table, COLUMNS, name, "a table as `retention` returns it")
    if not len(table):
        raise ValueError(f"{name} is empty; it must have a row for each delay and label, as `retention` returns")


def _curve(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Delays and accuracy over all labels, `[D]` each."""
    _check(table, "table")
    curve = over_labels(table)
    return curve.index.to_numpy(), curve["accuracy"].to_numpy()


def _checked_labels(labels: Array, trials: int) -> Tensor:
    values = as_numbers(labels, "labels")
    if values.shape != (trials,):
        raise ValueError(f"labels have the shape {tuple(values.shape)}; there must be one for each of {trials} states")
    checked = values.long()
    if (checked != values).any() or checked.min() < 0:
        raise ValueError("labels must be whole numbers from 0 to C - 1")
    return checked


def _inputs(
    network: Network, states: Tensor, ask: Array | None, noise: float | Sampler, seed: int
) -> tuple[Callable[[int], Tensor | None], Tensor | None]:
    """The inputs `[B, N]` of each frame, and what asking adds to them `[N]`; None if there are none."""
    question, generator = as_input(ask, "ask"), seeded(seed)
    if network.inputs is None:
        if question is not None or callable(noise) or _deviation(noise):
            raise ValueError(
                "ask and noise change the inputs, but inputs is None, which for a callable means no input: pass "
                "inputs=torch.zeros(N), or the recurrent layer of a larger network"
            )
        return lambda _: None, None
    constant = network.inputs.to(states)
    if question is not None and question.shape != constant.shape:
        raise ValueError(f"ask has {len(question)} values, inputs {len(constant)}; they must have equally many")
    asking = None if question is None else question.to(states) - constant
    shape = (len(states), len(constant))
    if callable(noise):
        return _Sampled(noise, shape, states), asking
    deviation = _deviation(noise)
    if not deviation:
        return lambda _: constant.expand(shape), asking

    def noisy(_: int) -> Tensor:
        drawn = torch.randn(shape, generator=generator, dtype=states.dtype, device="cpu")
        return constant + deviation * drawn.to(states.device)

    return noisy, asking


def _deviation(noise: Any) -> float:
    if shape := tuple(getattr(noise, "shape", ())):
        raise TypeError(
            f"noise has the shape {shape}; it must be a number, or a callable noise(frame) that returns the inputs "
            "[B, N] of a frame"
        )
    return finite(noise, "noise", least=0)


class _Sampled:
    """The inputs of each frame from the caller's function.

    Raises:
        TypeError: if the function cannot be called with one number; when called, if they are not a tensor.
        ValueError: when called, if they have another shape.
    """

    def __init__(self, sampler: Sampler, shape: tuple[int, int], like: Tensor):
        _check_arity(sampler)
        self.sampler, self.shape, self.like = sampler, shape, like

    def __call__(self, frame: int) -> Tensor:
        values = self.sampler(frame)
        if not isinstance(values, Tensor | np.ndarray):
            raise TypeError(
                f"noise returned {type_named(values)} for frame {frame}; it must return a tensor {self.shape}"
            )
        if tuple(values.shape) != self.shape:
            shape = tuple(values.shape)
            raise ValueError(f"noise returned the shape {shape} for frame {frame}; it must return {self.shape}")
        return torch.as_tensor(values).to(self.like)


def _check_arity(sampler: Sampler) -> None:
    try:
        signature = inspect.signature(sampler)
    except (TypeError, ValueError):
        return  # of a function written in C, which will say so itself
    try:
        signature.bind(1)
    except TypeError as error:
        raise TypeError(
            f"noise has the signature {signature}; it is called as noise(frame), with the number of a frame from 1, "
            f"and must return its inputs [B, N] ({error})"
        ) from None


def _asked(
    network: Network,
    states: Tensor,
    delays: list[int],
    inputs: Callable[[int], Tensor | None],
    asking: Tensor | None,
) -> Iterator[Tensor]:
    """Hidden states `[B, H]` after the frame that asks, at each delay."""
    frame, number = network.frame(), 0
    with report_stage("retention", delays[-1], unit="frame", bar=True) as progress:
        for delay in delays:
            while number < delay - 1:
                frames = range(number + 1, min(delay, number + 1 + FRAMES_AT_ONCE))
                states = _advanced(frame, [inputs(each) for each in frames], states)
                number += len(frames)
                progress.update(len(frames))
            values = inputs(delay)
            after = _advanced(frame, [values], states)
            asked = after if asking is None or values is None else _advanced(frame, [values + asking], states)
            if not asked.isfinite().all():
                raise ValueError(f"states are not finite at delay {delay}: the network diverges")
            yield network.hidden(asked)
            states, number = after, delay
            progress.update()


def _advanced(frame: Callable[..., Tensor], inputs: Sequence[Tensor | None], states: Tensor) -> Tensor:
    """States after frames with these inputs, `[B, N]` each, or None."""
    parts = []
    for rows in torch.arange(len(states), device=states.device).split(ROWS_AT_ONCE):
        part, values = states[rows], [each if each is None else each[rows] for each in inputs]
        if isinstance(frame, Frame):
            part = frame.over(torch.stack(values), part)  # type: ignore[arg-type]
        else:
            for each in values:
                part = frame(part) if each is None else frame(each, part)
        parts.append(part)
    return torch.cat(parts)


def _logits(readout: Callable[[Tensor], Any], hidden: Tensor, label: Tensor) -> Tensor:
    """Logits `[B, C]` of hidden states `[B, H]`."""
    features = readout.in_features if isinstance(readout, nn.Linear) else hidden.shape[1]
    if features != hidden.shape[1]:
        raise ValueError(f"readout takes {features} features; the hidden states have {hidden.shape[1]}")
    if isinstance(readout, nn.Linear) and readout.weight.dtype != hidden.dtype:
        raise ValueError(f"weights of readout are {readout.weight.dtype}, the hidden states {hidden.dtype}")
    try:
        logits = readout(hidden)
    except (MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as error:
        raise TypeError(
            f"readout fails on hidden states {tuple(hidden.shape)} in {hidden.dtype} on {hidden.device}, of which it "
            f"must return logits [B, C] ({type(error).__name__}: {error})"
        ) from error
    shape = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
    if not isinstance(shape, tuple) or len(shape) != 2 or shape[0] != len(hidden):
        raise TypeError(f"readout must return logits [B, C] of {len(hidden)} hidden states; it returned {shape}")
    if int(label.max()) >= shape[1]:
        raise ValueError(f"labels go up to {int(label.max())}; the readout has {shape[1]} classes, 0 to {shape[1] - 1}")
    return logits


def _table(delays: list[int], n_correct: np.ndarray, n: np.ndarray) -> pd.DataFrame:
    """A row for each delay and label that occurs, from counts of correct trials `[D, C]` and of trials `[C]`."""
    labels = np.flatnonzero(n)
    trials, correct = np.tile(n[labels], len(delays)), n_correct[:, labels].ravel()
    columns = (np.repeat(delays, len(labels)), np.tile(labels, len(delays)), trials, correct, correct / trials)
    return pd.DataFrame(dict(zip(COLUMNS, (*columns, *wilson(correct, trials)), strict=True)))
