"""Parts of the project that the library reads: beside it in a checkout, inside it if installed from a wheel."""

from __future__ import annotations

from pathlib import Path

from slowpoints.core.provenance import LIBRARY

INSTALLED = LIBRARY / "project"
"""Where a wheel puts them (setup.py)."""


def project_path(part: str) -> Path:
    """Path of a file or folder from its path in the project, such as "config/presets"."""
    return (INSTALLED if INSTALLED.is_dir() else LIBRARY.parents[1]) / part
