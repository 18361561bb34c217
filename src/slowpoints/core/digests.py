"""Digests of the code on which a rule or a resume file depends, and of no other code.

Snakemake does not see imports. A digest of a script and of all library modules that it reaches, as a param of a rule,
makes the rule run again when, and only when, code that it uses has changed.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from pathlib import Path

from slowpoints.core.project import INSTALLED
from slowpoints.core.provenance import LIBRARY


def library_digest(*files: str | Path, looks: bool = False) -> str:
    """Digest of files and of all library modules that they reach, directly or through other modules.

    A name that the package imports lazily counts as its module. Comments, docstrings, annotations of functions, imports
    for type checkers only and `Field(...)` of a key do not count, since they change no result.

    Args:
        files: scripts, modules that a script imports by name while it runs, or files other than Python, which count
            unchanged.
        looks: whether `Look(...)` and the definition of looks, which only figures show, count.
    """
    seen = reached(*files, looks=looks)
    texts = sorted(f"{module.name}\0{_text(module, looks)}\0" for module in seen)  # by name, not by path
    return hashlib.sha256("".join(texts).encode()).hexdigest()[:16]


def reached(*files: str | Path, looks: bool = False) -> set[Path]:
    """The files and all library modules that count in their `library_digest`."""
    seen: set[Path] = set()
    pending = [Path(file) for file in files]
    while pending:
        module = pending.pop()
        if module not in seen:
            seen.add(module)
            pending.extend(_imported(module, looks))
    if not looks:
        seen.discard(LIBRARY / "core/looks.py")
    return seen


def _text(module: Path, looks: bool) -> str:
    return _code(*_source(module, looks)) if module.suffix == ".py" else module.read_text(encoding="utf-8")


def _source(module: Path, looks: bool) -> tuple[bytes, bool]:
    """Text of a module, and whether its looks count: true if it has none, so that it is parsed only once."""
    python = module.read_bytes()
    return python, looks or b"Look" not in python


class _Effective(ast.NodeTransformer):
    """Removes what changes no result: strings as statements, annotations of functions, looks, and the description,
    bounds and default of a key, since a job receives the value of every key (`core.presets.section`)."""

    def __init__(self, looks: bool):
        self.looks = looks

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        is_string = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_string else self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST | None:
        return None if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING" else self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        for argument in filter(None, every):
            argument.annotation = None
        node.returns = None
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        ignored = ("Field",) if self.looks else ("Field", "Look")
        if isinstance(node.func, ast.Name) and node.func.id in ignored:
            return ast.Constant(None)
        return self.generic_visit(node)


@functools.cache
def _effective(python: bytes, looks: bool) -> ast.Module:
    return _Effective(looks).visit(ast.parse(python))


@functools.cache
def _code(python: bytes, looks: bool) -> str:
    return ast.unparse(_effective(python, looks))


@functools.cache
def _imported(module: Path, looks: bool) -> tuple[Path, ...]:
    """Files of the modules that a file imports: those of the library, and helpers beside a script."""
    if module.suffix != ".py":
        return ()
    modules: list[Path | None] = []
    for node in ast.walk(_effective(*_source(module, looks))):
        if isinstance(node, ast.ImportFrom) and node.module:
            modules += [_module_file(f"{node.module}.{name.name}", module) for name in node.names]
            modules.append(_module_file(node.module, module))
        elif isinstance(node, ast.Import):
            modules += [_module_file(name.name, module) for name in node.names]
    return tuple(file for file in modules if file is not None)


def _module_file(name: str, importer: Path) -> Path | None:
    """File of a module; None for other packages, and for the library's own `__init__`, which only re-exports names."""
    from slowpoints import LAZY

    package, _, rest = name.partition(".")
    if package != LIBRARY.name:
        helper = importer.parent / f"{package}.py"
        of_library = LIBRARY in importer.parents and INSTALLED not in importer.parents
        return helper if helper.is_file() and not of_library else None
    if rest in LAZY:
        return _module_file(f"slowpoints.{LAZY[rest]}", importer)
    path = LIBRARY.joinpath(*rest.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if rest and file.is_file():
            return file
    return None
