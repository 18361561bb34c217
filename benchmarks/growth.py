"""How time and memory grow with networks, units, points and delays, on one thread.

    python benchmarks/growth.py
    python benchmarks/growth.py --work roll-out

One size at a time is varied, the others stay at those of `BASE`; every row is a process of its own, so that its peak
memory is its own. `growth` is the exponent from the row before: 1 where time grows as the size does. Networks are
untrained GRUs, which take the same work as trained ones but for the search, given a fixed number of Hessians.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from _results import arguments, keep, markdown
from training import ensemble

from slowpoints import Dynamics, find_slow_points, measure_memory
from slowpoints.datasets.images import ImageSet
from slowpoints.dynamics.descent import descend
from slowpoints.dynamics.speed import SpeedResidual, reachable
from slowpoints.networks.ensemble import Networks, Specification, initialise

PIXELS, CLASSES, BATCH, BANK = 64, 10, 32, 128
BASE = {"networks": 8, "units": 100, "points": 10, "delay": 1000}
SIZES = {
    "training step": {"networks": (1, 2, 4, 8, 16, 32, 64), "units": (50, 100, 200, 400)},
    "roll-out": {"networks": (1, 8, 64), "units": (50, 100, 200, 400), "delay": (100, 1000, 10_000)},
    "descent": {"points": (10, 100, 1000, 2000), "units": (50, 100, 200, 400)},
    "search": {"points": (10, 100, 1000, 2000), "units": (50, 100, 200, 400)},
}
"""Of each kind of work the sizes that it is tried at; points are those of one network."""
TRIALS = 100  # of each network in a roll-out
ADAM_STEPS, HESSIANS = 100, 3
SHORTEST = 1.0  # seconds that a row is timed for at least


def images() -> ImageSet:
    rng = np.random.default_rng(0)
    labels = (np.arange(TRIALS) % CLASSES).astype(np.int16)
    return ImageSet(rng.integers(0, 256, (TRIALS, 1, PIXELS, 1), dtype=np.uint8), labels, CLASSES, 0.1, 0.3)


def networks_of(networks: int, units: int) -> Networks:
    spec = Specification("bench", "gru", "none", units, CLASSES, (1, PIXELS, 1), 0.1, 0.3, "softmax", None, 0)
    return initialise(spec, range(networks))


def training_step(networks: int, units: int, **_: int) -> Callable[[], object]:
    return ensemble("gru", PIXELS, units, BATCH, BANK, networks, "cpu")


def roll_out(networks: int, units: int, delay: int, **_: int) -> Callable[[], object]:
    memory = {"delays": (delay,), "n_images": TRIALS, "noise": "fresh", "bank": BANK}
    return lambda: measure_memory(networks_of(networks, units), images(), **memory)


def descent(units: int, points: int, **_: int) -> Callable[[], object]:
    dynamics, start = _search_of(units, points)
    residual, bounds = SpeedResidual(dynamics), reachable(dynamics)
    return lambda: descend(residual, start, *bounds, steps=ADAM_STEPS)


def search(units: int, points: int, **_: int) -> Callable[[], object]:
    dynamics, start = _search_of(units, points)
    return lambda: find_slow_points(dynamics.step, start, tolerance=0, max_iterations=HESSIANS)


def _search_of(units: int, points: int) -> tuple[Dynamics, torch.Tensor]:
    """One network, and random states."""
    dynamics = Dynamics.of(networks_of(1, units))
    generator = torch.Generator().manual_seed(0)
    return dynamics, torch.rand(points, units, dtype=torch.float64, generator=generator) * 2 - 1


WORK = {"training step": training_step, "roll-out": roll_out, "descent": descent, "search": search}


def one(work: str, sizes: dict[str, int]) -> dict[str, float]:
    """Seconds of CPU a call, after one that does not count, and peak memory in MB."""
    torch.set_num_threads(1)
    call = WORK[work](**sizes)
    call()
    calls, spent, start = 0, 0.0, time.process_time()
    while not calls or spent < SHORTEST:  # clocks of some machines advance in steps longer than `SHORTEST`
        call()
        calls += 1
        spent = time.process_time() - start
    return {"seconds": spent / calls, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def measured(work: str, varied: str, value: int) -> dict:
    """A row, from a process of its own."""
    command = [sys.executable, __file__, "--one", json.dumps([work, BASE | {varied: value}])]
    done = subprocess.run(command, capture_output=True, encoding="utf-8")
    if done.returncode:
        sys.exit(f"{work}, {value} {varied}:\n{done.stderr}")
    return {"work": work, "varied": varied, "value": value} | json.loads(done.stdout)


def table_of(table: pd.DataFrame) -> str:
    """In Markdown: a row a kind of work and size varied, time, growth and memory at each value."""
    rows = []
    for (work, varied), same in table.groupby(["work", "varied"], sort=False):
        exponents = np.diff(np.log(same["seconds"])) / np.diff(np.log(same["value"]))
        cells = [
            f"{value:,}: {_time(seconds)}{f' ({exponent:.1f})' if np.isfinite(exponent) else ''}, {mb:,.0f} MB"
            for value, seconds, exponent, mb in zip(
                same["value"], same["seconds"], [np.nan, *exponents], same["mb"], strict=True
            )
        ]
        rows.append([work, varied, "; ".join(cells)])
    return markdown(rows, ["work", "varied", "time (growth), peak memory"])


def _time(seconds: float) -> str:
    return f"{1e3 * seconds:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


if __name__ == "__main__":
    parser = arguments(__doc__, __file__)
    parser.add_argument("--work", nargs="+", choices=WORK, default=list(WORK), help="all, unless said")
    parser.add_argument("--most", type=int, default=10**9, help="leave out greater sizes")
    parser.add_argument("--one", help="one row: work and sizes as JSON")
    args = parser.parse_args()
    if args.one:
        print(json.dumps(one(*json.loads(args.one))))
        sys.exit()
    rows = []
    for work in args.work:
        for varied, values in SIZES[work].items():
            for value in values:
                if value <= args.most:
                    rows.append(measured(work, varied, value))
                    print(*rows[-1].values(), flush=True)
    table = pd.DataFrame(rows)
    keep(table, args.output)
    print(table_of(table))
