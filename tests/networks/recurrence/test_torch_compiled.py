"""Units compiled for a GPU compute the same, and run uncompiled if compilation fails."""

import pytest
import torch

from slowpoints.networks.recurrence.torch_compiled import _Compiled, fused
from slowpoints.networks.units import unit_named, units

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")  # of PyTorch's own compiler


@pytest.mark.slow  # half a minute of compiling
@pytest.mark.parametrize("architecture", units())
def test_a_fused_unit_computes_the_same(architecture):
    unit, hidden = unit_named(architecture), 8
    stream = torch.Generator().manual_seed(0)
    columns = sum(unit.recurrent_gates) * hidden
    weights = unit.split_recurrent(torch.randn(2, hidden, columns, generator=stream))
    drive = unit.split(torch.randn(2, 3, unit.gates * hidden, generator=stream))
    state = tuple(torch.randn(2, 3, hidden, generator=stream) for _ in range(unit.parts))
    plain, quick = ([*each.step(drive, state, weights)] for each in (unit, fused(unit)))
    torch.testing.assert_close(quick[0], plain[0])
    plain, quick = (each.adjoint(state, state, plain[1], weights) for each in (unit, fused(unit)))
    torch.testing.assert_close(quick, plain)


def test_a_function_that_cannot_be_compiled_runs_uncompiled(caplog):
    def work(x):
        return x + 1

    compiled = _Compiled(work)

    def broken(x):
        raise RuntimeError("no compiler")

    compiled.run = broken
    assert compiled(1) == 2
    assert compiled(2) == 3
    assert caplog.text.count("no compiler") == 1


def test_an_error_of_the_function_itself_is_not_hidden():
    compiled = _Compiled(lambda x: 1 / x)
    compiled.run = compiled.plain
    with pytest.raises(ZeroDivisionError):
        compiled(0)
