"""The table of docs/architecture.md that says what runs again, from the imports that digests follow: `make docs`."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby
from pathlib import Path

from slowpoints.core.digests import reached
from slowpoints.core.provenance import LIBRARY
from slowpoints.plots.figures import FIGURES

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/architecture.md"
START, END = "<!-- written by `make docs` (docs/reruns_page.py) -->\n\n", "\n<!-- end of what is written -->\n"
HEAD = "| module | these run again, and what is made from their output |\n|---|---|\n"
CLAIMS = sorted((LIBRARY / "analysis/claims").glob("*.py"))
SHOW_LOOKS = {"describe_study", "draw_explorer", "plot_figure"}
FOUND = ("networks/units/", "networks/recurrence/kernels/", "datasets/readers/", "training/modes/")
"""Folders of modules that only some jobs of a rule reach: rows by hand tell of these and what they alone reach."""
NOTHING = "nothing: they plan, print, or serve notebooks"


def rules() -> dict[str, set[Path]]:
    """Library modules in the digest of each rule, as workflow/rules/digests.smk puts them there."""
    added = {"judge_claims": CLAIMS, "describe_study": CLAIMS}
    found = {}
    for script in sorted((ROOT / "scripts").glob("[!_]*.py")):
        if script.stem == "plot_figure":
            for figure, spec in FIGURES.items():
                modules = [LIBRARY / f"plots/{figure}.py", *(CLAIMS if "claims" in spec.tables else [])]
                found[f"plot_{figure}"] = reached(script, *modules, looks=True)
        else:
            name = "collate_TABLE" if script.stem == "collate_table" else script.stem
            found[name] = reached(script, *added.get(name, []), looks=script.stem in SHOW_LOOKS)
    return found


def rows() -> str:
    """A row for the modules that the same rules reach, in order of the first of them; those of no rule come last."""
    digests, groups = rules(), defaultdict(list)
    modules = sorted(LIBRARY.rglob("*.py"))
    by_hand = reached(*(module for module in modules if _name(module).startswith(FOUND)))
    for module in modules:
        touched = tuple(rule for rule, files in digests.items() if module in files)
        if touched or not (module in by_hand or module.name == "__init__.py"):
            groups[touched].append(module)
    last = groups.pop(())
    lines = [(_listed(group), _named(touched, [*digests])) for touched, group in groups.items()]
    return "".join(f"| {edited} | {again} |\n" for edited, again in [*lines, (_listed(last), NOTHING)])


def _name(module: Path) -> str:
    return module.relative_to(LIBRARY).as_posix()


def _listed(modules: list[Path]) -> str:
    """Modules by path; those of one folder by the folder where they are all of it, else by name after the first."""
    parts = []
    for folder, names in groupby(modules, key=lambda module: module.parent):
        names = list(names)
        if {*folder.glob("[!_]*.py")} <= {*names} and len(names) > 1:
            parts.append(f"`{_name(folder)}/*.py`")
        else:
            parts += [f"`{_name(names[0])}`", *(f"`{module.name}`" for module in names[1:])]
    return ", ".join(parts)


def _named(touched: tuple[str, ...], every: list[str]) -> str:
    """Rules by name; those of all figures and of all tables as one."""
    if set(touched) == set(every):
        return "everything"
    names = list(touched)
    for start, short in (("plot_", "`plot_*`"), ("collate_", "`collate_*`")):
        if {rule for rule in every if rule.startswith(start)} <= set(names):
            names = [rule for rule in names if not rule.startswith(start)] + [short]
    return ", ".join(name if "*" in name else f"`{name}`" for name in names)


def page() -> str:
    """docs/architecture.md with these rows between its two marks."""
    before, rest = PAGE.read_text(encoding="utf-8").split(START)
    return before + START + HEAD + rows() + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
