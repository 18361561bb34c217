"""Networks of torch.nn that remember longer: the relaxation penalty against its rivals, on three tasks not the paper's.

    python benchmarks/own_networks.py                                   # 10 networks of each, over an hour on one core
    python benchmarks/own_networks.py --tasks recall --networks GRU --seeds 2

The tasks: `flip-flop`, three bits set and reset by pulses, then silence; `recall`, one of 32 symbols, amid distractors;
`digits`, scikit-learn's images read row by row. After a delay of up to 20 noisy frames the network is asked which of
the classes it was. Each network is trained, then trained on for 400 steps in several ways:

- control: as before;
- penalty: with `RelaxationPenalty` at the mean states of the classes;
- longer: on delays of up to 100 frames, for as long a time as `penalty` took;
- consistency: with the mean squared change of hidden states from frame to frame.

Weights are chosen on validation trials of three more networks of each task and module, by `choose_weight`: of those
that lower their mean accuracy by no more than 0.005, the one with the greatest memory score. Everything is measured on
test trials: half-life (median over networks; `beyond` where it is longer than the longest delay), accuracy at the
delays of training, and the change of memory score against control, and of the penalty against its rivals, with its 95 %
interval (t) over networks.
Writes own_networks.parquet.
"""

import copy
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from _results import arguments, keep, markdown
from sklearn.datasets import load_digits
from statsmodels.stats.weightstats import DescrStatsW
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from slowpoints import RelaxationPenalty, choose_weight, flip_flop_trials, half_life, memory_score, retention, states_of
from slowpoints.core.streams import generator

NETWORKS = ("RNN", "GRU", "LSTM")
WAYS = ("trained", "control", "penalty", "longer", "consistency")
RIVALS = ("longer", "consistency")
HIDDEN, TRIALS, STEPS, MORE_STEPS = 24, 64, 1000, 400
LONGEST, LONGER = 20, 100  # delays of training, in frames
RATE, FINE_RATE = 5e-3, 1e-3
DELAYS = (1, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
TEST_TRIALS = 320
CHOSEN_ON = (101, 102, 103)  # seeds of the networks that weights are chosen on, and that are not reported
WEIGHTS = {"penalty": (1, 3, 10, 30, 100, 300, 1000, 3000), "consistency": (0.03, 0.1, 0.3, 1, 3, 10, 30)}
REFRESH = 100  # steps after which memories are read in anew


class Task(NamedTuple):
    """What is to be remembered, and what happens meanwhile; the last input asks.

    Attributes:
        classes: how many memories there are.
        inputs: values of an input, the one that asks among them.
        noise: standard deviation of each value during the delay.
        stimuli: from a part of the data, a number of trials and a generator to inputs `[S, B, inputs]` and labels.
        distractors: added to the noise, from a number of frames and trials and a generator; none if None.
        mean: input in the delay, without noise.
    """

    classes: int
    inputs: int
    noise: float
    stimuli: Callable[[str, int, torch.Generator], tuple[Tensor, Tensor]]
    distractors: Callable[[int, int, torch.Generator], Tensor] | None
    mean: Tensor

    def delay(self, frames: int, trials: int, stream: torch.Generator) -> Tensor:
        """Inputs of a delay, `[frames, trials, inputs]`."""
        inputs = self.noise * torch.randn(frames, trials, self.inputs, generator=stream)
        inputs[..., -1] = 0
        return inputs if self.distractors is None else inputs + self.distractors(frames, trials, stream)

    def trials(self, part: str, trials: int, longest: int, stream: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Inputs `[T, B, inputs]`, labels and the frames at which each trial is asked, `[B]`."""
        shown, labels = self.stimuli(part, trials, stream)
        inputs = torch.cat([shown, self.delay(longest, trials, stream)])
        asked = len(shown) - 1 + torch.randint(1, longest + 1, (trials,), generator=stream)
        inputs[asked, torch.arange(trials), -1] = 1
        return inputs, labels, asked


BITS, PULSE_FRAMES, SYMBOLS, DISTRACTION = 3, 15, 32, 0.1


def pulses(part: str, trials: int, stream: torch.Generator) -> tuple[Tensor, Tensor]:
    seed = int(torch.randint(2**62, (), generator=stream))
    shown, signs = flip_flop_trials(trials, PULSE_FRAMES, BITS, seed=seed)
    labels = ((signs[-1] > 0) * 2 ** torch.arange(BITS)).sum(1)
    return torch.cat([shown, torch.zeros(PULSE_FRAMES, trials, 1)], dim=2), labels


def symbols(part: str, trials: int, stream: torch.Generator) -> tuple[Tensor, Tensor]:
    """The symbol to be stored comes with a cue, the last input but one; distractors come without."""
    labels = torch.randint(SYMBOLS, (trials,), generator=stream)
    shown = one_hot(labels, SYMBOLS + 2).float()
    shown[:, SYMBOLS] = 1
    return shown[None], labels


def other_symbols(frames: int, trials: int, stream: torch.Generator) -> Tensor:
    which = torch.randint(SYMBOLS, (frames, trials), generator=stream)
    occurs = torch.rand(frames, trials, 1, generator=stream) < DISTRACTION
    return one_hot(which, SYMBOLS + 2) * occurs


IMAGES, LABELS = load_digits(return_X_y=True)
TRAIN, VALID, TEST = np.split(np.random.default_rng(0).permutation(len(LABELS)), (1000, 1300))
PARTS = {"train": TRAIN, "valid": VALID, "test": TEST}


def rows(part: str, trials: int, stream: torch.Generator) -> tuple[Tensor, Tensor]:
    chosen = PARTS[part][torch.randint(len(PARTS[part]), (trials,), generator=stream).numpy()]
    images = torch.from_numpy(IMAGES[chosen]).float().view(trials, 8, 8) / 16
    return torch.cat([images.transpose(0, 1), torch.zeros(8, trials, 1)], dim=2), torch.from_numpy(LABELS[chosen])


def mean_distraction() -> Tensor:
    mean = torch.full((SYMBOLS + 2,), DISTRACTION / SYMBOLS)
    mean[SYMBOLS:] = 0
    return mean


TASKS = {
    "flip-flop": Task(2**BITS, BITS + 1, 0.5, pulses, None, torch.zeros(BITS + 1)),
    "recall": Task(SYMBOLS, SYMBOLS + 2, 1.0, symbols, other_symbols, mean_distraction()),
    "digits": Task(10, 9, 0.5, rows, None, torch.zeros(9)),
}


class Cell:
    """Networks of one task and module of torch.nn."""

    def __init__(self, task: str, network: str):
        self.name, self.task = (task, network), TASKS[task]

    def stream(self, *names: object) -> torch.Generator:
        return generator("own networks", *self.name, *names)

    def train(
        self,
        model: nn.ModuleDict,
        seed: int,
        *,
        steps: int | None = None,
        rate: float = FINE_RATE,
        longest: Callable[[int], int] = lambda step: LONGEST,
        extra: Callable[[int, Tensor], Tensor | float] = lambda step, hidden: 0.0,
        seconds: float = float("inf"),
    ) -> float:
        """Trains in place until the steps are done or the seconds are over; gives those taken.

        Args:
            steps: MORE_STEPS, unless said.
            extra: added to the loss, from the step and the hidden states `[T, B, H]`.
        """
        steps = MORE_STEPS if steps is None else steps
        stream, optimiser = self.stream(seed, "training", steps), torch.optim.Adam(model.parameters(), rate)
        begun = time.process_time()
        for step in range(steps):
            if time.process_time() - begun > seconds:
                break
            inputs, labels, asked = self.task.trials("train", TRIALS, longest(step), stream)
            hidden, _ = model["network"](inputs)
            loss = cross_entropy(model["readout"](hidden[asked, torch.arange(TRIALS)]), labels) + extra(step, hidden)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
        return time.process_time() - begun

    def trained(self, seed: int) -> tuple[nn.ModuleDict, float]:
        """A network as it is before it is trained on, and the seconds that took; delays grow in the first half."""
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            network = getattr(nn, self.name[1])(self.task.inputs, HIDDEN)
            model = nn.ModuleDict({"network": network, "readout": nn.Linear(HIDDEN, self.task.classes)})
        grown = [min(2 + 2 * LONGEST * step // STEPS, LONGEST) for step in range(STEPS)]
        return model, self.train(model, seed, steps=STEPS, rate=RATE, longest=grown.__getitem__)

    def penalised(self, model: nn.ModuleDict, seed: int, weight: float) -> float:
        penalty, memories = RelaxationPenalty(model["network"], self.task.mean, every=REFRESH), torch.empty(0)

        def extra(step: int, hidden: Tensor) -> Tensor:
            nonlocal memories
            if step % REFRESH == 0:
                memories = self.memories(model, seed)
            return weight * penalty(memories)

        return self.train(model, seed, extra=extra)

    def consistent(self, model: nn.ModuleDict, seed: int, weight: float) -> float:
        return self.train(model, seed, extra=lambda step, hidden: weight * hidden.diff(dim=0).square().sum(-1).mean())

    def memories(self, model: nn.ModuleDict, seed: int) -> Tensor:
        """Mean state of each class just after what is to be remembered, `[C, n]`."""
        shown, labels = self.task.stimuli("train", 20 * self.task.classes, self.stream(seed, "memories"))
        states = states_of(model["network"], shown)[-1]
        return torch.stack([states[labels == label].mean(0) for label in labels.unique()])

    def accuracy(self, model: nn.ModuleDict, part: str, trials: int = 2000) -> float:
        """Of answers at the delays of training."""
        inputs, labels, asked = self.task.trials(part, trials, LONGEST, self.stream(part, "accuracy"))
        with torch.no_grad():
            hidden = model["network"](inputs)[0][asked, torch.arange(trials)]
            return (model["readout"](hidden).argmax(1) == labels).double().mean().item()

    def weights(self) -> dict[str, float]:
        """Of each way that has one, chosen on the validation trials of networks that are not reported."""
        models = nn.ModuleList([self.trained(seed)[0] for seed in CHOSEN_ON])
        chosen = {}
        for way, tune in {"penalty": self.penalised, "consistency": self.consistent}.items():

            def tune_all(copies: nn.ModuleList, weight: float, tune: Callable = tune) -> None:
                for seed, copied in zip(CHOSEN_ON, copies, strict=True):
                    tune(copied, seed, weight)

            def accuracy(copies: nn.ModuleList) -> float:
                return float(np.mean([self.accuracy(copied, "valid") for copied in copies]))

            def memory(copies: nn.ModuleList) -> float:
                tables = [self.retention(copied, "valid") for copied in copies]
                return float(np.mean([memory_score(table, first=LONGEST) for table in tables]))

            choice = choose_weight(models, tune_all, accuracy, weights=WEIGHTS[way], memory=memory)
            chosen[way] = choice.weight
            print(*self.name, way, choice.table.round(4).to_dict("list"), flush=True)
        return chosen

    def retention(self, model: nn.ModuleDict, part: str) -> pd.DataFrame:
        """Accuracy at each delay."""
        stream = self.stream(part)
        shown, labels = self.task.stimuli(part, TEST_TRIALS, stream)
        ask = self.task.mean.clone()
        ask[-1] = 1
        return retention(
            model["network"],
            model["readout"],
            states_of(model["network"], shown)[-1],
            labels,
            DELAYS,
            inputs=self.task.mean,
            ask=ask,
            noise=lambda frame: self.task.delay(1, TEST_TRIALS, stream)[0],
        )

    def measured(self, model: nn.ModuleDict) -> dict[str, float]:
        """Half-life, memory score, and accuracies, on test trials."""
        table = self.retention(model, "test")
        right = table.groupby("delay")[["n_correct", "n"]].sum()
        return {
            "accuracy": self.accuracy(model, "test"),
            "accuracy_1000": (right["n_correct"] / right["n"])[1000],
            "memory_score": memory_score(table, first=LONGEST),
            "half_life": half_life(table, chance=1 / self.task.classes) if right["n_correct"].iloc[0] else np.nan,
        }

    def compared(self, seed: int, weights: dict[str, float]) -> list[dict]:
        """A network in all ways, a row each."""
        models, seconds = {}, {}
        models["trained"], seconds["trained"] = self.trained(seed)
        for way in WAYS[1:]:
            models[way] = copy.deepcopy(models["trained"])
        seconds["control"] = self.train(models["control"], seed)
        seconds["penalty"] = self.penalised(models["penalty"], seed, weights["penalty"])
        seconds["consistency"] = self.consistent(models["consistency"], seed, weights["consistency"])
        seconds["longer"] = self.train(
            models["longer"], seed, steps=10**6, longest=lambda step: LONGER, seconds=seconds["penalty"]
        )
        task, network = self.name
        return [
            {"task": task, "network": network, "seed": seed, "way": way, "weight": weights.get(way, np.nan)}
            | self.measured(models[way])
            | {"seconds": seconds[way]}
            for way in WAYS
        ]


def _difference(change: pd.Series) -> str:
    """Mean of changes in pairs, with its 95 % interval if there are several."""
    interval = " ({:+.3f} to {:+.3f})".format(*DescrStatsW(change).tconfint_mean()) if len(change) > 1 else ""
    return f"{change.mean():+.3f}{interval}"


def table_of(table: pd.DataFrame) -> str:
    """In Markdown: a row for each task, module and way."""
    lines = []
    scores = table.pivot(index=["task", "network", "seed"], columns="way", values="memory_score")
    for (task, network, way), of_way in table.groupby(["task", "network", "way"], sort=False):
        score = scores.loc[(task, network)]
        life = of_way["half_life"].fillna(np.inf).median()
        lines.append(
            [
                task,
                network,
                way,
                "" if np.isnan(weight := of_way["weight"].iloc[0]) else f"{weight:g}",
                "beyond" if np.isinf(life) else f"{life:,.0f}",
                f"{of_way['accuracy'].mean():.3f}",
                f"{of_way['accuracy_1000'].mean():.2f}",
                "" if way == "control" else _difference(score[way] - score["control"]),
                *(_difference(score[way] - score[rival]) if way == "penalty" else "" for rival in RIVALS),
                f"{of_way['seconds'].mean():.1f}",
            ]
        )
    columns = [
        "task",
        "network",
        "after",
        "weight",
        "half-life",
        "accuracy",
        "at 1,000 frames",
        "memory score, less control",
        *(f"less {rival}" for rival in RIVALS),
        "seconds",
    ]
    return markdown(lines, columns)


if __name__ == "__main__":
    parser = arguments(__doc__, __file__)
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS), help="all, unless said")
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS), help="all, unless said")
    parser.add_argument("--seeds", type=int, default=10, help="networks of each task and module")
    args = parser.parse_args()
    torch.set_num_threads(1)
    results = []
    for task in args.tasks:
        for network in args.networks:
            cell = Cell(task, network)
            weights = cell.weights()
            for seed in range(1, 1 + args.seeds):
                results += cell.compared(seed, weights)
                print(pd.DataFrame(results[-len(WAYS) :]).round(3).to_string(header=seed == 1), flush=True)
    table = pd.DataFrame(results)
    keep(table, args.output)
    print(table_of(table))
