"""Imports Matplotlib for scripts that draw, by itself before anything else does: a figure is the same whatever the user
has set for other work.

A Jupyter kernel sets `MPLBACKEND` for all that it starts, and Matplotlib refuses to be imported where that names what is
not installed. Of a matplotlibrc the first is taken that is in the working directory, that `MATPLOTLIBRC` names, or that
lies in the user's folder of settings; one that cannot be read stops the import. So Matplotlib is imported from this
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
