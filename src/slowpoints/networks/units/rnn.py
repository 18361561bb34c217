"""The vanilla recurrent unit."""

from __future__ import annotations

from slowpoints.core.looks import Look
from slowpoints.networks.units.unit import Unit, scale_columns, tanh, times_weights


class RNN(Unit):
    """Recurrent unit without gates.

    h' = tanh(W x + U h + b) (Elman 1990), as `torch.nn.RNN`.
    """

    name = "rnn"
    look = Look("tanh RNN", marker="s")
    gate_groups = (1,)
    parts = 1

    def step(self, drive, state, recurrent):
        (h,) = state
        n = tanh(drive[0].baddbmm(h, recurrent[0]))
        return (n,), (n,)

    def adjoint(self, grad, state, saved, recurrent):
        (grad_h,), (h,), (n,) = grad, state, saved
        grad_n = grad_h.addcmul(grad_h * n, n, value=-1)
        return (grad_n.bmm(recurrent[0].mT),), [(h, grad_n)]

    def jacobian(self, drive, state, recurrent):
        _, (n,) = self.step(drive, state, recurrent)
        return scale_columns(recurrent[0][:, None], 1 - n**2).mT - n.new_ones(n.shape).diag_embed()

    def hessian(self, drive, state, recurrent):
        (h,) = state
        _, (n,) = self.step(drive, state, recurrent)
        u = recurrent[0][:, None]
        n1 = 1 - n**2
        n2 = -2 * n * n1
        straight = scale_columns(u, n1)
        hessian = times_weights(scale_columns(u, n1**2 + (n - h) * n2), recurrent[0].mT)
        return hessian - straight - straight.mT + h.new_ones(h.shape).diag_embed()
