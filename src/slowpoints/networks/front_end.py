"""Convolutional front end, from images to the input of the recurrent units.

Convolutional blocks of 3x3 convolution (same padding), leaky ReLU and 2x2 max-pooling, then dense layers with leaky
ReLU, as in the authors' CIFAR-10 networks. Every network of an ensemble has its own front end, trained with it.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from slowpoints.core.presets.network import Layers

KERNEL = 3
LEAK = 0.2  # slope of the authors' leaky ReLU for negative input (TensorFlow's default)


def front_end_shapes(layers: Layers, image_shape: tuple[int, int, int]) -> dict[str, tuple[int, ...]]:
    """Shape of each weight of one network: dense layers `[in, out]`, convolutions `[out, in, 3, 3]`.

    Raises:
        ValueError: if the image is too small for so many poolings.
    """
    height, width, channels = image_shape
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, filters in enumerate(layers.filters):
        shapes[f"front_end.conv{layer}.weight"] = (filters, channels, KERNEL, KERNEL)
        shapes[f"front_end.conv{layer}.bias"] = (filters,)
        height, width, channels = height // 2, width // 2, filters
    if not height or not width:
        raise ValueError(
            f"images of {image_shape[0]}x{image_shape[1]} are too small for {len(layers.filters)} poolings"
        )
    features = height * width * channels
    for layer, units in enumerate(layers.dense):
        shapes[f"front_end.dense{layer}.weight"] = (features, units)
        shapes[f"front_end.dense{layer}.bias"] = (units,)
        features = units
    return shapes


def front_end_features(
    layers: Layers, weights: dict[str, Tensor], frames: Tensor, image_shape: tuple[int, int, int]
) -> Tensor:
    """Features of frames.

    Args:
        layers: sizes of the front end.
        weights: the ensemble's, `[S, ...]` each.
        frames: `[S, R, N]`, N = height * width * channels, channels last.
        image_shape: (height, width, channels).

    Returns:
        `[S, R, F]`, F units of the last dense layer.
    """
    # One network at a time: grouped convolutions are slower on a CPU, and a network's bits would depend on the size of
    # the ensemble. Channels-last frames are a view, and the fast layout.
    maps = []
    for network, network_frames in enumerate(frames):
        image = network_frames.view(-1, *image_shape).permute(0, 3, 1, 2)
        for layer in range(len(layers.filters)):
            weight = weights[f"front_end.conv{layer}.weight"][network]
            bias = weights[f"front_end.conv{layer}.bias"][network]
            image = F.conv2d(image, weight, bias, padding=KERNEL // 2)
            # The leaky ReLU is increasing, so pooling first gives the same values with a quarter of the work.
            image = F.leaky_relu(F.max_pool2d(image, 2), LEAK)
        maps.append(image.permute(0, 2, 3, 1).flatten(1))
    features = torch.stack(maps)
    for layer in range(len(layers.dense)):
        weight, bias = weights[f"front_end.dense{layer}.weight"], weights[f"front_end.dense{layer}.bias"]
        features = F.leaky_relu(torch.baddbmm(bias[:, None], features, weight), LEAK)
    return features
