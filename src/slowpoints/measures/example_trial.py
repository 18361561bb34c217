"""An example trial of each data set, for the figure `task`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from slowpoints.core.streams import numpy_generator
from slowpoints.core.tables import stored_class_names
from slowpoints.datasets.images import ImageSet, load_images
from slowpoints.task.timing import FRAMES

STIMULUS, REPORT = 3, 13  # frames of the image and of the report in the example


def example_trials(paths: Iterable[str | Path]) -> pd.DataFrame:
    """The table `task`: one trial of each data set, a row for each frame.

    Args:
        paths: files `results/datasets/{dataset}/{part}.parquet`.
    """
    return pd.concat([_trial(Path(path).parent.name, load_images(path)) for path in paths], ignore_index=True)


def class_names(paths: Iterable[str | Path]) -> dict[str, list[str]]:
    """Class names by data set, for those that have any.

    Args:
        paths: as for `example_trials`.
    """
    names = {Path(path).parent.name: stored_class_names(path) for path in paths}
    return {dataset: stored for dataset, stored in names.items() if stored is not None}


def _trial(dataset: str, images: ImageSet) -> pd.DataFrame:
    rng = numpy_generator("example trial", dataset)
    frames = rng.normal(images.mean, images.std, (FRAMES, *images.shape)).astype(np.float32)
    row = int(rng.integers(len(images)))
    frames[STIMULUS] = images.images[row] / 255
    at_report = np.arange(FRAMES) == REPORT
    label = int(images.labels[row])
    return pd.DataFrame(
        {
            "dataset": dataset,
            "frame": np.arange(FRAMES),
            "label": label,
            "stimulus": (np.arange(FRAMES) == STIMULUS).astype(int),
            "trigger": at_report.astype(int),
            "target": np.where(at_report, label + 1, 0),
            "height": images.shape[0],
            "width": images.shape[1],
            "channels": images.shape[2],
            "image": list(frames.reshape(FRAMES, -1)),
        }
    )
