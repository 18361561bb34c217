"""Copies of PyTorch modules in which derived weights are replaced by plain ones with their current values.

Weights may be derived from others: by parametrisations (`torch.nn.utils.parametrizations`, whatever is registered with
`parametrize`), or by hooks before each frame (`torch.nn.utils.prune`, the older `weight_norm` and `spectral_norm`).
The attribute of such a weight may be a step old, part of a graph that cannot be copied, or change when it is read.
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
    """A copy in evaluation mode, with plain weights that have the values the module would use now.

    Args:
        module: not changed, nor its buffers, hooks, gradients or mode.

    Raises:
        ValueError: if weights are on the device meta, not initialised yet (of a lazy module), or not finite; or if an
            instance's `forward` was replaced by a function that would run the original module.
    """
    for name, weight in module.named_parameters():
        if nn.parameter.is_lazy(weight):
            raise ValueError(f"{name} of the module is not initialised yet; run the module once to initialise it")
        if weight.is_meta:
            raise ValueError(f"{name} of the module is on the device meta, where tensors have no values")
    with torch.inference_mode(False), torch.no_grad():
        copied = copy.deepcopy(module, _graph_tensors(module)).eval()
        for weight in copied.parameters():  # modules of TorchScript have no `requires_grad_`
            weight.requires_grad_(False)
        for submodule in list(copied.modules()):
            _restore_forward(submodule)
            _make_plain(submodule)
    for name, weight in copied.named_parameters():
        if weight.is_floating_point() and not weight.isfinite().all():
            raise ValueError(f"{name} of the module is not finite")
    return copied


def _graph_tensors(module: nn.Module) -> dict[int, Any]:
    """A memo for `copy.deepcopy` that already contains copies of tensors in graphs, which it cannot copy itself.

    Examples are derived weights, and hidden states that a module keeps for its next frame.
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
    memory[id(memory)] = [seen, *memory.values()]  # as deepcopy does, so that no id is reused
    return memory


def _restore_forward(module: nn.Module) -> None:
    """Restores the class's `forward` in a copied module where `torch.compile` has replaced it.

    Raises:
        ValueError: if another function has replaced it, which cannot be copied and would run the original module.
    """
    forward = vars(module).get("forward")
    if not callable(forward) or getattr(forward, "__self__", None) is module:
        return
    compiled = getattr(forward, "_torchdynamo_orig_callable", None)
    original = getattr(compiled, "__wrapped__", compiled)  # one wrapper is PyTorch's, any more are a user's
    if getattr(original, "__func__", None) is not type(module).forward:
        raise ValueError(
            f"forward of the module, a {type(module).__name__}, was replaced by a function, which cannot be copied "
            "with it; make it a method of a subclass"
        )
    del module.forward


def _make_plain(module: nn.Module) -> None:
    """Replaces derived weights of a copied module, in evaluation mode, by plain ones."""
    values: dict[str, Tensor] = {}
    if parametrize.is_parametrized(module):
        derived: Any = module._modules.pop("parametrizations")
        values = {name: weight() for name, weight in derived.items()}
        # Not by `remove_parametrizations`, which changes the class that the copy shares with the caller's module.
        module.__class__ = type(module).__bases__[0]
    for key, hook in list(module._forward_pre_hooks.items()):  # in the order in which they run before a frame
        if isinstance(hook, prune.BasePruningMethod | WeightNorm | SpectralNorm):
            hook(module, ())
            name = hook._tensor_name if isinstance(hook, prune.BasePruningMethod) else hook.name
            values[name] = getattr(module, name)
            del module._forward_pre_hooks[key]
    for name, value in values.items():
        setattr(module, name, nn.Parameter(value.detach().clone(), requires_grad=False))
