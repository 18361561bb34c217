"""A captured training step gives the same results; capture itself needs a GPU."""

from dataclasses import replace

import pytest
import torch
from helpers import train

from slowpoints.training.cuda_graph import Captured


def test_a_captured_step_trains_as_a_plain_one(make_networks, images, training):
    if not torch.cuda.is_available():
        pytest.skip("no GPU: a training step cannot be captured as a CUDA graph")

    def trained(captured):
        with pytest.MonkeyPatch.context() as patch:
            if not captured:
                patch.setattr(Captured, "_capture", lambda self: None)
            networks = make_networks(double=False).to("cuda")
            return train(networks, images, replace(training, steps=60))[0].weights

    plain, captured = trained(False), trained(True)
    for name in plain:
        torch.testing.assert_close(captured[name], plain[name], rtol=1e-4, atol=1e-5)
