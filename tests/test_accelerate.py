"""What speeds a training step up leaves its results as they are; capture itself needs a GPU."""

import pytest
import torch

from slowpoints.accelerate import Captured, _Compiled, fused, precision
from slowpoints.cells import CELLS

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # of PyTorch's own compiler


@pytest.mark.slow  # half a minute of compiling
@pytest.mark.parametrize("architecture", ["gru", "lstm"])
def test_a_fused_unit_computes_the_same(architecture):
    cell, hidden = CELLS[architecture], 8
    stream = torch.Generator().manual_seed(0)
    weights = cell.split(torch.randn(2, hidden, cell.gates * hidden, generator=stream))
    drive = cell.split(torch.randn(2, 3, cell.gates * hidden, generator=stream))
    state = tuple(torch.randn(2, 3, hidden, generator=stream) for _ in range(cell.parts))
    plain, quick = ([*unit.step(drive, state, weights)] for unit in (cell, fused(cell)))
    torch.testing.assert_close(quick[0], plain[0])
    plain, quick = (unit.adjoint(state, state, plain[1], weights) for unit in (cell, fused(cell)))
    torch.testing.assert_close(quick, plain)


def test_what_cannot_be_compiled_runs_as_it_is(caplog):
    def work(x):
        return x + 1

    compiled = _Compiled(work)

    def broken(x):
        raise RuntimeError("no compiler")

    compiled.run = broken
    assert compiled(1) == 2
    assert compiled(2) == 3
    assert caplog.text.count("no compiler") == 1


def test_an_error_of_the_work_itself_is_not_hidden():
    compiled = _Compiled(lambda x: 1 / x)
    compiled.run = compiled.plain
    with pytest.raises(ZeroDivisionError):
        compiled(0)


def test_precision_holds_inside_and_is_put_back():
    before = torch.backends.cuda.matmul.fp32_precision
    with precision("tf32"):
        assert torch.backends.cuda.matmul.fp32_precision == "tf32"
    assert torch.backends.cuda.matmul.fp32_precision == before


def test_a_captured_step_trains_as_a_plain_one(make_networks, images, training):
    if not torch.cuda.is_available():
        pytest.skip("no GPU: a training step cannot be captured as a CUDA graph")
    from slowpoints.training import train

    def trained(captured):
        with pytest.MonkeyPatch.context() as patch:
            if not captured:
                patch.setattr(Captured, "_capture", lambda self: None)
            networks = make_networks(double=False).to("cuda")
            return train(networks, images, {**training, "steps": 60})[0].weights

    plain, captured = trained(False), trained(True)
    for name in plain:
        torch.testing.assert_close(captured[name], plain[name], rtol=1e-4, atol=1e-5)
