"""Training throughput: networks x steps per second, ensembles against one PyTorch network at a time.

    python benchmarks/training.py                      # sizes of the paper's MNIST networks
    python benchmarks/training.py --hidden 64 --pixels 64 --batch 32 --bank 128 --architecture lstm

What a user would pick instead is `torch.nn.GRU` or `torch.nn.LSTM`, one network at a time, every frame of noise drawn
anew. All in one process, on one thread or one GPU, in turns, so that ratios hold where the machine's speed drifts.
`peak` is the share of what the device reaches in one large float32 matrix product. Writes training.parquet.
"""

import time

import numpy as np
import pandas as pd
import torch
from _results import arguments, keep, markdown
from torch import nn

from slowpoints.core.devices import PRECISIONS, precision
from slowpoints.core.presets.training import Schedules, Training
from slowpoints.datasets.images import ImageSet
from slowpoints.networks.ensemble import Specification, initialise
from slowpoints.task.curricula import Stage, class_orders
from slowpoints.task.loss import REPORT_WEIGHT
from slowpoints.task.protocols import PROTOCOLS
from slowpoints.task.timing import FRAMES
from slowpoints.training.loop import Run

CLASSES = 10
RATE = 1e-4
ENDLESS = 10**9  # steps: no timing gets to the end
ROUNDS = 5  # of timing, in turns; the median counts


class OneAtATime(nn.Module):
    """The plain way: `torch.nn` layers over all frames, noise drawn in bulk."""

    def __init__(self, architecture: str, pixels: int, hidden: int, batch: int, device: str):
        super().__init__()
        layer = {"gru": nn.GRU, "lstm": nn.LSTM}[architecture]
        self.recurrent, self.readout = layer(pixels + 1, hidden), nn.Linear(hidden, CLASSES + 1)
        self.to(device)
        self.batch, self.pixels, self.device = batch, pixels, device
        self.optimiser = torch.optim.Adam(self.parameters(), lr=RATE, fused=device == "cuda")
        self.images = torch.rand(1000, pixels, device=device)
        self.labels = torch.randint(CLASSES, (1000,), device=device)

    def step(self) -> None:
        trial = torch.arange(self.batch, device=self.device)
        frames = torch.randn(FRAMES, self.batch, self.pixels + 1, device=self.device).mul_(0.3).add_(0.1)
        row = torch.randint(1000, (self.batch,), device=self.device)
        stimulus = torch.randint(16, (self.batch,), device=self.device)
        report = torch.minimum(stimulus + 4 + torch.randint(16, (self.batch,), device=self.device), torch.tensor(19))
        frames[..., -1] = 0
        frames[stimulus, trial, :-1] = self.images[row]
        frames[report, trial, -1] = 1
        target = torch.zeros(FRAMES, self.batch, dtype=torch.long, device=self.device)
        target[report, trial] = self.labels[row] + 1
        weight = 1 + (REPORT_WEIGHT - 1) * (target > 0)
        logits = self.readout(self.recurrent(frames)[0])
        cost = nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten(), reduction="none")
        loss = (cost * weight.flatten()).sum() / (FRAMES * self.batch)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()


def ensemble(architecture: str, pixels: int, hidden: int, batch: int, bank: int, networks: int, device: str):
    """A step of our training of so many networks."""
    rng = np.random.default_rng(0)
    labels = (np.arange(1000) % CLASSES).astype(np.int16)
    images = ImageSet(rng.integers(0, 256, (1000, 1, pixels, 1), dtype=np.uint8), labels, CLASSES, 0.1, 0.3)
    shape = (1, pixels, 1)
    spec = Specification("bench", architecture, "none", hidden, CLASSES, shape, 0.1, 0.3, "softmax", None, 0)
    training = Training(
        steps=ENDLESS,
        batch_size=batch,
        learning_rate=RATE,
        rate_drop=None,
        readout=spec.readout,
        noise="bank" if bank else "fresh",
        bank=bank or 1,
        clip_norm=None,
        precision="float32",  # not read here: all ways are timed in the precision that was asked for
        cuda_graph=True,
        schedules=Schedules(),  # not followed: the full task throughout
    )
    stage = Stage(0, ENDLESS, CLASSES, FRAMES, 1.0, RATE)
    orders = class_orders(PROTOCOLS[spec.protocol], CLASSES, spec.dataset, range(networks))
    run = Run(initialise(spec, range(networks), device), images, training, [stage], "bench", orders=orders)
    run.enter(stage)
    return run.advance


def seconds(step, steps: int, device: str) -> float:
    """Seconds a step."""
    start = time.perf_counter()
    for _ in range(steps):
        step()
    if device == "cuda":
        torch.cuda.synchronize()
    return (time.perf_counter() - start) / steps


def peak_flops(device: str) -> float:
    """Operations per second in a large float32 product."""
    a = torch.randn(2048, 2048, device=device)
    a @ a
    return 2 * 2048**3 / min(seconds(lambda: a @ a, 3, device) for _ in range(3))


def flops(pixels: int, hidden: int, batch: int, bank: int, gates: int) -> float:
    """Operations of the products of one network's step, forward and backward."""
    rows = (bank or FRAMES * batch) + batch
    return 2 * (2 * rows * pixels + 3 * FRAMES * batch * hidden) * gates * hidden


def table_of(*tables: pd.DataFrame) -> str:
    """In Markdown: each table's architecture beside the other's."""
    names = [table["architecture"].iloc[0].upper() for table in tables]
    columns = [f"{name}: {what}" for name in names for what in ("networks x steps per s", "share of peak", "ratio")]
    rows = []
    for same in zip(*(table.itertuples() for table in tables), strict=True):
        numbers = [(f"{row.networks_steps_per_s:.1f}", f"{row.peak:.2f}", f"{row.ratio:.2f}") for row in same]
        rows.append([same[0].way, same[0].networks, *(number for each in numbers for number in each)])
    return markdown(rows, ["way", "networks", *columns])


if __name__ == "__main__":
    parser = arguments(__doc__, __file__)
    parser.add_argument("--architecture", choices=("gru", "lstm"), default="gru")
    for name, size in (("pixels", 784), ("hidden", 200), ("batch", 128), ("bank", 256), ("steps", 5)):
        parser.add_argument(f"--{name}", type=int, default=size)
    parser.add_argument("--networks", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    torch.set_num_threads(1)
    size = (args.architecture, args.pixels, args.hidden, args.batch)
    ways = {("torch.nn, fresh noise", 1): OneAtATime(*size, args.device).step}
    for networks in args.networks:
        ways[("ensemble, fresh noise", networks)] = ensemble(*size, 0, networks, args.device)
        ways[(f"ensemble, bank of {args.bank}", networks)] = ensemble(*size, args.bank, networks, args.device)
    with precision(args.precision):
        times = {way: [] for way in ways}
        for step in ways.values():
            seconds(step, 2, args.device)
        for _ in range(ROUNDS):
            for way, step in ways.items():
                times[way].append(seconds(step, args.steps, args.device))
        peak = peak_flops(args.device)
    gates = {"gru": 3, "lstm": 4}[args.architecture]
    rows = []
    for (way, networks), spent in times.items():
        step = float(np.median(spent))
        bank = args.bank if "bank" in way else 0
        work = networks * flops(args.pixels, args.hidden, args.batch, bank, gates)
        speed = {"ms_per_step": 1e3 * step, "networks_steps_per_s": networks / step, "peak": work / step / peak}
        rows.append({"way": way, "networks": networks} | speed)
    table = pd.DataFrame(rows)
    table["ratio"] = table["networks_steps_per_s"] / table["networks_steps_per_s"].iloc[0]
    settings = {name: value for name, value in vars(args).items() if name not in ("networks", "output")}
    keep(table.assign(**settings, gflops=peak / 1e9), args.output)
    print(f"{vars(args)}\nlarge product: {peak / 1e9:.0f} GFLOP/s")
    print(table.round({"ms_per_step": 1, "networks_steps_per_s": 1, "peak": 2, "ratio": 2}).to_string(index=False))
