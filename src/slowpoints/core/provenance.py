"""Where results come from: revision of the code, versions of packages, digest of settings."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import subprocess
from collections.abc import Iterator
from contextvars import ContextVar
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    "torch",
    "numba",
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "statsmodels",
    "safetensors",
    "pillow",
)
"""Packages whose versions may affect results."""
LIBRARY = Path(__file__).parents[1]

_facts: ContextVar[dict[str, str]] = ContextVar("facts", default={})  # noqa: B039 (never changed in place)


@contextlib.contextmanager
def provenance(**facts: str) -> Iterator[None]:
    """Context in which all files written have these facts in their metadata, beside those of `stamp`."""
    token = _facts.set({**_facts.get(), **facts})
    try:
        yield
    finally:
        _facts.reset(token)


def stamp() -> dict[str, str]:
    """Metadata of every file: code revision, package versions, and the facts given to `provenance`."""
    return {
        "code_revision": code_revision(),
        "packages": json.dumps(package_versions(), sort_keys=True),
        "config_digest": "",
        "device": "cpu",
        **_facts.get(),
    }


@functools.cache
def code_revision() -> str:
    """Git commit of the checkout, with "-dirty" if files differ from it; the package version outside a checkout."""
    try:
        _git("ls-files", "--error-unmatch", "__init__.py")  # fails for a copy inside another repository
        return _git("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    except (OSError, subprocess.SubprocessError):
        from slowpoints import __version__

        return f"version {__version__}"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(LIBRARY), *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=True, timeout=30).stdout.strip()


@functools.cache
def package_versions() -> dict[str, str]:
    """Version of each package of `PACKAGES` that is installed."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def settings_digest(settings: object) -> str:
    """Digest of settings made of dicts, lists, text and numbers, which is equal for equal settings."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:16]
