"""Imports Matplotlib for scripts that draw, by itself before anything else does: a figure is the same whatever the user
has set for other work.

A Jupyter kernel sets `MPLBACKEND` for all that it starts, and Matplotlib refuses to be imported where that names a
backend that is not installed. It reads a matplotlibrc from the working directory, from where `MATPLOTLIBRC` says, or
from the user's folder of settings, and one that cannot be decoded stops the import. So Matplotlib is imported from this
folder, which has none, with `MATPLOTLIBRC` naming the file of its own defaults.
"""

import contextlib
import importlib.util
import os
from pathlib import Path

HERE = Path(__file__).resolve().parent

os.environ["MPLBACKEND"] = "agg"
spec = importlib.util.find_spec("matplotlib")
if spec is not None and spec.origin is not None:
    os.environ["MATPLOTLIBRC"] = str(Path(spec.origin).parent / "mpl-data")
with contextlib.chdir(HERE):
    import matplotlib  # noqa: F401
