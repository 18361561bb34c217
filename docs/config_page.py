"""config/README.md and workflow/schemas/config.schema.yaml, written from the typed keys of the library: `make docs`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import yaml

from slowpoints.configuration import schema

ROOT = Path(__file__).parents[1]
SCHEMA, PAGE = ROOT / "workflow/schemas/config.schema.yaml", ROOT / "config/README.md"
HEAD = """# Configuration

<!-- Written by `make docs` from the keys in src/slowpoints/configuration.py and core/presets/: edit there. -->

One YAML file describes a study: `snakemake --cores 8 --configfile config/mine.yaml`. Single keys can be set on the
command line, after the target: `snakemake all --cores 8 --config seeds=2`. Omitted keys keep the value of
`config.yaml`, except for `study`, which your own file must set: it names the folder of the results. Files are in UTF-8.
Unknown keys, duplicate keys and impossible values stop a run before it starts; the error names the key, the value and
what is allowed.

| file | study |
|---|---|
"""
SCHEMA_HEAD = """\
# Written by `make docs` from the keys in src/slowpoints/configuration.py and core/presets/: edit there.
# For editors (a file that begins with `# yaml-language-server: $schema=../workflow/schemas/config.schema.yaml` is
# checked while it is written) and for readers of the workflow catalogue; the workflow itself checks by the keys.
"""
PRESETS = """
## Presets

`presets` overrides shipped presets or defines new ones; `base` names the preset that supplies all settings that yours
omits. A preset has the sections below, and `seeds`, its number of networks per cell. A new data set of a supported file
type needs nothing else:

```yaml
study: kuzushiji
datasets: [kuzushiji]
presets:
  kuzushiji: {base: mnist-small, source: {kind: idx, path: /data/kmnist}}
```

An overridden preset keeps its folder of networks, so the study that used them before would train again. Give a variant
its own name instead (`my-digits: {base: digits, training: {steps: 500}}`).

| preset | description |
|---|---|
"""


def page() -> str:
    """The page, as Markdown."""
    whole = schema()
    lines = [HEAD + "".join(_first_comments("*.yaml"))]
    lines += ["\n## Keys\n\n| key | meaning | default |\n|---|---|---|\n", *_rows(whole, whole)]
    lines += [PRESETS, *_first_comments("presets/*.yaml")]
    for name, section in whole["$defs"]["WrittenPreset"]["properties"].items():
        if keys := _section(section, whole):
            meaning = section.get("description", keys["description"])
            head = f"\n### `{name}`\n\n{meaning}\n\n| key | meaning | default |\n|---|---|---|\n"
            lines += [head, *_rows(keys, whole)]
    return "".join(lines)


def schema_file() -> str:
    """The schema for editors, as YAML."""
    return SCHEMA_HEAD + yaml.safe_dump(schema(), sort_keys=False, allow_unicode=True, width=120)


def shipped(pattern: str) -> list[Path]:
    """Files of config/ that git tracks, so none of a user's; all of them in a copy without git."""
    files = sorted(PAGE.parent.glob(pattern))
    try:
        listing = subprocess.run(
            ["git", "-C", PAGE.parent, "ls-files"], capture_output=True, encoding="utf-8", check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return files
    tracked = {PAGE.parent / line for line in listing.stdout.splitlines()}
    return [file for file in files if file in tracked] or files


def _first_comments(pattern: str) -> Iterator[str]:
    """A row for each file: its name and the comment it begins with."""
    for path in shipped(pattern):
        comment = []
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line.startswith("#"):
                break
            comment.append(line.lstrip("# "))
        yield f"| `{path.name if 'presets' not in pattern else path.stem}` | {' '.join(comment)} |\n"


def _rows(section: dict, whole: dict) -> Iterator[str]:
    for name, entry in section["properties"].items():
        allowed = entry.get("enum") or entry.get("items", {}).get("enum")
        text = entry["description"]
        text += f" One of {', '.join(map(str, allowed))}." if allowed and str(allowed[-1]) not in text else ""
        default = json.dumps(entry["default"]) if "default" in entry else ""
        yield f"| `{name}` | {text} | {f'`{default}`' if default else ''} |\n"
        for key, part in _section(entry, whole).get("properties", {}).items():
            yield f"| `{name}.{key}` | {part['description']} | |\n"


def _section(entry: dict, whole: dict) -> dict:
    """The section that stands under a key, or may; empty where none may."""
    names = [part["$ref"].split("/")[-1] for part in [entry, *entry.get("anyOf", [])] if "$ref" in part]
    return whole["$defs"][names[0]] if names else {}


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    SCHEMA.write_text(schema_file(), encoding="utf-8")
