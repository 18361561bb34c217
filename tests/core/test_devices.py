"""Precision of products."""

import torch

from slowpoints.core.devices import precision


def test_precision_holds_inside_and_is_put_back():
    before = torch.backends.cuda.matmul.fp32_precision
    with precision("tf32"):
        assert torch.backends.cuda.matmul.fp32_precision == "tf32"
    assert torch.backends.cuda.matmul.fp32_precision == before
