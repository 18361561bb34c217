"""Checks of a user's map or residual before a search, at the cost of a few evaluations.

It must be deterministic, treat each row independently, compute in float64, and have derivatives in PyTorch that are
those of its values. Otherwise slow points are meaningless or cannot be found.
"""

from __future__ import annotations

import torch
from torch import Tensor

from slowpoints.core.arrays import Array, as_numbers
from slowpoints.dynamics.autonomous import AutonomousMap
from slowpoints.dynamics.differences import (
    COARSE_TOLERANCE,
    CURVATURE_TOLERANCE,
    PROBES,
    SLOPE_TOLERANCE,
    Differences,
)
from slowpoints.dynamics.maps import CheckedMap
from slowpoints.dynamics.residual import Map, MapResidual, Residual
from slowpoints.dynamics.speed import SpeedResidual, StepResidual
from slowpoints.networks.units.unit import Solver

ROW_BY_ROW = (
    "the map, or residual, must take any number of rows and treat each independently; "
    "for the points of an ensemble pass Dynamics.step itself, or residual=SpeedResidual(dynamics)"
)
NOT_DETERMINISTIC = (
    "it is random (noise, dropout) or has a state that changes from call to call, whereas slow points are those of a "
    "fixed map: switch this off (`module.eval()`, noise 0)"
)
MIN_ROWS = 32  # on which a function is called twice: dropout of a few units shows in at least one of them
FINE_STEPS, COARSE_STEPS = (1e-9, 1e-8), (1e-5, 1e-3)
"""Step lengths, relative to 1 + |z|. Rounding in float32 hides the fine ones, in 16 bits all but the last."""
GRADIENT_STEPS = (1e-7, 1e-6)
FLOAT32_STEPS = (1e-3, 1e-2)  # for a map in float32 throughout, which `spectra` allows
CALL_TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-5}
"""Differences between the values of two calls that count as rounding."""
ROW_TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-3}
"""The same between the values of a row alone and among others."""
SPEED_TOLERANCE = 1e-6


class CheckedResidual(Residual):
    """A residual with checks before and after a search, and a clear error where it has no second derivative.

    Args:
        residual: to be checked.

    Raises:
        TypeError: from `hessian`, if there is no second derivative, or it is not that of the gradient.
    """

    def __init__(self, residual: Residual):
        self.residual, self.curvature_checked = residual, False
        self.n_values = 0  # of each point, known after `check`
        self.initial: tuple[Tensor, Tensor] | None = None  # states and their values before the search

    @property
    def name(self) -> str:
        function = getattr(self.residual, "step", getattr(self.residual, "function", None))
        return function.name if isinstance(function, CheckedMap) else "residual"

    def __call__(self, states: Tensor) -> Tensor:
        return self.residual(states)

    def of_rows(self, rows: Tensor, points: int) -> Residual:
        subset = self.residual.of_rows(rows, points)
        return self if subset is self.residual else subset

    def gradient(self, states: Tensor) -> Tensor:
        return self.residual.gradient(states)

    def jacobian(self, states: Tensor) -> Tensor:
        return self.residual.jacobian(states)

    def newton(self, states: Tensor) -> Solver:
        return self.residual.newton(states)

    def hessian(self, states: Tensor) -> Tensor:
        try:
            if not self.curvature_checked:
                self._check_curvature(states)
                self.curvature_checked = True
            return self.residual.hessian(states)
        except torch.OutOfMemoryError:
            raise
        except (RuntimeError, NotImplementedError) as error:
            raise TypeError(
                f"the {self.name} must be twice differentiable by PyTorch: it has no second derivative ({error})"
            ) from error

    def check(self, states: Tensor, *, newton: bool = False) -> None:
        """Checks the residual before a search.

        Args:
            states: the starts, `[P, n]`.
            newton: whether Newton's method will look for its zeros.

        Raises:
            ValueError: if rows depend on each other, or Newton's method does not have as many equations as coordinates.
            TypeError: if it is not deterministic, loses digits, or has derivatives that are not those of its values.
        """
        if len(states):
            self._check_calls(states)
            self._check_derivative(states)
            if newton and self.n_values != states.shape[1]:
                raise ValueError(
                    f"newton is not 0, and Newton's method needs a residual of {states.shape[1]} values for states of "
                    f"{states.shape[1]} coordinates; this one has {self.n_values}"
                )

    def check_hessian(self, states: Tensor) -> None:
        """The check of the first call of `hessian`, before a descent to where the curvature may vanish.

        Args:
            states: `[P, n]`, of which a few are taken.

        Raises:
            TypeError: as `hessian`.
        """
        rows = torch.linspace(0, len(states) - 1, min(PROBES, len(states)), device="cpu").long()
        self.hessian(states[rows.to(states.device)])

    @torch.no_grad()
    def check_after(self, states: Tensor, speed: Tensor) -> None:
        """Checks after a search that states `[P, n]` still have their speed `[P]`, and the starts their values.

        Raises:
            TypeError: if not.
        """
        tolerance = SPEED_TOLERANCE * speed + CALL_TOLERANCE[torch.float64] * (1 + states.norm(dim=1))
        changed = ((self.residual(states).norm(dim=1) - speed).abs() > tolerance).any()
        if not changed and self.initial is not None:
            start, values = self.initial
            changed = not _equal(self.residual(start), values, ROW_TOLERANCE)
        if changed:
            raise TypeError(
                f"the {self.name} gives different values at the end of the search than during it; {NOT_DETERMINISTIC}"
            )

    @torch.no_grad()
    def _check_calls(self, states: Tensor) -> None:
        """The same states must have the same values within a call, in another call, and among other rows or alone."""
        points = len(states)
        together = self.residual(states)
        self.n_values, self.initial = together.shape[1], (states.clone(), together)
        copies = states.repeat(-(-MIN_ROWS // points) if self._takes_any_rows(states) else 1, 1)
        try:
            first, again = self.residual(copies), self.residual(copies)
        except (RuntimeError, ValueError, IndexError) as error:
            raise _row_by_row(error) from error
        require_equal(first, again, self.name)
        if not _equal(first, together.repeat(len(copies) // points, 1), ROW_TOLERANCE):
            raise ValueError(ROW_BY_ROW)
        for row in {0, points - 1} if len(copies) > 1 else ():
            try:
                alone = self.residual.of_rows(torch.tensor([row], device=states.device), points)(states[row : row + 1])
            except (RuntimeError, ValueError, IndexError) as error:
                raise _row_by_row(error) from error
            if not _equal(alone[0], together[row], ROW_TOLERANCE):
                raise ValueError(ROW_BY_ROW)

    def _check_derivative(self, states: Tensor) -> None:
        """Compares derivatives with differences of values at a few states."""
        if not self._takes_any_rows(states):
            return
        double = states.dtype == torch.float64
        try:
            differences = Differences(self.residual, states, (*FINE_STEPS, *COARSE_STEPS) if double else FLOAT32_STEPS)
            expected = (self.residual.jacobian(differences.states) @ differences.direction[..., None])[..., 0]
        except torch.OutOfMemoryError:
            raise
        except (RuntimeError, NotImplementedError) as error:
            raise TypeError(f"{self._no_gradient()} ({error})") from error
        if differences.agree(expected, len(FINE_STEPS), SLOPE_TOLERANCE if double else COARSE_TOLERANCE):
            return
        with torch.no_grad():
            # Noise may vanish at the starts.
            require_equal(self.residual(differences.states), self.residual(differences.states), self.name)
        smooth = differences.consistent()
        if not (double or smooth):
            return  # a kink within the long steps that float32 requires
        if not smooth:
            raise TypeError(
                f"the {self.name} computes with less than the digits of float64: it loses small changes of the states, "
                "as float32, float16 or bfloat16 do, and with them its fixed points; let it compute in float64 "
                "throughout (`module.double()`, no `.float()`, `.half()` or `torch.autocast` inside)"
            )
        raise TypeError(self._no_gradient())

    def _check_curvature(self, states: Tensor) -> None:
        """Compares the Hessian with differences of gradients at a few states."""
        if not self._takes_any_rows(states):
            return
        differences = Differences(self.residual.gradient, states, GRADIENT_STEPS)
        expected = (self.residual.hessian(differences.states) @ differences.direction[..., None])[..., 0]
        if not differences.agree(expected, len(GRADIENT_STEPS), CURVATURE_TOLERANCE):
            raise TypeError(
                f"the {self.name} must be twice differentiable by PyTorch: its second derivative is not that of its "
                "first, as when a custom `torch.autograd.Function` has a backward that cannot be differentiated"
            )

    def _takes_any_rows(self, states: Tensor) -> bool:
        """Whether all rows have the same function, unlike the points of an ensemble."""
        return self.of_rows(torch.zeros(1, dtype=torch.int64, device=states.device), len(states)) is self

    def _no_gradient(self) -> str:
        return (
            f"the {self.name} lets no gradient through, or not all of it: its derivative by PyTorch is not that of its "
            "values; it must not run under torch.no_grad, detach states, pass them through NumPy, or have a custom "
            "backward that is wrong"
        )


def checked_rows(states: Array, name: str, networks: AutonomousMap | None) -> Tensor:
    """States `[P, n]` in float64, on the networks' device if there are networks.

    Raises:
        ValueError: if they are not finite numbers of that shape, or do not fit the networks.
    """
    rows = as_numbers(states, name, empty=True)
    if rows.dim() != 2:
        raise ValueError(f"{name} has the shape {tuple(rows.shape)}; it must be [P, n], a row for each of P points")
    if networks is None:
        return rows
    if rows.shape[1] != networks.coordinates or len(rows) % networks.networks:
        raise ValueError(
            f"{name} has the shape {tuple(rows.shape)}; states of the {networks.networks} networks have "
            f"{networks.coordinates} coordinates, and there must be as many of each network"
        )
    return rows.to(networks.recurrent.device)


def map_of_networks(function: object) -> AutonomousMap | None:
    """The map of networks of the grid, if a function is one, or a residual is its speed."""
    if isinstance(function, SpeedResidual):
        return function.dynamics
    return function if isinstance(function, AutonomousMap) else None


def checked_step(step: Map, states: Array) -> tuple[Map, Tensor]:
    """A map, and states `[P, n]` at which its derivative has been checked.

    Raises:
        ValueError: if the states are not finite numbers, `[P, n]`, or rows depend on each other.
        TypeError: if `step` is not a map of states, or its derivative by PyTorch is not that of its values.
    """
    networks = map_of_networks(step)
    rows = checked_rows(states, "states", networks)
    if networks is not None:
        return step, rows
    if isinstance(states, Tensor) and states.dtype == torch.float32:
        rows = rows.float()  # the map may compute in float32 throughout
    checked = CheckedMap(step)
    CheckedResidual(MapResidual(checked)).check(rows)
    return checked, rows


def checked_residual(step: Map | None, residual: Map | Residual | None) -> Residual:
    """The residual to minimise: that of networks of the grid as is, any other with its checks.

    Raises:
        ValueError: if there is neither map nor residual.
        TypeError: if it is not callable.
    """
    if residual is None:
        if step is None:
            raise ValueError("a map or a residual is needed; both are None")
        residual = StepResidual(step) if isinstance(step, AutonomousMap) else MapResidual(step)
    elif not isinstance(residual, Residual):
        checked = isinstance(residual, CheckedMap)
        residual = Residual(residual if checked else CheckedMap(residual, "residual", residual=True))
    return residual if isinstance(residual, SpeedResidual | CheckedResidual) else CheckedResidual(residual)


def require_equal(first: Tensor, again: Tensor, name: str) -> None:
    """Raises TypeError if the values of two calls on the same states differ by more than rounding."""
    if not _equal(first, again, CALL_TOLERANCE):
        raise TypeError(f"the {name} gives different values for the same states in another call; {NOT_DETERMINISTIC}")


def _equal(values: Tensor, others: Tensor, tolerance: dict[torch.dtype, float]) -> bool:
    """Whether values are equal within the tolerance of their data type; infinities and NaN equal themselves."""
    same = (values - others).abs() <= tolerance.get(values.dtype, tolerance[torch.float32]) * (1 + others.abs())
    return bool((same | (values == others) | (values.isnan() & others.isnan())).all())


def _row_by_row(error: Exception) -> Exception:
    return error if isinstance(error, torch.OutOfMemoryError) else ValueError(f"{ROW_BY_ROW} ({error})")
