"""What a search believes of a function that a user brings, looked at before: at the price of a few evaluations.

It must be one and the same at every call, take each row on its own, compute in float64, and have the derivatives of its
values. Where one of these does not hold, points mean nothing, or there are none.
"""

from __future__ import annotations

import torch
from torch import Tensor

from slowpoints.core.arrays import Array, as_numbers
from slowpoints.dynamics.autonomous import Dynamics
from slowpoints.dynamics.differences import CLOSE, ROUGHLY, SAME_SLOPE, Differences
from slowpoints.dynamics.maps import CheckedMap
from slowpoints.dynamics.residual import Map, MapResidual, Residual
from slowpoints.dynamics.speed import SpeedResidual, StepResidual
from slowpoints.networks.units.unit import Solver

ROW_BY_ROW = (
    "the map, or residual, must take any number of rows and treat each on its own; "
    "for the points of an ensemble give Dynamics.step itself, or residual=SpeedResidual(dynamics)"
)
CHANGES = (
    "it draws at random (noise, dropout) or keeps something from call to call, and slow points are those of one map: "
    "switch that off (`module.eval()`, noise 0)"
)
COPIES = 32  # rows at least on which a function is called twice: dropout of a few units shows in one of them
FINE, COARSE = (1e-9, 1e-8), (1e-5, 1e-3)
"""Steps of differences, relative to 1 + |z|. Float32 loses the fine ones, 16 bits all but the last."""
FINE_OF_GRADIENT = (1e-7, 1e-6)
SINGLE = (1e-3, 1e-2)  # in float32 throughout, as `spectra` may be
SAME, NEARLY = 1e-9, 1e-6  # differences of values at another call, and beside other rows, that count as rounding
SAME_SINGLE, NEARLY_SINGLE = 1e-5, 1e-3  # the same in float32
SAME_SPEED = 1e-6


class CheckedResidual(Residual):
    """A residual that was looked at before a search, with an error in words where it has no second derivative.

    Args:
        residual: whatever it is.

    Raises:
        TypeError: from `hessian`, if there is none, or it is not the derivative of the gradient.
    """

    def __init__(self, residual: Residual):
        self.residual, self.curvature_is_right = residual, False
        self.values = 0  # of each point, known after `check`
        self.begin: tuple[Tensor, Tensor] | None = None  # states and their values before the search

    @property
    def name(self) -> str:
        function = getattr(self.residual, "step", getattr(self.residual, "function", None))
        return function.name if isinstance(function, CheckedMap) else "residual"

    def __call__(self, states: Tensor) -> Tensor:
        return self.residual(states)

    def of_rows(self, rows: Tensor, points: int) -> Residual:
        some = self.residual.of_rows(rows, points)
        return self if some is self.residual else some

    def gradient(self, states: Tensor) -> Tensor:
        return self.residual.gradient(states)

    def jacobian(self, states: Tensor) -> Tensor:
        return self.residual.jacobian(states)

    def newton(self, states: Tensor) -> Solver:
        return self.residual.newton(states)

    def hessian(self, states: Tensor) -> Tensor:
        try:
            if not self.curvature_is_right:
                self._check_curvature(states)
                self.curvature_is_right = True
            return self.residual.hessian(states)
        except torch.OutOfMemoryError:
            raise
        except (RuntimeError, NotImplementedError) as error:
            raise TypeError(
                f"the {self.name} must be differentiable twice by PyTorch: it has no second derivative ({error})"
            ) from error

    def check(self, states: Tensor, *, newton: bool = False) -> None:
        """Looks at the residual before a search from these states, `[P, n]`.

        Args:
            states: `[P, n]`.
            newton: whether Newton's method is to find its zeros.

        Raises:
            ValueError: if rows depend on each other, or Newton's method has not as many values as coordinates.
            TypeError: if the same states have other values at another call, digits are lost, or derivatives are not
                those of the values.
        """
        if len(states):
            self._check_calls(states)
            self._check_derivative(states)
            if newton and self.values != states.shape[1]:
                raise ValueError(
                    f"newton is not 0, and Newton's method needs a residual of {states.shape[1]} values for states of "
                    f"{states.shape[1]} coordinates; this one has {self.values}"
                )

    @torch.no_grad()
    def check_after(self, states: Tensor, speed: Tensor) -> None:
        """Looks whether it still gives states `[P, n]` the speed `[P]` that was found, and the first ones their values.

        Raises:
            TypeError: if it does not.
        """
        now = self.residual(states).norm(dim=1)
        other = ((now - speed).abs() > SAME_SPEED * speed + SAME * (1 + states.norm(dim=1))).any()
        if other or (self.begin is not None and not _alike(self.residual(self.begin[0]), self.begin[1], nearly=True)):
            raise TypeError(f"the {self.name} gives other values at the end of the search than during it; {CHANGES}")

    @torch.no_grad()
    def _check_calls(self, states: Tensor) -> None:
        """Same states, same values: at once, at another call, and without the others."""
        points = len(states)
        together = self.residual(states)
        self.values, self.begin = together.shape[1], (states.clone(), together)
        copies = states.repeat(-(-COPIES // points) if self._takes_any_rows(states) else 1, 1)
        try:
            first, again = self.residual(copies), self.residual(copies)
        except (RuntimeError, ValueError, IndexError) as error:
            raise _row_by_row(error) from error
        self._refuse_other(first, again)
        if not _alike(first, together.repeat(len(copies) // points, 1), nearly=True):
            raise ValueError(ROW_BY_ROW)
        for row in {0, points - 1} if len(copies) > 1 else ():
            try:
                alone = self.residual.of_rows(torch.tensor([row], device=states.device), points)(states[row : row + 1])
            except (RuntimeError, ValueError, IndexError) as error:
                raise _row_by_row(error) from error
            if not _alike(alone[0], together[row], nearly=True):
                raise ValueError(ROW_BY_ROW)

    def _check_twice(self, states: Tensor) -> None:
        self._refuse_other(self.residual(states), self.residual(states))

    def _refuse_other(self, first: Tensor, again: Tensor) -> None:
        if not _alike(first, again):
            raise TypeError(f"the {self.name} gives other values for the same states at another call; {CHANGES}")

    def _check_derivative(self, states: Tensor) -> None:
        """Derivatives against differences of values, at a few states."""
        if not self._takes_any_rows(states):
            return
        double = states.dtype == torch.float64
        try:
            differences = Differences(self.residual, states, (*FINE, *COARSE) if double else SINGLE)
            expected = (self.residual.jacobian(differences.states) @ differences.direction[..., None])[..., 0]
        except torch.OutOfMemoryError:
            raise
        except (RuntimeError, NotImplementedError) as error:
            raise TypeError(f"{self._no_gradient()} ({error})") from error
        if differences.agree(expected, len(FINE), SAME_SLOPE if double else ROUGHLY):
            return
        with torch.no_grad():
            self._check_twice(differences.states)  # what is random may be 0 at the states given
        smooth = differences.repeat_themselves()
        if not (double or smooth):
            return  # a kink within reach of the long steps that float32 needs
        if not smooth:  # as those of a smooth function do
            raise TypeError(
                f"the {self.name} computes with less than the digits of float64: small changes of the states are lost "
                "in it, as in float32, float16 or bfloat16, and with them its fixed points; let it compute in float64 "
                "throughout (`module.double()`, no `.float()`, `.half()` or `torch.autocast` inside)"
            )
        raise TypeError(self._no_gradient())

    def _check_curvature(self, states: Tensor) -> None:
        """The Hessian against differences of gradients, at a few states."""
        if not self._takes_any_rows(states):
            return
        differences = Differences(self.residual.gradient, states, FINE_OF_GRADIENT)
        expected = (self.residual.hessian(differences.states) @ differences.direction[..., None])[..., 0]
        if not differences.agree(expected, len(FINE_OF_GRADIENT), CLOSE):
            raise TypeError(
                f"the {self.name} must be differentiable twice by PyTorch: its second derivative is not that of its "
                "first, as where a `torch.autograd.Function` of its own has a backward that cannot be differentiated"
            )

    def _takes_any_rows(self, states: Tensor) -> bool:
        """Whether it is the same function for each of the states, and not one whose rows differ from one another."""
        return self.of_rows(torch.zeros(1, dtype=torch.int64, device=states.device), len(states)) is self

    def _no_gradient(self) -> str:
        return (
            f"the {self.name} lets no gradient through, or not all of it: its derivative by PyTorch is not that of its "
            "values; it must not run under torch.no_grad, detach states, take them through NumPy, or have a backward "
            "of its own that is another function's"
        )


def checked_rows(states: Array, name: str, dynamics: Dynamics | None) -> Tensor:
    """States `[P, n]` in float64, where the dynamics are, if it is of dynamics.

    Raises:
        ValueError: if they are no finite numbers of that shape, or do not fit the dynamics.
    """
    given = as_numbers(states, name, empty=True)
    if given.dim() != 2:
        raise ValueError(f"{name} has the shape {tuple(given.shape)}; it must be [P, n], a row for each of P points")
    if dynamics is None:
        return given
    if given.shape[1] != dynamics.coordinates or len(given) % dynamics.networks:
        raise ValueError(
            f"{name} has the shape {tuple(given.shape)}; states of the {dynamics.networks} networks have "
            f"{dynamics.coordinates} coordinates, and there must be as many of each network"
        )
    return given.to(dynamics.recurrent.device)


def dynamics_of(step: object) -> Dynamics | None:
    """The dynamics of which a function is the step, or a residual the speed."""
    if isinstance(step, SpeedResidual):
        return step.dynamics
    return step.__self__ if getattr(step, "__func__", None) is Dynamics.step else None  # type: ignore[attr-defined]


def checked_step(step: Map, states: Array) -> tuple[Map, Tensor]:
    """A map of states, with what it is given, once the derivative there has been looked at.

    Raises:
        ValueError: if the states are no finite numbers, `[P, n]`, or rows depend on each other.
        TypeError: if the map is none, or its derivative by PyTorch is not that of its values.
    """
    dynamics = dynamics_of(step)
    given = checked_rows(states, "states", dynamics)
    if dynamics is not None:
        return step, given
    if isinstance(states, Tensor) and states.dtype == torch.float32:
        given = given.float()  # a map of its own may work in it
    checked = CheckedMap(step)
    CheckedResidual(MapResidual(checked)).check(given)
    return checked, given


def checked_residual(step: Map | None, residual: Map | Residual | None) -> Residual:
    """The residual to be made small: that of networks of the grid as it is, any other with its checks.

    Raises:
        ValueError: if there is neither map nor residual.
        TypeError: if one cannot be called.
    """
    if residual is None:
        if step is None:
            raise ValueError("a map or a residual is needed")
        dynamics = dynamics_of(step)
        residual = MapResidual(step) if dynamics is None else StepResidual(dynamics)
    elif not isinstance(residual, Residual):
        checked = isinstance(residual, CheckedMap)
        residual = Residual(residual if checked else CheckedMap(residual, "residual", residual=True))
    return residual if isinstance(residual, SpeedResidual | CheckedResidual) else CheckedResidual(residual)


def _alike(some: Tensor, others: Tensor, *, nearly: bool = False) -> bool:
    """Whether values are the same but for rounding, or nearly, as beside other rows."""
    double = some.dtype == torch.float64
    tolerance = (NEARLY if double else NEARLY_SINGLE) if nearly else (SAME if double else SAME_SINGLE)
    same = (some - others).abs() <= tolerance * (1 + others.abs())
    return bool((same | (some == others) | (some.isnan() & others.isnan())).all())


def _row_by_row(error: Exception) -> Exception:
    return error if isinstance(error, torch.OutOfMemoryError) else ValueError(f"{ROW_BY_ROW} ({error})")
