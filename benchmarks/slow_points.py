"""Searches for slow points against one another: ours, FixedPointFinder, and SciPy's point by point.

Networks of torch.nn trained on the 3-bit flip-flop, and those of a study, each with the same starts for all:

    python benchmarks/slow_points.py --fixed-point-finder PATH --study results

PATH is a checkout of github.com/mattgolub/fixed-point-finder; without it the others run alone. One thread; CPU time.
FixedPointFinder runs at its defaults, but without Jacobians, which ours works out when asked. Speeds are those of the
module in float64. Rows go to benchmarks/slow_points.parquet. Trained on short trials, in which a memory need not last,
a network has few fixed points:

    python benchmarks/slow_points.py --kinds GRU --units 128 --points 30 300 --steps 1500 --frames 6 --rate 0.5
"""

import argparse
import contextlib
import io
import itertools
import math
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from _flip_flop import FRAMES, PULSES, trained
from _results import arguments, keep, markdown
from _study import ROOT
from safetensors.torch import load_file, save_file
from scipy.optimize import least_squares, minimize
from torch import Tensor, nn

from slowpoints import Dynamics, find_slow_points, flip_flop_trials, load_networks, slow_points_of, states_of
from slowpoints.adapters.frames import Frame, Frozen, frozen
from slowpoints.dynamics.snapshots import TENSORS
from slowpoints.dynamics.speed import StepResidual

AT_REST = 1e-6  # speed a frame
ONE_BY_ONE, COORDINATES = 30, 128  # points, and coordinates, at most that SciPy is given: it takes one at a time
NUMBERS = 40_000  # points times coordinates, at most that are searched without Newton's method
NOISE = 0.1  # of the starts, so that saddles are met as well


class Case(NamedTuple):
    """A network, starts, and the input that they are searched under.

    Attributes:
        name: of the network.
        module: `torch.nn` has it, or one that is called in the same way.
        starts: `[P, n]`, float32, as FixedPointFinder takes them.
        network: the map of the module, float64.
    """

    name: str
    module: nn.Module
    starts: Tensor
    network: Frozen


class Flat(nn.Module):
    """An LSTM whose state is h and c side by side, as FixedPointFinder needs it."""

    batch_first = False

    def __init__(self, lstm: nn.LSTM):
        super().__init__()
        self.lstm = lstm

    def forward(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        _, parts = self.lstm(inputs, tuple(part.contiguous() for part in state.chunk(2, dim=-1)))
        after = torch.cat(parts, dim=-1)
        return after, after


class OfTheGrid(nn.Module):
    """A network of a study, called as `torch.nn.RNN` is."""

    batch_first, input_size = False, 1

    def __init__(self, dynamics: Dynamics):
        super().__init__()
        self.dynamics = dynamics
        self.weights = nn.ParameterDict({name: nn.Parameter(getattr(dynamics, name).float()) for name in TENSORS})

    def forward(self, inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        after = Dynamics(self.dynamics.architecture, **self.weights).step(state[0])[None]
        return after, after


def ours(case: Case, newton: int = 40, merge: float = 0.02) -> tuple[Tensor, float]:
    """As `slow_points_of` does it."""
    network = case.network
    points = find_slow_points(
        network.step,
        case.starts,
        network.lower,
        network.upper,
        residual=network.residual,
        newton=newton,
        merge=merge,
    )
    return points.state, points.converged.double().mean().item()


def fixed_point_finder(case: Case) -> tuple[Tensor, float]:
    from FixedPointFinderTorch import FixedPointFinderTorch

    module = Flat(case.module) if isinstance(case.module, nn.LSTM) else case.module
    with contextlib.redirect_stdout(io.StringIO()):
        finder = FixedPointFinderTorch(module, verbose=False, do_compute_jacobians=False, do_decompose_jacobians=False)
        inputs = np.zeros((1, case.module.input_size), dtype=np.float32)
        _, points = finder.find_fixed_points(case.starts.numpy().copy(), inputs)  # a copy, since it overwrites them
    return torch.tensor(points.xstar).double(), float((points.qstar < finder.tol_q).mean())


def bounded_least_squares(case: Case) -> tuple[Tensor, float]:
    residual, bounds = case.network.residual, (case.network.lower.numpy(), case.network.upper.numpy())

    def solve(start: np.ndarray) -> tuple[np.ndarray, bool]:
        inside = start.clip(*bounds)
        done = least_squares(
            lambda z: residual(torch.tensor(z)[None])[0].numpy(),
            np.where(np.isfinite(bounds[0]), inside * (1 - 1e-9), inside),  # strictly inside, as it must be
            jac=lambda z: residual.jacobian(torch.tensor(z)[None])[0].numpy(),
            bounds=bounds,
            xtol=1e-12,
            ftol=1e-15,
            gtol=1e-12,
        )
        return done.x, done.success

    return _one_by_one(solve, case.starts)


def l_bfgs_b(case: Case) -> tuple[Tensor, float]:
    residual = case.network.residual
    bounds = list(zip(case.network.lower.tolist(), case.network.upper.tolist(), strict=True))

    def value(z: np.ndarray) -> tuple[float, np.ndarray]:
        state = torch.tensor(z)[None]
        return residual.objective(state).item(), residual.gradient(state)[0].numpy()

    def solve(start: np.ndarray) -> tuple[np.ndarray, bool]:
        options = {"maxiter": 5000, "maxfun": 10_000, "ftol": 0, "gtol": 1e-10}
        done = minimize(value, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
        return done.x, done.success

    return _one_by_one(solve, case.starts)


def _one_by_one(solve: Callable[[np.ndarray], tuple[np.ndarray, bool]], starts: Tensor) -> tuple[Tensor, float]:
    states, converged = zip(*(solve(start) for start in starts.double().numpy()), strict=True)
    return torch.tensor(np.stack(states)), float(np.mean(converged))


OURS = "slowpoints"
TOOLS = {
    OURS: ours,
    "slowpoints, merge=0": partial(ours, merge=0),
    "slowpoints, newton=0": partial(ours, newton=0),
    "FixedPointFinder": fixed_point_finder,
    "SciPy least_squares": bounded_least_squares,
    "SciPy L-BFGS-B": l_bfgs_b,
}
"""Each from a case to its states `[P, n]` and the share that it calls converged."""


def flip_flop_cases(args: argparse.Namespace) -> Iterator[Case]:
    """Networks trained on the flip-flop; starts from trials that they had no part in."""
    for kind, units, seed in itertools.product(args.kinds, args.units, args.seeds):
        module = _trained_once(kind, units, seed, args)
        states = states_of(module, flip_flop_trials(64, 40, seed=999)[0])[5:]
        name = f"flip-flop {kind} {units}" + (f", seed {seed}" if len(args.seeds) > 1 else "")
        for points in args.points:
            starts = slow_points_of(module, states, starts=points, noise=NOISE, max_iterations=0).start
            yield Case(name, module, starts.float(), frozen(Frame(module), None))


def _trained_once(kind: str, units: int, seed: int, args: argparse.Namespace) -> nn.RNNBase:
    """A network of an earlier run, or one that is trained now and kept."""
    task = "" if (args.frames, args.rate) == (FRAMES, PULSES) else f"-{args.frames}-{args.rate}"
    file = args.networks / f"{kind}-{units}-{args.steps}{task}{f'-seed-{seed}' if seed else ''}.safetensors"
    if not file.is_file():
        module, error = trained(kind, units, args.steps, frames=args.frames, rate=args.rate, seed=seed)
        print(f"{kind} {units}, seed {seed}: squared error {error:.5f}", flush=True)
        args.networks.mkdir(parents=True, exist_ok=True)
        save_file(module.state_dict(), file)
    module = getattr(nn, kind)(3, units)
    module.load_state_dict(load_file(file))
    return module


def study_cases(results: Path) -> Iterator[Case]:
    """The first network of each cell of the digits, from its slow points as the authors' descent left them."""
    for cell in sorted(results.glob("networks/digits/*/*/trained/*")):
        networks = load_networks(cell.parent)
        of_all = Dynamics.of(networks)
        weights = {name: getattr(of_all, name)[:1] for name in TENSORS}
        dynamics = Dynamics(of_all.architecture, **weights)
        table = pd.read_parquet(cell / "slow_points.parquet")
        first = table[table["seed"] == table["seed"].min()]
        starts = torch.tensor(np.stack(first["state"]))
        bound = torch.full((dynamics.coordinates,), math.inf, dtype=torch.float64)
        bound[: dynamics.hidden] = 1
        network = Frozen(dynamics.step, StepResidual(dynamics), -bound, bound)
        yield Case("/".join(cell.parts[-5:-2]), OfTheGrid(dynamics), starts.float(), network)


def _in_time(case: Case, tool: str) -> bool:
    """Whether a tool comes to its end within minutes."""
    points, coordinates = case.starts.shape
    if tool.startswith("SciPy"):
        return points <= ONE_BY_ONE and coordinates <= COORDINATES
    return tool in (OURS, "FixedPointFinder") or points * coordinates <= NUMBERS


def measured(case: Case, tool: str) -> dict:
    """A row of the table."""
    start = time.process_time()
    states, converged = TOOLS[tool](case)
    seconds = time.process_time() - start
    speed = case.network.residual(states).norm(dim=1)
    inside = ((states >= case.network.lower) & (states <= case.network.upper)).all(1)
    return {
        "network": case.name,
        "points": len(case.starts),
        "tool": tool,
        "seconds": seconds,
        "mean_speed": speed.mean().item(),
        "median_speed": speed.median().item(),
        "worst_speed": speed.max().item(),
        "at_rest": (speed <= AT_REST).double().mean().item(),
        "inside": inside.double().mean().item(),
        "converged": converged,
    }


def table_of(table: pd.DataFrame) -> str:
    """In Markdown: seconds and worst speed of each tool, and in brackets how many times ours it takes."""
    tools, rows = list(dict.fromkeys(table["tool"])), []
    for (network, points), same in table.groupby(["network", "points"], sort=False):
        of_tool, row = same.set_index("tool"), [network, points]
        for tool in tools:
            if tool not in of_tool.index:
                row.append("")
                continue
            spent, worst = of_tool.loc[tool, ["seconds", "worst_speed"]]
            compared = tool != OURS and OURS in of_tool.index
            times = f" ({spent / of_tool.loc[OURS, 'seconds']:.1f}x)" if compared else ""
            row.append(f"{spent:.2f} s{times}, {worst:.0e}")
        rows.append(row)
    return markdown(rows, ["network", "points", *tools])


if __name__ == "__main__":
    parser = arguments(__doc__, __file__)
    parser.add_argument("--kinds", nargs="*", default=["RNN", "GRU", "LSTM"], help="of torch.nn")
    parser.add_argument("--units", nargs="*", type=int, default=[64, 128, 256])
    parser.add_argument("--points", nargs="*", type=int, default=[30, 300, 1000])
    parser.add_argument("--steps", type=int, default=3000, help="of training on the flip-flop")
    parser.add_argument("--frames", type=int, default=FRAMES, help="of its trials")
    parser.add_argument("--rate", type=float, default=PULSES, help="of its pulses, per frame and channel")
    parser.add_argument("--seeds", nargs="*", type=int, default=[0], help="of weights and trials")
    parser.add_argument("--tools", nargs="*", choices=TOOLS, default=list(TOOLS))
    parser.add_argument("--networks", type=Path, default=ROOT / "results/flip-flop", help="folder that keeps them")
    parser.add_argument("--fixed-point-finder", type=Path, metavar="PATH", help="a checkout of it")
    parser.add_argument("--study", type=Path, metavar="RESULTS", help="folder of results with networks of the digits")
    args = parser.parse_args()
    torch.set_num_threads(1)
    if args.fixed_point_finder:
        sys.path.insert(0, str(args.fixed_point_finder))
    tools = [tool for tool in args.tools if args.fixed_point_finder or tool != "FixedPointFinder"]
    rows = []
    for case in itertools.chain(flip_flop_cases(args), study_cases(args.study) if args.study else ()):
        for tool in tools:
            if _in_time(case, tool):
                rows.append(measured(case, tool))
                print(*(f"{name} {value}" for name, value in rows[-1].items()), sep=", ", flush=True)
    table = pd.DataFrame(rows)
    keep(table, args.output)
    print(table_of(table))
