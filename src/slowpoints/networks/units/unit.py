"""The base class of recurrent units, each for a whole ensemble, and functions that several units share.

Shapes: S networks, B states of each, H hidden units, g gates of a group. Each gate (the candidate state counts as one)
has H columns of input weights, recurrent weights and biases. Gates with the same left operand of the recurrent product
form a group, so that one product serves them. A group may have no input, or no recurrent product; its columns are then
absent from those weights.
A unit's equations serve training, roll-outs, the search for slow points and the Jacobian. Only the passes of
`Unit.kernels` repeat them.

Units use methods of tensors, so that planning a workflow, which only reads their declarations, does not import PyTorch.
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
"""From right-hand sides of linear systems to their solutions, of the same shape."""


class Kernels(NamedTuple):
    """Compiled passes over all frames on a CPU, in float32; their arguments are those of `KernelUnroll`.

    Attributes:
        forward: from drives to states.
        backward: from the gradient of hidden states to those of drives and recurrent weights.
        saved: widths, in units of H, of the arrays that the forward pass keeps for the backward pass.
    """

    forward: Callable
    backward: Callable
    saved: tuple[int, ...]


class Unit:
    """A recurrent unit.

    A new unit defines `name`, `look`, `gate_groups`, `parts` and `step`. With `adjoint` it trains at full speed, with
    `jacobian` and `hessian` its slow points are found at full speed; without them, `step` is differentiated
    automatically. With `kernels` it trains faster on a CPU.
    """

    name: ClassVar[str]
    """As in configurations and paths."""
    look: ClassVar[Look]
    """Its name and marker in figures."""
    gate_groups: ClassVar[tuple[int, ...]]
    """Number of gates in each group."""
    groups_without_input: ClassVar[tuple[int, ...]] = ()
    """Indices of groups without input weights: their drive is the bias alone."""
    groups_without_recurrence: ClassVar[tuple[int, ...]] = ()
    """Indices of groups without recurrent weights: their gates depend on the drive alone."""
    parts: ClassVar[int]
    """Tensors in a state: 1 for (h,), 2 for (h, c)."""
    bound: ClassVar[float] = 1.0
    """|h| never exceeds it from the zero state on; searches stay within. Infinite for a unit that does not squash h."""
    affine: ClassVar[bool] = False
    """Whether the state after a frame is affine in the state before it, under any constant input."""

    @property
    def gates(self) -> int:
        """Number of gates; drives and biases have H columns for each."""
        return sum(self.gate_groups)

    @property
    def input_gates(self) -> tuple[int, ...]:
        """Number of gates with input weights in each group."""
        return tuple(0 if i in self.groups_without_input else gates for i, gates in enumerate(self.gate_groups))

    @property
    def recurrent_gates(self) -> tuple[int, ...]:
        """Number of gates with recurrent weights in each group."""
        return tuple(0 if i in self.groups_without_recurrence else gates for i, gates in enumerate(self.gate_groups))

    def step(self, drive: list[Tensor], state: State, recurrent: list[Tensor]) -> tuple[State, tuple]:
        """One frame.

        Args:
            drive: input product plus bias of each group, `[S, B, g * H]`.
            state: state before the frame.
            recurrent: recurrent weights of each group, `[S, H, g * H]`, `[S, H, 0]` if it has none.

        Returns:
            The state after the frame, and intermediate values for `adjoint`.
        """
        raise NotImplementedError

    def adjoint(
        self, grad: State, state: State, saved: tuple, recurrent: list[Tensor]
    ) -> tuple[State, list[tuple[Tensor | None, Tensor]]]:
        """Gradient through one frame.

        Args:
            grad: gradient with respect to the state after the frame.
            state: state before the frame.
            saved: intermediate values that `step` returned.
            recurrent: as for `step`.

        Returns:
            Gradient with respect to the state before the frame, and for each group the left operand of its recurrent
            product `[S, B, H]`, None if it has none, and the gradient with respect to its drive `[S, B, g * H]`.
        """
        raise NotImplementedError

    def kernels(self) -> Kernels | None:
        """Compiled passes over all frames on a CPU, for the most common units.

        Raises:
            ImportError: if Numba, or a matrix product to call in PyTorch's library, is missing.
        """
        return None

    def jacobian(self, drive: list[Tensor], state: State, recurrent: list[Tensor]) -> Tensor:
        """Jacobian of F(z) - z at flat states z, `[S, B, n, n]` with n = parts * H.

        Row i holds the derivatives of coordinate i.

        Args:
            drive: as for `step`.
            state: at which it is taken.
            recurrent: as for `step`.
        """
        raise NotImplementedError

    def newton(self, drive: list[Tensor], state: State, recurrent: list[Tensor]) -> Solver:
        """Newton's step to a fixed point, as a function of F(z) - z, `[S, B, n]` each.

        Args:
            drive: as for `step`.
            state: at which F is linearised.
            recurrent: as for `step`.

        Returns:
            A function from F(z) - z to steps, which are not finite where the Jacobian is singular.
        """
        solve = solver(self.jacobian(drive, state, recurrent))
        return lambda move: -solve(move)

    def hessian(self, drive: list[Tensor], state: State, recurrent: list[Tensor]) -> Tensor:
        """Exact Hessian of half the squared speed (docs/method.md, Hessians), `[S, B, n, n]` with n = parts * H.

        Args:
            drive: as for `step`.
            state: at which it is taken.
            recurrent: as for `step`.
        """
        raise NotImplementedError

    def speed_coordinates(self, state: Tensor) -> Tensor:
        """Coordinates in which distances and speeds are measured, from a flat state `[..., parts * H]`."""
        return state

    def speed_adjoint(self, grad: Tensor, coordinates: Tensor) -> Tensor:
        """Gradient with respect to a flat state, from one with respect to its `speed_coordinates`."""
        return grad

    def displacement(self, before: Tensor, after: Tensor) -> Tensor:
        """Difference of flat states `[..., parts * H]` in `speed_coordinates`: a speed if one frame apart."""
        return self.speed_coordinates(after) - self.speed_coordinates(before)

    @property
    def raw(self) -> Unit:
        """This unit with the flat state itself as `speed_coordinates`."""
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
        """Drives or biases `[..., gates * H]` as views of each group."""
        return _columns(drive, self.gate_groups, drive.shape[-1] // self.gates)

    def split_input(self, weights: Tensor) -> list[Tensor]:
        """Input weights as views of each group, without columns if it has no input."""
        return _columns(weights, self.input_gates, weights.shape[-1] // sum(self.input_gates))

    def split_recurrent(self, weights: Tensor) -> list[Tensor]:
        """Recurrent weights `[..., H, columns]` as views of each group, likewise."""
        return _columns(weights, self.recurrent_gates, weights.shape[-2])

    def initial_state(self, networks: int, trials: int, hidden: int, like: Tensor) -> State:
        """State before the first frame, `[S, B, H]` for each part: zero, unless a unit overrides it."""
        return tuple(like.new_zeros(networks, trials, hidden) for _ in range(self.parts))


def _columns(tensor: Tensor, gates: tuple[int, ...], hidden: int) -> list[Tensor]:
    return list(tensor.split([count * hidden for count in gates], dim=-1))


def tanh(x: Tensor) -> Tensor:
    """tanh x as 2 (sigmoid(2 x) - 1/2), which takes PyTorch half to a quarter of the time on a CPU.

    Equal to three roundings of 1, beyond what a float32 network or a speed of 1e-12 can resolve.
    """
    return (x + x).sigmoid().sub(0.5).mul_(2)


def join(*tensors: Tensor, dim: int = -1) -> Tensor:
    """Tensors side by side."""
    import torch  # here, and nowhere else in these modules: see above

    return torch.cat(tensors, dim=dim)


def solver(matrices: Tensor) -> Solver:
    """Solver of linear systems `[..., n, n]` for right-hand sides `[..., n]`; not finite where a matrix is singular."""
    import torch  # as above

    factors, pivots, _ = torch.linalg.lu_factor_ex(matrices)
    return lambda right: torch.linalg.lu_solve(factors, pivots, right[..., None])[..., 0]


def scale_columns(matrix: Tensor, scale: Tensor) -> Tensor:
    """A matrix `[S, B or 1, H, H]` with its columns scaled by `[S, B, H]`."""
    return matrix * scale[..., None, :]


def times_weights(matrices: Tensor, weights: Tensor) -> Tensor:
    """Matrices `[S, B, H, H]` times each network's own `[S, H, H]`, one product per network."""
    return matrices.flatten(1, 2).bmm(weights).view(matrices.shape)


def gated_slopes(recurrent: list[Tensor], z: Tensor, n: Tensor, gap: Tensor, inner: Tensor) -> Tensor:
    """Derivatives of h' - h = z (n - h) with respect to h, a column for each coordinate of h', `[S, B, H, H]`.

    Args:
        recurrent: weights of the unit, those of z first.
        z: `[S, B, H]`.
        n: `[S, B, H]`.
        gap: n - h, `[S, B, H]`.
        inner: derivatives of n's input with respect to h, `[S, B, H, H]`.
    """
    u_z = recurrent[0][:, None, :, : z.shape[-1]]
    return scale_columns(u_z, z * (1 - z) * gap) + scale_columns(inner, z * (1 - n**2)) - z.diag_embed()


def gate_weights(recurrent: list[Tensor], gates: int) -> list[Tensor]:
    """Recurrent weights of each gate of a group, `[S, 1, H, H]` each."""
    return [gate[:, None] for gate in recurrent[0].chunk(gates, dim=-1)]


def through_gates(slopes: Tensor, weights: list[Tensor]) -> Tensor:
    """Derivatives of a value with respect to h through gates, a column per coordinate of the value, `[S, B, H, H]`.

    Args:
        slopes: of the value in its variables, of which those before the gates come first, `[S, B, variables, H]`.
        weights: of the gates (`gate_weights`).
    """
    terms = [scale_columns(weight, slopes[:, :, gate]) for gate, weight in enumerate(weights)]
    return sum(terms, start=slopes.new_zeros(()))


def by_variable(*slopes: Tensor) -> Tensor:
    """`[S, B, v, H]` of derivatives `[S, B, H]` with respect to each of a unit's v variables."""
    return join(*(slope[:, :, None] for slope in slopes), dim=2)


def outer(first: Tensor, second: Tensor) -> Tensor:
    """`[S, B, v, v, H]` of two `[S, B, v, H]`."""
    return first[:, :, :, None] * second[:, :, None]


def in_state(local: Tensor, h_slope: Tensor, u: list[Tensor]) -> Tensor:
    """Hessian of half the squared speed with respect to the state, `[S, B, parts * H, parts * H]`, by the chain rule.

    A unit by itself has v variables: the inputs of its g gates, through which h acts, and its own parts of the state
    after h. h' - h depends on h directly, too.

    Args:
        local: of each unit's share, with respect to its variables, `[S, B, v, v, H]`.
        h_slope: derivatives of h' with respect to these, `[S, B, v, H]`.
        u: recurrent weights of each gate, `[S, 1, H, H]`.
    """
    gates, own = range(len(u)), range(len(u), local.shape[2])
    hh = h_slope.new_ones(h_slope[:, :, 0].shape).diag_embed()
    mixed = [(-h_slope[:, :, variable]).diag_embed() for variable in own]
    for gate in gates:
        hh += times_weights(through_gates(local[:, :, :, gate], u), u[gate][:, 0].mT)
        straight = scale_columns(u[gate], h_slope[:, :, gate])
        hh -= straight + straight.mT
        for block, variable in zip(mixed, own, strict=True):
            block += scale_columns(u[gate], local[:, :, gate, variable])
    rows = [join(hh, *mixed)]
    for block, variable in zip(mixed, own, strict=True):
        rows.append(join(block.mT, *(local[:, :, variable, other].diag_embed() for other in own)))
    return join(*rows, dim=-2)
