"""Where the tables in reference/ come from: what their metadata prove, and what they cannot."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from slowpoints.core.presets.preset import Preset
from slowpoints.core.presets.section import plain
from slowpoints.core.tables import read_facts
from slowpoints.study import read_study

REFERENCE = Path(__file__).parents[1] / "reference"
CLEAN = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class Origin:
    """Where a study's tables come from.

    Attributes:
        revisions: of the code, each once; one ends in "-dirty" where the tree had uncommitted changes.
        packages: version of each package.
        settings: as `Study.settings` gives them.
        legacy: why the metadata do not prove revision and settings; None where they do.
    """

    revisions: tuple[str, ...]
    packages: dict[str, str]
    settings: dict[str, Any]
    legacy: str | None


def origin(study: str, reference: Path = REFERENCE) -> Origin:
    """Where the tables of a finished study come from.

    Args:
        study: a folder in `reference`, with a config.yaml, tables, and a legacy.yaml (`reason`, `settings`) where the
            tables prove no origin.
        reference: folder of finished studies.

    Raises:
        ValueError: naming the file, if tables are not of one revision without uncommitted changes, hold no settings or
            others than config.yaml, and the study has no legacy.yaml; or if it has one without need.
    """
    folder = reference / study
    facts = {path: read_facts(path) for path in sorted(folder.glob("*.parquet"))}
    if not facts:
        raise ValueError(f"{folder}: no tables; a finished study has some")
    revisions = tuple(dict.fromkeys(revision for table in facts.values() for revision in _revisions(table)))
    packages = json.loads(next(iter(facts.values()))["packages"])
    flaw = _unclean(folder, revisions) or _wrong_settings(folder, facts)
    legacy = folder / "legacy.yaml"
    if not legacy.is_file():
        if flaw:
            raise ValueError(f"{flaw}; run the study anew, or give the reason in {legacy}")
        return Origin(revisions, packages, _stored(next(iter(facts.values()))), None)
    if not flaw:
        raise ValueError(f"{legacy}: the tables prove their revision and settings; remove the file")
    noted = yaml.safe_load(legacy.read_text(encoding="utf-8"))
    return Origin(revisions, packages, _complete(noted["settings"]), noted["reason"])


def _revisions(facts: dict[str, str]) -> list[str]:
    """Revisions that measured a table's cells and gathered it."""
    return [*json.loads(facts.get("measured_by", "[]")), facts.get("code_revision", "unknown")]


def _unclean(folder: Path, revisions: tuple[str, ...]) -> str | None:
    if len(revisions) > 1:
        return f"{folder}: tables are of the revisions {', '.join(revisions)}; they must be of one"
    if not CLEAN.fullmatch(revisions[0]):
        return f"{folder}: tables are of revision {revisions[0]}; it must be a commit, without uncommitted changes"
    return None


def _wrong_settings(folder: Path, tables: dict[Path, dict[str, str]]) -> str | None:
    config = folder / "config.yaml"
    written = yaml.safe_load(config.read_text(encoding="utf-8"))
    expected = read_study(written, name=str(config)).settings()
    for path, facts in tables.items():
        if "settings" not in facts:
            return f"{path}: its metadata hold no settings"
        if difference := _difference(_stored(facts), expected):
            return f"{path}: {difference} in {config}"
    return None


def _stored(facts: dict[str, str]) -> dict[str, Any]:
    return _complete(json.loads(facts["settings"]))


def _complete(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings, with the defaults of keys that came later: until then all networks had these."""
    return settings | {"presets": {name: plain(Preset.of(preset)) for name, preset in settings["presets"].items()}}


def _difference(stored: Any, expected: Any, place: str = "") -> str | None:
    """The first setting that differs, in words."""
    if isinstance(stored, dict) and isinstance(expected, dict):
        keys = dict.fromkeys([*expected, *stored])
        parts = (_difference(stored.get(key), expected.get(key), f"{place}.{key}".lstrip(".")) for key in keys)
        return next(filter(None, parts), None)
    return None if stored == expected else f"{place} is {stored!r} in its metadata, but {expected!r}"


def revision_text(found: Origin) -> str:
    """The revisions, short, and whether their trees were clean."""
    return ", ".join(
        f"`{revision[:10]}`{', with uncommitted changes' if revision.endswith('-dirty') else ''}"
        for revision in found.revisions
    )
