"""Compiled passes on a CPU, in float32, against the unit's own equations in float64."""

import builtins

import numpy as np
import pytest
import torch

from slowpoints.networks.recurrence import numba_unroll
from slowpoints.networks.recurrence.kernels import jit, primitives
from slowpoints.networks.recurrence.numba_unroll import kernels_of
from slowpoints.networks.recurrence.unroll import unroll
from slowpoints.networks.units import unit_named, units
from slowpoints.networks.units.gru import GRU

COMPILED = ("gru", "lstm")  # those of the paper
FLOAT32_TOLERANCE = 2e-6  # relative to the largest number of a tensor


@pytest.fixture
def drawn():
    """Tables, index, recurrent weights and gradient of the hidden states; several trials share a row."""

    def draw(unit, networks=3, rows=7, hidden=19, trials=10, frames=6):
        rng = torch.Generator().manual_seed(0)

        def normal(*shape):
            return torch.randn(*shape, generator=rng)

        tables = [normal(networks, rows, gates * hidden) for gates in unit.gate_groups]
        index = torch.randint(rows, (frames, networks, trials), generator=rng)
        recurrent = normal(networks, hidden, unit.gates * hidden) / hidden**0.5
        return tables, index, recurrent, normal(frames, networks, trials, hidden)

    return draw


def run(unit, tables, index, recurrent, grad):
    """Hidden states, and the gradients of recurrent weights and tables."""
    leaves = [tensor.clone().requires_grad_() for tensor in (recurrent, *tables)]
    hidden = unroll(unit, leaves[1:], index, leaves[0])
    return [hidden.detach(), *torch.autograd.grad(hidden, leaves, grad.to(hidden.dtype))]


@pytest.mark.parametrize("architecture", COMPILED)
@pytest.mark.parametrize("hidden", [1, 16, 19])  # below, at and beside the width of vector instructions
def test_states_and_gradients_are_those_of_the_equations(drawn, architecture, hidden):
    unit = unit_named(architecture)
    tables, index, recurrent, grad = drawn(unit, hidden=hidden)
    quick = run(unit, tables, index, recurrent, grad)
    exact = run(unit, [table.double() for table in tables], index, recurrent.double(), grad)
    for ours, theirs in zip(quick, exact, strict=True):
        assert ours.dtype == torch.float32
        assert ours.shape == theirs.shape
        assert (ours - theirs).abs().max() <= FLOAT32_TOLERANCE * theirs.abs().max()


@pytest.mark.parametrize("architecture", COMPILED)
def test_a_network_s_bits_depend_on_no_neighbour_and_on_no_thread(drawn, architecture):
    unit = unit_named(architecture)
    tables, index, recurrent, grad = drawn(unit)
    together = run(unit, tables, index, recurrent, grad)
    torch.set_num_threads(2)
    try:
        on_threads = run(unit, tables, index, recurrent, grad)
    finally:
        torch.set_num_threads(1)
    alone = run(unit, [table[1:2] for table in tables], index[:, 1:2], recurrent[1:2], grad[:, 1:2])
    for all_, threaded, one in zip(together, on_threads, alone, strict=True):
        assert torch.equal(all_, threaded)
        assert torch.equal(all_[:, 1:2] if all_.shape[:2] == grad.shape[:2] else all_[1:2], one)


@pytest.mark.parametrize("architecture", COMPILED)
def test_values_that_are_not_finite_propagate(drawn, architecture):
    unit = unit_named(architecture)
    tables, index, recurrent, grad = drawn(unit)
    tables[0][1, index[0, 1, 4]] = torch.nan
    hidden, grad_recurrent, *_ = run(unit, tables, index, recurrent, grad)
    assert hidden[:, 1, 4].isnan().all()
    assert grad_recurrent[1].isnan().any()
    assert hidden[:, [0, 2]].isfinite().all()


def test_tanh_and_sigmoid_hold_everywhere():
    x = np.concatenate([np.linspace(-30, 30, 20001), [-np.inf, np.inf, 0, 1e-30, 3e38]]).astype(np.float32)
    exact = np.tanh(x.astype(np.float64))
    assert np.abs([primitives.tanh(number) for number in x] - exact).max() < 2.5e-7
    exact = 0.5 + 0.5 * np.tanh(x.astype(np.float64) / 2)
    assert np.abs([primitives.sigmoid(number) for number in x] - exact).max() < 1.5e-7
    assert np.isnan(primitives.tanh(np.float32(np.nan)))


def test_code_that_cannot_be_cached_is_compiled():
    names = {}
    exec("def double(x): return 2 * x", names)  # of no file, beside which it could be cached
    double = jit.compiled(names["double"])
    assert double(np.float32(3)) == 6
    assert double.nopython_signatures


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
@pytest.mark.parametrize("left", [0, 20])
def test_damaged_machine_code_is_recompiled(tmp_path, monkeypatch, caplog, ending, left):
    module = tmp_path / "module.py"
    module.write_text("def triple(x): return 3 * x")

    def triple_of_two():
        names = {}
        exec(compile(module.read_text(), str(module), "exec"), names)
        return jit.compiled(names["triple"])(np.float32(2))

    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path / "cache"))
    assert triple_of_two() == 6
    (file,) = (tmp_path / "cache").glob(f"*/*.{jit.CACHE_KEY}*.{ending}")
    file.write_bytes(file.read_bytes()[:left])
    assert triple_of_two() == 6
    assert caplog.text.count("cached machine code is not used") == 1
    caplog.clear()
    assert triple_of_two() == 6
    assert not caplog.text


def test_a_class_with_another_step_does_not_inherit_passes(drawn):
    class Leaky(GRU):
        def step(self, drive, state, recurrent):
            (h,), saved = super().step(drive, state, recurrent)
            return (h / 2,), saved

    class Renamed(GRU):
        name = "renamed"

    assert kernels_of(Leaky()) is None
    assert kernels_of(Renamed()) is not None
    inputs = drawn(Leaky())
    double = [[table.double() for table in inputs[0]], inputs[1], inputs[2].double(), inputs[3]]
    torch.testing.assert_close(run(Leaky(), *inputs)[0].double(), run(Leaky(), *double)[0], atol=1e-5, rtol=1e-5)


def test_only_float32_on_a_cpu_uses_them(drawn, monkeypatch):
    unit = unit_named("gru")
    tables, index, recurrent, grad = drawn(unit)
    monkeypatch.setattr(numba_unroll.KernelUnroll, "apply", None)
    run(unit, [table.double() for table in tables], index, recurrent.double(), grad)
    with pytest.raises(TypeError):
        run(unit, tables, index, recurrent, grad)
    assert all(kernels_of(unit_named(name)) is None for name in units() if name not in COMPILED)


def test_without_numba_networks_train_as_before_and_the_log_says_so(drawn, monkeypatch, caplog):
    def without(name, *arguments, real=builtins.__import__):
        if name.startswith("slowpoints.networks.recurrence.kernels."):
            raise ModuleNotFoundError("No module named 'numba'")
        return real(name, *arguments)

    unit = unit_named("lstm")
    inputs = drawn(unit)
    quick = run(unit, *inputs)
    kernels_of.cache_clear()
    monkeypatch.setattr(builtins, "__import__", without)
    plain = run(unit, *inputs)
    run(unit, *inputs)
    monkeypatch.undo()
    kernels_of.cache_clear()
    torch.testing.assert_close(plain, quick, atol=1e-5, rtol=1e-5)
    assert caplog.text.count("No module named 'numba'") == 1
