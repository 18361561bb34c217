"""Performance of networks on the task on which they were trained."""

from __future__ import annotations

import pandas as pd
import torch

from slowpoints.core.arguments import whole_number
from slowpoints.core.progress import report_stage
from slowpoints.core.streams import uniform
from slowpoints.core.torch_modes import usual_defaults
from slowpoints.datasets.images import ImageSet
from slowpoints.networks.ensemble import Networks, check_measured
from slowpoints.task.loss import accuracies, in_use_mask
from slowpoints.task.timing import FRAMES
from slowpoints.task.trials import DRAWS, Batch, draw_trials, fresh_rows

TRIALS_AT_ONCE = 128  # per network, to bound memory use


@usual_defaults()
@torch.no_grad()
def measure_accuracy(networks: Networks, images: ImageSet, *, n_images: int) -> pd.DataFrame:
    """Accuracy on the trained task: trials of the full training distribution, with these images and fresh noise.

    Args:
        networks: S networks.
        images: test images.
        n_images: trials per network.

    Returns:
        A row for each network: seed, nominal_accuracy (share of correct reports), null_accuracy (share of correct
        nulls at other frames), n_parameters, steps, device (on which it was trained).

    Raises:
        TypeError, ValueError: naming the argument, if images do not fit the networks, or `n_images` is not at least 1.
    """
    check_measured(networks, images)
    n_images = whole_number(n_images, "n_images", least=1)
    spec, device = networks.spec, networks.device
    table = networks.image_table(images)
    order = torch.arange(spec.classes, device=device).expand(len(networks), -1)
    mask = in_use_mask(order, spec.classes)
    trial_streams, noise_streams = networks.streams("accuracy trials"), networks.streams("accuracy noise")
    report = null = torch.zeros(len(networks), dtype=torch.float64, device=device)
    with report_stage("accuracy", n_images, unit="trial") as progress:
        for first in range(0, n_images, TRIALS_AT_ONCE):
            size = min(TRIALS_AT_ONCE, n_images - first)
            draws = torch.empty(len(networks), size, DRAWS, dtype=torch.float64, device=device)
            trials = draw_trials(uniform(trial_streams, draws), table, order, spec.classes, FRAMES)
            batch = Batch(len(networks), size, size * FRAMES, spec.pixels, device)
            networks.noise(noise_streams, batch.noise)
            batch.show(trials, table.pixels(trials.image), fresh_rows(len(networks), size, FRAMES, device))
            at_report, elsewhere = accuracies(networks.run_trials(batch), trials, mask)
            report, null = report + size * at_report, null + size * elsewhere
            progress.update(size)
    return pd.DataFrame(
        {
            "seed": networks.seeds,
            "nominal_accuracy": (report / n_images).cpu(),
            "null_accuracy": (null / n_images).cpu(),
            "n_parameters": networks.n_parameters,
            "steps": spec.steps,
            "device": networks.trained_on,
        }
    )
