"""The head of tensor files, without PyTorch."""

import pytest
import torch

from slowpoints.core.headers import safetensors_facts
from slowpoints.core.tensors import read_tensors, write_tensors


def test_facts_are_those_that_were_written(tmp_path):
    write_tensors({"weight": torch.ones(2)}, tmp_path / "weights", {"seeds": [0, 1]})
    assert safetensors_facts(tmp_path / "weights") == read_tensors(tmp_path / "weights")[1]


@pytest.mark.parametrize(
    "content", [b"", b"\x02", b"\x02" + bytes(7) + b"{}", b"\xff" * 30, b"\x06" + bytes(7) + b"[[[[[[", bytes(100)]
)
def test_a_damaged_file_has_none(tmp_path, content):
    (tmp_path / "weights").write_bytes(content)
    assert safetensors_facts(tmp_path / "weights") == {}
