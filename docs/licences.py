"""Writes the table of licences in docs/dependencies.md, from the metadata of the installed packages of the lock."""

from __future__ import annotations

from importlib.metadata import metadata
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE, MARK = ROOT / "docs/dependencies.md", "| licence | packages |"
NOT_IN_METADATA = {"conda-inject": "MIT"} | {
    f"snakemake-interface-{name}": "MIT"
    for name in ("common", "logger-plugins", "report-plugins", "scheduler-plugins", "storage-plugins")
}
"""Licences of packages whose metadata name none."""
SPELLINGS = {
    "MIT License": "MIT",
    "BSD License": "BSD",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}


def pinned() -> list[str]:
    """Names of the packages in requirements.lock."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return [line.split("==")[0] for line in lines if "==" in line]


def licence(name: str) -> str:
    """Licence of an installed package, from its metadata."""
    about = metadata(name)
    classifiers = [text for text in about.get_all("Classifier", []) if text.startswith("License ::")]
    stated = [about.get("License-Expression"), *(text.split(" :: ")[-1] for text in classifiers), about.get("License")]
    stated_name = next(filter(None, stated), None) or NOT_IN_METADATA[name]
    return SPELLINGS.get(stated_name, stated_name.splitlines()[0])


def table() -> str:
    """The table, with a row for each licence, as Markdown."""
    by_licence: dict[str, list[str]] = {}
    for name in sorted(pinned(), key=str.lower):
        by_licence.setdefault(licence(name), []).append(name)
    rows = [f"| {name} | {', '.join(packages)} |" for name, packages in sorted(by_licence.items())]
    return "\n".join([MARK, "|---|---|", *rows, ""])


if __name__ == "__main__":
    PAGE.write_text(PAGE.read_text(encoding="utf-8").partition(MARK)[0] + table(), encoding="utf-8")
