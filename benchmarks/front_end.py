"""The convolutional front end, forward and backward: networks in turn, as one grouped convolution, as one product.

    python benchmarks/front_end.py                                            # sizes of the paper's CIFAR-10 networks
    python benchmarks/front_end.py --filters 16 32 --dense 64 --rows 96 --networks 4     # of `cifar10-small`

`networks.front_end` takes networks in turn; this shows what it would gain from taking them together. On one thread or
one GPU, in turns, so that ratios hold where the machine's speed drifts. Writes front_end.parquet.
"""

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from _results import arguments, keep, markdown
from training import ROUNDS, seconds

from slowpoints.core.devices import PRECISIONS, precision
from slowpoints.core.presets.network import Layers
from slowpoints.networks.front_end import KERNEL, LEAK, front_end_features, front_end_shapes

IMAGE = (32, 32, 3)


def grouped(image, weight, bias):
    """`[R, S * in, h, w]` to `[R, S * out, h, w]` for weights `[S, out, in, 3, 3]`: one convolution, S groups."""
    return F.conv2d(image, weight.flatten(0, 1), bias.flatten(), padding=KERNEL // 2, groups=len(weight))


def one_product(image, weight, bias):
    """The same by laying out each pixel's surroundings, and one batched product."""
    networks, out = weight.shape[:2]
    rows, _, height, width = image.shape
    patches = F.unfold(image.view(rows * networks, -1, height, width), KERNEL, padding=KERNEL // 2)
    patches = patches.view(rows, networks, -1, height * width).permute(1, 0, 3, 2).flatten(1, 2)
    maps = torch.baddbmm(bias[:, None], patches, weight.flatten(2).mT)
    return maps.view(networks, rows, -1, out).permute(1, 0, 3, 2).reshape(rows, networks * out, height, width)


def together(layers, weights, frames, convolution):
    """Features as `front_end_features` gives them, by a convolution of all networks at once."""
    networks, rows = frames.shape[:2]
    image = frames.view(networks, rows, *IMAGE).permute(1, 0, 4, 2, 3).flatten(1, 2)
    for layer in range(len(layers.filters)):
        weight, bias = (weights[f"front_end.conv{layer}.{name}"] for name in ("weight", "bias"))
        image = F.leaky_relu(F.max_pool2d(convolution(image, weight, bias), 2), LEAK)
    features = image.unflatten(1, (networks, -1)).permute(1, 0, 3, 4, 2).flatten(2)
    for layer in range(len(layers.dense)):
        weight, bias = (weights[f"front_end.dense{layer}.{name}"] for name in ("weight", "bias"))
        features = F.leaky_relu(torch.baddbmm(bias[:, None], features, weight), LEAK)
    return features


def table_of(*tables: pd.DataFrame) -> str:
    """In Markdown: layers beside one another."""
    columns = [f"{table['layers'].iloc[0]}: {what}" for table in tables for what in ("ms", "ratio")]
    rows = []
    for same in zip(*(table.itertuples() for table in tables), strict=True):
        rows.append([same[0].way, *(number for row in same for number in (f"{row.ms:.0f}", f"{row.ratio:.2f}"))])
    return markdown(rows, ["way", *columns])


if __name__ == "__main__":
    parser = arguments(__doc__, __file__)
    parser.add_argument("--filters", type=int, nargs="+", default=[128, 128, 128])
    parser.add_argument("--dense", type=int, nargs="+", default=[2048, 2048, 1024])
    parser.add_argument("--rows", type=int, default=320, help="a bank of 256 frames and a batch of 64 images")
    parser.add_argument("--networks", type=int, default=5)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    torch.set_num_threads(1)
    layers = Layers(tuple(args.filters), tuple(args.dense))
    weights = {
        name: (0.05 * torch.randn(args.networks, *shape, device=args.device)).requires_grad_()
        for name, shape in front_end_shapes(layers, IMAGE).items()
    }
    frames = torch.rand(args.networks, args.rows, int(np.prod(IMAGE)), device=args.device)
    forward = {
        "in turn": lambda: front_end_features(layers, weights, frames, IMAGE),
        "grouped convolution": lambda: together(layers, weights, frames, grouped),
        "one product": lambda: together(layers, weights, frames, one_product),
    }
    with precision(args.precision):
        expected = forward["in turn"]()
        for way in forward.values():
            torch.testing.assert_close(way(), expected, rtol=1e-2, atol=1e-3)
        times = {way: [] for way in forward}
        for _ in range(ROUNDS):
            for way, run in forward.items():
                times[way].append(seconds(lambda run=run: run().sum().backward(), args.steps, args.device))
    table = pd.DataFrame({"way": list(times), "ms": [1e3 * np.median(spent) for spent in times.values()]})
    table["ratio"] = table["ms"].iloc[0] / table["ms"]
    layers_of = f"{'-'.join(map(str, args.filters))} filters, {'-'.join(map(str, args.dense))} units"
    keep(table.assign(device=args.device, networks=args.networks, layers=layers_of), args.output)
    print(f"{vars(args)}\n{table.round({'ms': 1, 'ratio': 2}).to_string(index=False)}")
