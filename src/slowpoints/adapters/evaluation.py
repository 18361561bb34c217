"""A module as it is in evaluation, with its own weights: neither copied nor changed."""

from __future__ import annotations

import inspect
from types import MethodType
from typing import Any, TypeVar

from torch import nn

Module = TypeVar("Module", bound=nn.Module)


def in_evaluation(module: Module) -> Module:
    """The same module in evaluation mode, which leaves the caller's module in its own mode.

    Gradients reach the caller's parameters, which both share. Whatever else a call assigns (derived weights, buffers
    that are replaced, a hidden state that a module keeps) stays in the view. A view is cheap: take a new one for each
    call, since weights may have moved to another device.
    """
    return _view(module, {})


def callable_in_evaluation(function: Any) -> Any:
    """As `in_evaluation`, also for a method of a module; any other callable as it is."""
    if isinstance(function, nn.Module):
        return in_evaluation(function)
    if inspect.ismethod(function) and isinstance(function.__self__, nn.Module):
        return MethodType(function.__func__, in_evaluation(function.__self__))
    return function


def _view(module: Any, views: dict[int, nn.Module]) -> Any:
    """A view of a module and of all modules within; `views` holds those taken already, since one may occur twice."""
    if id(module) not in views:
        view = views[id(module)] = module.__new__(type(module))
        view.__dict__ = vars(module) | {
            "training": False,
            "_buffers": dict(module._buffers),
            "_parameters": dict(module._parameters),
        }
        view._modules = {name: each and _view(each, views) for name, each in module._modules.items()}
        if isinstance(module, nn.RNNBase):
            view._flat_weights = list(module._flat_weights)
    return views[id(module)]
