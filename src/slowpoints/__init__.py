"""Memory in recurrent networks: slow points of trained networks and what they say of how long memories last.

Names are handed on lazily, so that importing one does not import everything, and a digest of what a script
uses stays narrow (`provenance.library_digest`).
"""

from importlib import import_module

__version__ = "0.1.0"

LAZY = {
    "ImageSet": "datasets.images",
    "load_images": "datasets.images",
    "make_dataset": "datasets.making",
    "Networks": "ensemble",
    "load_networks": "ensemble",
    "save_networks": "ensemble",
    "measure_memory": "memory",
    "measure_accuracy": "memory",
    "find_slow_points": "finder",
    "measure_slow_points": "slow_points",
    "spectra": "spectrum",
    "collate": "tables",
    "correlations": "statistics",
    "judge": "claims",
}
"""Public names and the module each comes from."""

__all__ = sorted(LAZY)


def __getattr__(name: str):
    if name in LAZY:
        return getattr(import_module(f"slowpoints.{LAZY[name]}"), name)
    raise AttributeError(f"module 'slowpoints' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *LAZY]
