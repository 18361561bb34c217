"""Parts of the project that the library reads: beside it in a checkout, inside it where a wheel was installed."""

from __future__ import annotations

from pathlib import Path

from slowpoints.core.provenance import LIBRARY

INSTALLED = LIBRARY / "project"
"""Where a wheel has them (setup.py)."""


def project_path(part: str) -> Path:
    """Path of a file or folder by its path in the project, such as "config/presets"."""
    return (INSTALLED if INSTALLED.is_dir() else LIBRARY.parents[1]) / part
