"""Variants of the settled penalty, on the validation images: what each adds to memory, and costs in accuracy.

    python benchmarks/penalties.py digits/gru/decu digits/lstm/decu --settled 300
    python benchmarks/penalties.py glyphs/lstm/vocu --settled 9 --variants settled trials

Takes trained networks, of the default study or another, fine-tunes them as mode `settled` does, and otherwise alike but

- noise: with noise frames in place of the mean input, as the paper's penalty, at the paper's lambda;
- noise 50: the same, at states 50 frames on;
- both: the sum of `settled` and `noise`;
- trials: at the settled states of single trials, five a class, in place of one of the class's mean; a fifth of lambda;
- anew: at settled states sought anew every 100 steps;
- first: not fine-tuned but trained again from the start, penalised like that from step 100 on.

Prints the mean change against control over networks, with its 95 % interval (t), and writes penalties.parquet.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch
from _results import arguments, keep, markdown
from _study import ROOT, study_of
from statsmodels.stats.weightstats import DescrStatsW
from torch import Tensor

from slowpoints import Dynamics, Networks, load_images, load_networks, measure_accuracy, measure_memory
from slowpoints.analysis.aggregation import memory_measures
from slowpoints.core.modes import TRAINED, lambdas
from slowpoints.core.presets.preset import Preset
from slowpoints.dynamics.relaxation import relaxation_path
from slowpoints.measures.centres import Centres, class_centres
from slowpoints.measures.relaxation import SETTLED, relax
from slowpoints.task.curricula import class_orders, stages
from slowpoints.task.protocols import PROTOCOLS
from slowpoints.training.changes import UNCHANGED, Changes
from slowpoints.training.fine_tuning import fine_tune
from slowpoints.training.loop import Run, optimise
from slowpoints.training.modes.path import PathPenalty
from slowpoints.training.modes.setup import Points
from slowpoints.training.penalties import DriftPenalty, Penalty, SpeedPenalty
from slowpoints.training.train import build_networks

TRIALS, LATER = 5, 50
VARIANTS = ["settled", "noise", f"noise {LATER}", "both", "trials", "anew", "first"]


class Sum(Penalty):
    """Several penalties at once."""

    capturable = False

    def __init__(self, *penalties: Penalty):
        self.penalties = penalties
        self.streams = [stream for penalty in penalties for stream in penalty.streams]

    def __call__(self, networks: Networks) -> Tensor:
        return torch.stack([penalty(networks) for penalty in self.penalties]).sum(0)

    def refresh(self, networks: Networks) -> None:
        for penalty in self.penalties:
            penalty.refresh(networks)


class Cell:
    """The trained networks of a cell, and what is penalised of them.

    Args:
        name: such as "digits/gru/vocu".
        results: folder of the study's results.
        settled: lambda of mode settled; None for the preset's.
    """

    def __init__(self, name: str, results: Path, settled: float | None = None):
        self.name = name
        dataset, self.architecture, protocol = name.split("/")
        self.preset: Preset = study_of([dataset]).presets[dataset]
        self.protocol, self.settled = PROTOCOLS[protocol], settled
        self.networks = load_networks(results.joinpath("networks", name, TRAINED))
        images = results / "datasets" / dataset
        self.train, self.valid = (load_images(images / f"{part}.parquet") for part in ("train", "valid"))
        self.shape = (len(self.networks), self.networks.spec.classes, -1)

    def variants(self) -> dict[str, Callable[[], Networks]]:
        """How each variant's networks come about."""
        networks, settings = self.networks, self.preset.regularisation
        (settled, *_), (paper, *_) = (lambdas(mode, settings.lambda_) for mode in ("settled", "slow_points"))
        settled = settled if self.settled is None else self.settled
        dynamics = Dynamics.of(networks)
        centres = class_centres(networks, dynamics, self.train, self.preset.slow_points)
        points, exist = self._settled_from(dynamics, centres)
        labels = torch.arange(self.shape[1]).repeat(len(networks))
        path = relax(dynamics, centres.state, labels, LATER)
        later = self._points(path.states[path.frames.index(LATER)])
        ours = (networks, points, exist, settled, settings.refresh)
        noise = (exist, paper, settings.noise_frames)
        single = self._of_trials()
        return {
            "control": lambda: self._tuned(None),
            "settled": lambda: self._tuned(DriftPenalty(*ours)),
            "noise": lambda: self._tuned(SpeedPenalty(networks, points, *noise)),
            f"noise {LATER}": lambda: self._tuned(SpeedPenalty(networks, later, *noise)),
            "both": lambda: self._tuned(Sum(DriftPenalty(*ours), SpeedPenalty(networks, points, *noise))),
            "trials": lambda: self._tuned(DriftPenalty(networks, *single, settled / TRIALS, settings.refresh)),
            "anew": lambda: self._tuned(PathPenalty(networks, self._settled, settled, settings.refresh)),
            "first": lambda: self._trained(PathPenalty(networks, self._settled, settled, settings.refresh)),
        }

    def _tuned(self, penalty: Penalty | None) -> Networks:
        """The networks, fine-tuned with a penalty."""
        preset = self.preset
        tuned, _ = fine_tune(
            self.networks,
            self.train,
            UNCHANGED if penalty is None else Changes(penalty),
            training=preset.training,
            steps=preset.regularisation.steps,
            learning_rate=preset.regularisation.learning_rate,
            protocol=self.protocol,
        )
        return tuned

    def _trained(self, penalty: DriftPenalty) -> Networks:
        """The networks trained again from the start, penalised once points have been sought for the first time."""
        penalty.counts.zero_()
        spec, seeds, preset = self.networks.spec, self.networks.seeds, self.preset
        untrained = build_networks(
            spec.dataset, self.architecture, self.protocol, seeds, self.train, preset.network, preset.training
        )
        plan = stages(self.protocol, preset.training, spec.classes)
        orders = class_orders(self.protocol, spec.classes, spec.dataset, seeds)
        run = Run(untrained, self.train, preset.training, plan, "training", orders=orders, changes=Changes(penalty))
        return optimise(run, None)[0]

    def measured(self, networks: Networks) -> pd.DataFrame:
        """Accuracy and memory on the validation images, a row a network."""
        memory, classes = self.preset.memory, self.networks.spec.classes
        images = min(memory.n_images, len(self.valid) // classes * classes)
        retrieved = measure_memory(
            networks, self.valid, delays=memory.delays, n_images=images, noise=memory.noise, bank=memory.bank
        )
        accuracy = measure_accuracy(networks, self.valid, n_images=2000)[["seed", "nominal_accuracy"]]
        return accuracy.merge(memory_measures(retrieved, ["seed"])[["seed", "memory_score", "persistence"]])

    def _points(self, states: Tensor) -> Tensor:
        return states.view(self.shape).to(self.networks.weights["bias"].dtype)

    def _settled(self, networks: Networks) -> Points:
        """Settled states of the networks as they are."""
        dynamics = Dynamics.of(networks)
        centres = class_centres(networks, dynamics, self.train, self.preset.slow_points)
        return self._settled_from(dynamics, centres)

    def _settled_from(self, dynamics: Dynamics, centres: Centres) -> Points:
        """Settled states on the paths from class centres."""
        (settled,) = relaxation_path(dynamics.step, centres.state, [SETTLED])
        return Points(self._points(settled), centres.exist.view(self.shape[:2]))

    def _of_trials(self) -> tuple[Tensor, Tensor]:
        """Settled states of single trials, `[S, C * TRIALS, n]`: centres of one image each; and which exist."""
        states, exist = [], []
        one = replace(self.preset.slow_points, images_per_class=1)
        dynamics = Dynamics.of(self.networks)
        for trial in range(TRIALS):
            some = self.train.images[trial::TRIALS], self.train.labels[trial::TRIALS]
            part = replace(self.train, images=some[0], labels=some[1])
            settled = self._settled_from(dynamics, class_centres(self.networks, dynamics, part, one))
            states.append(settled.states)
            exist.append(settled.exist)
        return torch.cat(states, dim=1), torch.cat(exist, dim=1)


def compare(cell: Cell, chosen: Sequence[str]) -> pd.DataFrame:
    """Change of the chosen variants against control, a row a variant and measure."""
    name, variants = cell.name, cell.variants()
    measured = {variant: cell.measured(variants[variant]()) for variant in dict.fromkeys(["control", *chosen])}
    rows = []
    for variant, table in measured.items():
        for measure in ("nominal_accuracy", "memory_score", "persistence"):
            change = DescrStatsW((table[measure] - measured["control"][measure]).to_numpy())
            low, high = change.tconfint_mean()
            rows.append(
                {"cell": name, "variant": variant, "measure": measure, "mean": table[measure].mean()}
                | {"change": change.mean, "low": low, "high": high}
            )
        print(name, variant, *(f"{row['mean']:.3f} ({row['change']:+.3f})" for row in rows[-3:]), flush=True)
    return pd.DataFrame(rows)


def table_of(*tables: pd.DataFrame) -> str:
    """In Markdown: a row a variant, a column a cell, change of memory score and accuracy against control."""
    table = pd.concat(tables)
    cells, rows = list(dict.fromkeys(table["cell"])), []
    changes = table.set_index(["variant", "cell", "measure"])
    for variant in dict.fromkeys(table["variant"]):
        row = []
        for cell in cells:
            if (variant, cell, "memory_score") not in changes.index:
                row.append("")
                continue
            memory, accuracy = (changes.loc[(variant, cell, name)] for name in ("memory_score", "nominal_accuracy"))
            row.append(f"{memory.change:+.3f} [{memory.low:.3f}, {memory.high:.3f}], {accuracy.change:+.3f}")
        if variant != "control":
            rows.append([variant, *row])
    return markdown(rows, ["variant", *(f"{cell}: memory score, accuracy" for cell in cells)])


if __name__ == "__main__":
    parser = arguments(__doc__, __file__)
    parser.add_argument("cells", nargs="+", help="such as digits/gru/vocu")
    parser.add_argument("--results", type=Path, default=ROOT / "results", help="folder of the networks")
    parser.add_argument("--settled", type=float, help="lambda of mode settled (the preset's)")
    parser.add_argument("--variants", nargs="+", choices=VARIANTS, default=VARIANTS, help="beside control; all")
    args = parser.parse_args()
    torch.set_num_threads(1)
    cells = [Cell(name, args.results, args.settled) for name in args.cells]
    table = pd.concat([compare(cell, args.variants) for cell in cells], ignore_index=True)
    keep(table, args.output)
    print(table_of(table))
