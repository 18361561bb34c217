"""The explorer: one self-contained HTML file."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

import pandas as pd
from matplotlib.colors import to_hex
from plotly.offline import get_plotlyjs

from slowpoints.core.files import atomic
from slowpoints.core.looks import Look, unit_look
from slowpoints.core.modes import LOOKS
from slowpoints.core.provenance import code_revision
from slowpoints.explorer.data import LASTING, gather
from slowpoints.plots import formation, spectrum
from slowpoints.plots.style import GREY, SHADE, class_colour
from slowpoints.task.protocols import PROTOCOLS
from slowpoints.task.timing import FRAMES, MIN_DELAY

FOLDER = Path(__file__).parent
MODULES = (
    "data.js",
    "labels.js",
    "choice.js",
    "keys.js",
    "panels.js",
    "state_space.js",
    "accuracy.js",
    "relaxation.js",
    "memory.js",
    "spectrum.js",
    "formation.js",
    "controls.js",
    "page.js",
)
"""The page's JavaScript modules, each after those from which it imports."""
IMPORT = re.compile(r"^import \{[^}]*\} from \"\./\w+\.js\";\n", re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:async )?function |const )", re.MULTILINE)
MOST_BYTES = 24_000_000
"""Largest size of a page; details of further networks are left out."""
SYMBOLS = {
    "o": ("circle", "●"),
    "^": ("triangle-up", "▲"),
    "v": ("triangle-down", "▼"),
    "<": ("triangle-left", "◄"),
    ">": ("triangle-right", "►"),
    "s": ("square", "■"),
    "D": ("diamond", "◆"),
    "d": ("diamond-tall", "⧫"),
    "P": ("cross", "✚"),
    "X": ("x", "✖"),
    "*": ("star", "★"),
    "p": ("pentagon", "⬟"),
    "h": ("hexagon", "⬢"),
}
"""Plotly's symbol for each marker of the figures, and the character that stands for it in a legend."""
DASHES = {"-": "solid", "--": "dash", ":": "dot", "-.": "dashdot"}


def write_page(
    study: str,
    tables: Mapping[str, pd.DataFrame],
    path: str | Path,
    most_bytes: int = MOST_BYTES,
) -> None:
    """Writes the explorer of a study.

    If the page would exceed `most_bytes`, it includes details of fewer networks: the first seeds of each cell, as many
    as fit, and at least one. The page says so.

    Args:
        study: name of the study.
        tables: the available tables of `EXPLORED`, by name.
        path: file to write.
        most_bytes: largest size of the file.
    """
    seeds = None
    while True:
        header, columns = gather(tables, seeds)
        page = _page(study, header, columns).encode()
        detailed = header["seeds"][1]
        if len(page) <= most_bytes or detailed <= 1:
            break
        rest = len(get_plotlyjs())
        seeds = max(1, min(detailed - 1, int(detailed * (most_bytes - rest) / (len(page) - rest))))
    with atomic(path) as temporary:
        temporary.write_bytes(page)


def _page(study: str, header: dict[str, Any], columns: bytes) -> str:
    packed = base64.b64encode(zlib.compress(columns, 9)).decode()
    texts = {
        "study": _escaped(study),
        "style": (FOLDER / "page.css").read_text(encoding="utf-8"),
        "plotly": get_plotlyjs(),
        "header": json.dumps(header | {"study": study, "revision": code_revision()} | _looks(header))
        .replace("<", "\\u003c"),
        "columns": packed,
        "script": _script(),
    }  # fmt: skip
    return Template((FOLDER / "page.html").read_text(encoding="utf-8")).substitute(texts)


def _script() -> str:
    """All modules joined into one, since a single file cannot import; top-level names are unique."""
    return "\n".join(EXPORT.sub("", IMPORT.sub("", (FOLDER / name).read_text(encoding="utf-8"))) for name in MODULES)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _looks(header: dict[str, Any]) -> dict[str, Any]:
    """Names, styles and marked values of the figures, in Plotly's terms."""
    of_protocols = {name: protocol.look for name, protocol in PROTOCOLS.items()}
    of_units = {name: unit_look(name) for name in (network["architecture"] for network in header["networks"])}
    looks = {"architecture": of_units, "protocol": of_protocols, "mode": LOOKS}
    return {
        "looks": {column: {name: _look(look) for name, look in of.items()} for column, of in looks.items()},
        "colours": {
            dataset: [to_hex(class_colour(label, classes - 1)) for label in range(classes)]
            for dataset, classes in header["classes"].items()
        },
        "grey": GREY,
        "shade": SHADE,
        "unstable": spectrum.UNSTABLE,
        "lasting": LASTING,
        "near": spectrum.NEAR,
        "least_speed": formation.LEAST_SPEED,
        "trained_delays": [MIN_DELAY, FRAMES - 1],
        "frames": FRAMES,
    }


def _look(look: Look) -> dict[str, Any]:
    dash = DASHES[look.line] if isinstance(look.line, str) else ",".join(f"{length}px" for length in look.line[1])
    symbol, sign = SYMBOLS.get(look.marker, SYMBOLS["o"])
    return {"label": look.label, "colour": look.colour, "dash": dash, "symbol": symbol, "sign": sign}
