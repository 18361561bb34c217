"""Memory in recurrent networks: slow points of trained networks and what they say of how long memories last.

Names are handed on lazily, so that importing one does not import everything, and a digest of what a script
uses stays narrow (`core.digests.library_digest`).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from slowpoints.adapters.penalty import RelaxationPenalty as RelaxationPenalty
    from slowpoints.adapters.retention import half_life as half_life
    from slowpoints.adapters.retention import memory_score as memory_score
    from slowpoints.adapters.retention import plot_retention as plot_retention
    from slowpoints.adapters.retention import retention as retention
    from slowpoints.adapters.search import slow_points_of as slow_points_of
    from slowpoints.adapters.search import states_of as states_of
    from slowpoints.adapters.weight_choice import choose_weight as choose_weight
    from slowpoints.analysis.aggregation import collate as collate
    from slowpoints.analysis.claims.judge import judge as judge
    from slowpoints.analysis.predictors import correlations as correlations
    from slowpoints.datasets.building import make_dataset as make_dataset
    from slowpoints.datasets.images import ImageSet as ImageSet
    from slowpoints.datasets.images import load_images as load_images
    from slowpoints.dynamics.autonomous import Dynamics as Dynamics
    from slowpoints.dynamics.jacobian import spectra as spectra
    from slowpoints.dynamics.search import find_slow_points as find_slow_points
    from slowpoints.measures.accuracy import measure_accuracy as measure_accuracy
    from slowpoints.measures.retrieval import measure_memory as measure_memory
    from slowpoints.measures.slow_points import measure_slow_points as measure_slow_points
    from slowpoints.networks.ensemble import Networks as Networks
    from slowpoints.networks.exchange import from_torch as from_torch
    from slowpoints.networks.exchange import to_torch as to_torch
    from slowpoints.networks.weights import load_networks as load_networks
    from slowpoints.networks.weights import save_networks as save_networks
    from slowpoints.task.flip_flop import flip_flop_trials as flip_flop_trials

LAZY = {
    "Dynamics": "dynamics.autonomous",
    "ImageSet": "datasets.images",
    "Networks": "networks.ensemble",
    "RelaxationPenalty": "adapters.penalty",
    "choose_weight": "adapters.weight_choice",
    "collate": "analysis.aggregation",
    "correlations": "analysis.predictors",
    "find_slow_points": "dynamics.search",
    "flip_flop_trials": "task.flip_flop",
    "from_torch": "networks.exchange",
    "half_life": "adapters.retention",
    "judge": "analysis.claims.judge",
    "load_images": "datasets.images",
    "load_networks": "networks.weights",
    "make_dataset": "datasets.building",
    "measure_accuracy": "measures.accuracy",
    "measure_memory": "measures.retrieval",
    "measure_slow_points": "measures.slow_points",
    "memory_score": "adapters.retention",
    "plot_retention": "adapters.retention",
    "retention": "adapters.retention",
    "save_networks": "networks.weights",
    "slow_points_of": "adapters.search",
    "spectra": "dynamics.jacobian",
    "states_of": "adapters.search",
    "to_torch": "networks.exchange",
}
"""Public names and the module each comes from; the imports above tell editors and type checkers the same."""

__all__ = sorted(LAZY)


def __getattr__(name: str) -> Any:
    if name in LAZY:
        return getattr(import_module(f"slowpoints.{LAZY[name]}"), name)
    raise AttributeError(f"module 'slowpoints' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *LAZY]
