"""Modules of PyTorch as they are now: copies whose weights are plain ones, whatever they were worked out from.

Weights may be derived from others: by parametrisations (`torch.nn.utils.parametrizations`, whatever is registered with
`parametrize`), or by hooks before each frame (`torch.nn.utils.prune`, the older `weight_norm` and `spectral_norm`).
What such a module holds under a weight's name may be a step old, a part of a graph that cannot be copied, or change
when it is looked at.
"""

from __future__ import annotations

import copy
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize, prune
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

Module = TypeVar("Module", bound=nn.Module)


def plain_copy(module: Module) -> Module:
    """A copy for evaluation, whose weights are those that the module would use now, and plain ones.

    Args:
        module: not changed, nor its buffers, hooks, gradients or mode.

    Raises:
        ValueError: if weights lie on the device meta, are not there yet (of a lazy module), or are not finite; or if a
            forward of a module's own, put in the place of its class's, would run the module given and not the copy.
    """
    for name, weight in module.named_parameters():
        if nn.parameter.is_lazy(weight):
            raise ValueError(f"{name} of the module is not there yet; run the module once, so that it is")
        if weight.is_meta:
            raise ValueError(f"{name} of the module lies on the device meta, where tensors hold no numbers")
    with torch.inference_mode(False), torch.no_grad():
        copied = copy.deepcopy(module, _of_graphs(module)).eval()
        for weight in copied.parameters():  # modules of TorchScript have no `requires_grad_`
            weight.requires_grad_(False)
        for each in list(copied.modules()):
            _drop_compiled(each)
            _make_plain(each)
    for name, weight in copied.named_parameters():
        if weight.is_floating_point() and not weight.isfinite().all():
            raise ValueError(f"{name} of the module is not finite")
    return copied


def _of_graphs(module: nn.Module) -> dict[int, Any]:
    """A memory for `copy.deepcopy` in which tensors that are parts of graphs, which it refuses, are copied already.

    They are derived weights, hidden states that a module keeps for its next frame, and what else it may hold.
    """
    memory: dict[int, Any] = {}
    seen: set[int] = set()
    waiting: list[Any] = [module]
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Tensor):
            if not value.is_leaf:
                memory[id(value)] = value.detach().clone()
        elif isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list | tuple | set):
            waiting += value
        elif not isinstance(value, type) and hasattr(value, "__dict__"):
            waiting += vars(value).values()
    memory[id(memory)] = [seen, *memory.values()]  # as deepcopy does, so that no id is given away
    return memory


def _drop_compiled(module: nn.Module) -> None:
    """Runs the class's own forward again where `torch.compile` has put another in its place; a copy's module.

    Raises:
        ValueError: if another function is in its place: it cannot be copied, and would run the module that was given.
    """
    forward = vars(module).get("forward")
    if not callable(forward) or getattr(forward, "__self__", None) is module:
        return
    compiled = getattr(forward, "_torchdynamo_orig_callable", None)
    original = getattr(compiled, "__wrapped__", compiled)  # one wrapper is PyTorch's; more are a user's
    if getattr(original, "__func__", None) is not type(module).forward:
        raise ValueError(
            f"forward of the module, a {type(module).__name__}, was replaced by a function, which cannot be copied "
            "with it; make it a method of a subclass"
        )
    del module.forward


def _make_plain(module: nn.Module) -> None:
    """Puts plain weights in the place of derived ones; the module is one's own copy, in evaluation."""
    values: dict[str, Tensor] = {}
    if parametrize.is_parametrized(module):
        derived: Any = module._modules.pop("parametrizations")
        values = {name: weight() for name, weight in derived.items()}
        # Not by `remove_parametrizations`, which changes the class that the copy shares with the caller's module.
        module.__class__ = type(module).__bases__[0]
    for key, hook in list(module._forward_pre_hooks.items()):  # in their order, as before a frame
        if isinstance(hook, prune.BasePruningMethod | WeightNorm | SpectralNorm):
            hook(module, ())
            name = hook._tensor_name if isinstance(hook, prune.BasePruningMethod) else hook.name
            values[name] = getattr(module, name)
            del module._forward_pre_hooks[key]
    for name, value in values.items():
        setattr(module, name, nn.Parameter(value.detach().clone(), requires_grad=False))
