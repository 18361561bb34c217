"""Where results come from: revision of the code, versions of packages, digests of settings and of modules."""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("torch", "numpy", "scipy", "pandas", "pyarrow", "scikit-learn", "statsmodels", "safetensors", "pillow")
"""Packages whose versions may show in results."""
LIBRARY = Path(__file__).parent


@functools.cache
def code_revision() -> str:
    """Git commit of the checkout, with "-dirty" where files differ from it; the package version elsewhere."""
    try:
        _git("ls-files", "--error-unmatch", Path(__file__).name)  # a copy inside another repository has none
        return _git("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    except (OSError, subprocess.SubprocessError):
        from slowpoints import __version__

        return f"version {__version__}"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(LIBRARY), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()


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
    """Digest of settings made of dicts, lists, text and numbers: equal settings, equal digest."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:16]


def library_digest(*scripts: str | Path) -> str:
    """Digest of scripts and of all library modules they reach, directly or through other modules.

    Snakemake does not see imports: as a rule's param this makes it run again when, and only when, code that it
    uses has changed. A name that the package hands on lazily counts as its module.
    """
    seen: set[Path] = set()
    waiting = [Path(script) for script in scripts]
    while waiting:
        module = waiting.pop()
        if module not in seen:
            seen.add(module)
            waiting.extend(_imported(module))
    content = hashlib.sha256()
    for module in sorted(seen, key=str):
        content.update(module.name.encode() + b"\0" + _read(module) + b"\0")
    return content.hexdigest()[:16]


@functools.cache
def _read(module: Path) -> bytes:
    return module.read_bytes()


@functools.cache
def _imported(module: Path) -> tuple[Path, ...]:
    """Files of the modules that a file imports: those of the library, and helpers beside a script."""
    found: list[Path] = []
    for node in ast.walk(ast.parse(_read(module))):
        if isinstance(node, ast.ImportFrom):
            found += [_module_file(f"{node.module}.{name.name}", module) for name in node.names]
            found += [_module_file(node.module, module)]
        elif isinstance(node, ast.Import):
            found += [_module_file(name.name, module) for name in node.names]
    return tuple(file for file in found if file is not None)


def _module_file(name: str, importer: Path) -> Path | None:
    from slowpoints import LAZY

    package, _, rest = name.partition(".")
    if package != LIBRARY.name:
        helper = importer.parent / f"{package}.py"
        return helper if helper.is_file() and LIBRARY not in importer.parents else None
    if rest in LAZY:
        return _module_file(f"slowpoints.{LAZY[rest]}", importer)
    path = LIBRARY.joinpath(*rest.split(".")) if rest else LIBRARY
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file
    return None
