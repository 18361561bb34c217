"""What a recurrent unit is, for a whole ensemble, and what the equations of several share.

Shapes: S networks, B states of each, H hidden units. A unit has input and recurrent weights for several
gates; `blocks` says which gates share a left operand of the recurrent product, in units of H columns. A block may go
without input, or without a recurrent product: its columns are then missing from those weights, width 0.
A unit's equations serve training, roll-outs, the slow-point search and the Jacobian. Only the passes of `Unit.kernels`
have them a second time.

Units are written in methods of tensors, so that a workflow that plans, and only reads what units declare, does not
wait for PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from slowpoints.core.looks import Look

if TYPE_CHECKING:
    from torch import Tensor

State = tuple["Tensor", ...]
"""Parts of a state, `[S, B, H]` each; the first is the hidden state h."""
Solver = Callable[["Tensor"], "Tensor"]
"""From right sides of linear systems to their solutions, of the same shape."""


class Kernels(NamedTuple):
    """Compiled passes over all frames on a CPU, in float32; their arguments are those of `KernelUnroll`.

    Attributes:
        forward: from drives to states.
        backward: from the gradient of hidden states to those of drives and recurrent weights.
        kept: widths, in units of H, of the arrays that the way back needs of the way there.
    """

    forward: Callable
    backward: Callable
    kept: tuple[int, ...]


class Unit:
    """A recurrent unit.

    A new unit defines `name`, `look`, `blocks`, `parts` and `step`. With `adjoint` it also trains at full speed, with
    `jacobian` and `hessian` its slow points are found at full speed; without, `step` is differentiated automatically.
    With `kernels` it trains faster on a CPU.
    """

    name: ClassVar[str]
    """As in configurations and paths."""
    look: ClassVar[Look]
    """How figures name and mark it."""
    blocks: ClassVar[tuple[int, ...]]
    """Widths of the column blocks of drives and weights, in units of H."""
    without_input: ClassVar[tuple[int, ...]] = ()
    """Blocks, by number, that see no input: their drive is a bias alone."""
    without_recurrence: ClassVar[tuple[int, ...]] = ()
    """Blocks, by number, without a recurrent product: their drive is all there is."""
    parts: ClassVar[int]
    """Tensors in a state: 1 for (h,), 2 for (h, c)."""
    bound: ClassVar[float] = 1.0
    """|h| never exceeds it from the zero state on; searches stay within. Infinite for a unit that does not squash h."""

    @property
    def gates(self) -> int:
        """Columns of drives, in units of H."""
        return sum(self.blocks)

    @property
    def input_blocks(self) -> tuple[int, ...]:
        """Widths of the column blocks of the input weights, in units of H; 0 for a block without."""
        return tuple(0 if block in self.without_input else width for block, width in enumerate(self.blocks))

    @property
    def recurrent_blocks(self) -> tuple[int, ...]:
        """Those of the recurrent weights, likewise."""
        return tuple(0 if block in self.without_recurrence else width for block, width in enumerate(self.blocks))

    def step(self, drive: list[Tensor], state: State, recurrent: list[Tensor]) -> tuple[State, tuple]:
        """One frame.

        Args:
            drive: input product plus bias for each block, `[S, B, width * H]`.
            state: state before the frame.
            recurrent: recurrent weights of each block, `[S, H, width * H]`; no columns for a block without.

        Returns:
            The state after the frame, and what `adjoint` needs of the way there.
        """
        raise NotImplementedError

    def adjoint(
        self, grad: State, state: State, kept: tuple, recurrent: list[Tensor]
    ) -> tuple[State, list[tuple[Tensor | None, Tensor]]]:
        """Gradient through one frame.

        Args:
            grad: gradient with respect to the state after the frame.
            state: state before the frame.
            kept: what `step` returned beside the new state.
            recurrent: as for `step`.

        Returns:
            Gradient with respect to the state before the frame, and for each block the left operand of its
            recurrent product `[S, B, H]`, None for a block without, and the gradient of its drive
            `[S, B, width * H]`.
        """
        raise NotImplementedError

    def kernels(self) -> Kernels | None:
        """Compiled passes over all frames on a CPU, for units that most networks are made of.

        Raises:
            ImportError: where they cannot be had: without Numba, or without a product of PyTorch's to call.
        """
        return None

    def jacobian(self, drive: list[Tensor], state: State, recurrent: list[Tensor]) -> Tensor:
        """Derivative, in the flat state, of what a frame moves it by, `[S, B, n, n]` with n = parts * H.

        Row i holds the derivatives of what coordinate i is moved by.

        Args:
            drive: as for `step`.
            state: where.
            recurrent: as for `step`.
        """
        raise NotImplementedError

    def newton(self, drive: list[Tensor], state: State, recurrent: list[Tensor]) -> Solver:
        """Newton's step to where a frame moves the flat state no more, from what a frame moves it, `[S, B, n]` each.

        Args:
            drive: as for `step`.
            state: where the step is taken to be affine.
            recurrent: as for `step`.

        Returns:
            A function that gives changes of the state, not finite where there are none.
        """
        solve = solver(self.jacobian(drive, state, recurrent))
        return lambda move: -solve(move)

    def hessian(self, drive: list[Tensor], state: State, recurrent: list[Tensor]) -> Tensor:
        """Exact Hessian of half the squared speed (docs/method.md, Hessians), `[S, B, n, n]` with n = parts * H.

        Args:
            drive: as for `step`.
            state: where.
            recurrent: as for `step`.
        """
        raise NotImplementedError

    def speed_coordinates(self, state: Tensor) -> Tensor:
        """Coordinates in which distances and speeds are measured, from a flat state `[..., parts * H]`."""
        return state

    def speed_adjoint(self, grad: Tensor, coordinates: Tensor) -> Tensor:
        """Gradient with respect to a flat state, from one with respect to its `speed_coordinates`."""
        return grad

    @property
    def raw(self) -> Unit:
        """This unit, its speed measured in the flat state itself."""
        return self

    @property
    def has_adjoint(self) -> bool:
        return type(self).adjoint is not Unit.adjoint

    @property
    def has_jacobian(self) -> bool:
        return type(self).jacobian is not Unit.jacobian

    @property
    def has_hessian(self) -> bool:
        return type(self).hessian is not Unit.hessian

    def split(self, drive: Tensor) -> list[Tensor]:
        """Columns `[..., gates * H]` of drives or biases as views of the blocks."""
        return _columns(drive, self.blocks, drive.shape[-1] // self.gates)

    def split_input(self, weights: Tensor) -> list[Tensor]:
        """Input weights as views of the blocks, without columns for a block that sees no input."""
        return _columns(weights, self.input_blocks, weights.shape[-1] // sum(self.input_blocks))

    def split_recurrent(self, weights: Tensor) -> list[Tensor]:
        """Recurrent weights `[..., H, columns]` as views of the blocks, likewise."""
        return _columns(weights, self.recurrent_blocks, weights.shape[-2])

    def initial_state(self, networks: int, trials: int, hidden: int, like: Tensor) -> State:
        """Zero state before the first frame, `[S, B, H]` for each part."""
        return tuple(like.new_zeros(networks, trials, hidden) for _ in range(self.parts))


def _columns(tensor: Tensor, widths: tuple[int, ...], hidden: int) -> list[Tensor]:
    return list(tensor.split([width * hidden for width in widths], dim=-1))


def tanh(x: Tensor) -> Tensor:
    """tanh x as 2 (sigmoid(2 x) - 1/2): on a CPU PyTorch takes half to a quarter of the time for it.

    The same to three roundings of 1, which is what a float32 network or a speed of 1e-12 can tell.
    """
    return (x + x).sigmoid().sub(0.5).mul_(2)


def join(*tensors: Tensor, dim: int = -1) -> Tensor:
    """Tensors side by side."""
    import torch  # here, and nowhere else in these modules: see above

    return torch.cat(tensors, dim=dim)


def solver(matrices: Tensor) -> Solver:
    """What solves square systems `[..., n, n]` for right sides `[..., n]`; not finite where one is singular."""
    import torch  # as above

    factors, pivots, _ = torch.linalg.lu_factor_ex(matrices)
    return lambda right: torch.linalg.lu_solve(factors, pivots, right[..., None])[..., 0]


def scale_columns(matrix: Tensor, scale: Tensor) -> Tensor:
    """A matrix `[S, B or 1, H, H]` with its columns scaled by `[S, B, H]`."""
    return matrix * scale[..., None, :]


def times_weights(matrices: Tensor, weights: Tensor) -> Tensor:
    """Matrices `[S, B, H, H]` times each network's own `[S, H, H]`, as one product a network."""
    return matrices.flatten(1, 2).bmm(weights).view(matrices.shape)


def gated_slopes(recurrent: list[Tensor], z: Tensor, n: Tensor, gap: Tensor, inner: Tensor) -> Tensor:
    """How h' - h = z (n - h) depends on h, a column a coordinate of h', `[S, B, H, H]`.

    Args:
        recurrent: of the unit, z's columns first.
        z: `[S, B, H]`.
        n: `[S, B, H]`.
        gap: n - h, `[S, B, H]`.
        inner: how n's input depends on h, `[S, B, H, H]`.
    """
    u_z = recurrent[0][:, None, :, : z.shape[-1]]
    return scale_columns(u_z, z * (1 - z) * gap) + scale_columns(inner, z * (1 - n**2)) - z.diag_embed()
