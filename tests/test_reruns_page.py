"""The table of what runs again follows from the imports of digests."""

import re

import pytest
from reruns_page import FOUND, PAGE, ROOT, page, rows

from slowpoints.core.provenance import LIBRARY

FOLDERS = ("src", "scripts", "tests", "docs")


def test_the_table_of_what_runs_again_is_up_to_date():
    assert PAGE.read_text() == page(), "run `make docs`"


def test_it_names_what_a_module_s_edit_runs_again():
    table = dict(re.findall(r"^\| (.*) \| (.*) \|$", rows(), re.MULTILINE))
    assert (
        table["`measures/accuracy.py`, `retrieval.py`"]
        == "`measure_memory`, `regularise_networks`, `validate_networks`"
    )
    assert table["`plots/formation.py`"] == "`draw_explorer`, `plot_formation`"
    assert table["`plots/figures.py`, `style.py`"] == "`draw_explorer`, `plot_*`"
    assert "everything" in table.values()
    (last,) = (modules for modules, again in table.items() if again.startswith("nothing"))
    assert "`adapters/*.py`" in last
    assert "`study.py`" in last


def test_every_module_is_in_one_row_or_told_of_by_hand():
    text = PAGE.read_text()
    text = text[text.index("| edit |") : text.index("`snakemake -n all` shows")]
    for module in LIBRARY.rglob("*.py"):
        name = module.relative_to(LIBRARY).as_posix()
        if module.name != "__init__.py" and not name.startswith(FOUND):
            assert f"`{module.name}`" in text or f"{name}`" in text or f"{name.removesuffix(module.name)}*.py`" in text


@pytest.mark.parametrize("name", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_modules_named_on_pages_for_developers_exist(name):
    """Placeholders in capitals, such as `plots/NAME.py`, stand for any."""
    files = [f"/{path.relative_to(ROOT).as_posix()}" for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]
    named = re.findall(r"`([a-z_./]+\.py)`", (ROOT / name).read_text())
    assert len(named) > 10
    assert not [module for module in named if not any(file.endswith(f"/{module}") for file in files)]
