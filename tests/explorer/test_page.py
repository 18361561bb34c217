"""The explorer's file: one self-contained page of limited size."""

import json
import re

import numpy as np
import plotly.graph_objects as go
import pytest
from helpers import reference_tables
from plotly.offline import get_plotlyjs

from slowpoints.core.looks import unit_looks
from slowpoints.explorer import EXPLORED
from slowpoints.explorer.page import EXPORT, FOLDER, IMPORT, MODULES, SYMBOLS, write_page
from slowpoints.plots.style import class_colour
from slowpoints.task.protocols import PROTOCOLS


@pytest.fixture(scope="module")
def tables():
    return reference_tables("embedded", *EXPLORED, seeds=range(4))


def header(path):
    return json.loads(re.search(r'<script type="application/json" id="header">(.*?)</script>', path.read_text())[1])


def test_equal_tables_are_equal_pages_and_nothing_is_loaded(tables, tmp_path):
    for name in ("first", "second"):
        write_page("mine", tables, tmp_path / f"{name}.html")
    assert (tmp_path / "first.html").read_bytes() == (tmp_path / "second.html").read_bytes()
    own = (tmp_path / "first.html").read_text().replace(get_plotlyjs(), "")
    assert not re.search(r"https?:|<script[^>]* src|<link[^>]*stylesheet|@import|url\(", own)


def test_looks_are_those_of_the_figures(tables, tmp_path):
    with unit_looks({"gru": {"label": "gated", "marker": "D"}}):
        write_page("mine", tables, tmp_path / "page.html")
    found = header(tmp_path / "page.html")
    assert found["looks"]["architecture"]["gru"] == {
        "label": "gated", "colour": "#555555", "dash": "solid", "symbol": "diamond", "sign": "◆"
    }  # fmt: skip
    assert found["looks"]["architecture"]["lstm"]["label"] == "LSTM"  # a unit without a look is called by its name
    assert found["looks"]["protocol"]["decu"]["colour"] == PROTOCOLS["decu"].look.colour
    assert found["looks"]["protocol"]["vocu-shuffled"]["dash"] == "5px,1px,1px,1px"
    colours = [[int(text[at : at + 2], 16) for at in (1, 3, 5)] for text in found["colours"]["glyphs"]]
    expected = [[255 * part for part in class_colour(label, 9)[:3]] for label in range(10)]
    assert np.abs(np.subtract(colours, expected)).max() <= 0.5


def test_markers_are_told_apart_in_panels_and_legends():
    symbols, signs = zip(*SYMBOLS.values(), strict=True)
    assert len(set(symbols)) == len(set(signs)) == len(SYMBOLS)
    for symbol in symbols:
        go.Scatter(marker={"symbol": symbol})  # refuses what Plotly does not know


def test_what_would_make_a_page_too_large_is_left_out_and_said(tables, tmp_path):
    whole, small, least = tmp_path / "whole.html", tmp_path / "small.html", tmp_path / "least.html"
    write_page("mine", tables, whole)
    rest = len(get_plotlyjs())
    most = rest + (whole.stat().st_size - rest) // 2
    write_page("mine", tables, small, most_bytes=most)
    assert small.stat().st_size <= most
    assert header(whole)["seeds"] == [4, 4]
    given = header(small)["seeds"][1]
    assert 1 <= given < 4
    assert {name.split("/")[-1] for name in header(small)["parts"]["spectrum"]["rows"]} == set(map(str, range(given)))
    write_page("mine", tables, least, most_bytes=1)  # one network of a cell is always there
    assert header(least)["seeds"] == [4, 1]


def test_names_with_signs_of_html_are_text(tables, tmp_path):
    name = "</script><b>&"
    table = tables["networks"].assign(dataset=name)
    write_page(name, {"networks": table}, tmp_path / "page.html")
    assert header(tmp_path / "page.html")["networks"][0]["dataset"] == name
    assert "<title>Slow points of the study &lt;/script>&lt;b>&amp;</title>" in (tmp_path / "page.html").read_text()


def exported(module):
    return set(re.findall(r"^export (?:async )?(?:function|const) ([\w$]+)", module, re.MULTILINE))


def test_every_module_is_in_the_page_after_those_that_it_imports_from():
    assert {path.name for path in FOLDER.glob("*.js")} == set(MODULES)
    exports = {}
    for name in MODULES:
        module = (FOLDER / name).read_text()
        for names, source in re.findall(r'^import \{([^}]*)\} from "\./(\w+\.js)";$', module, re.MULTILINE):
            assert set(re.findall(r"[\w$]+", names)) <= exports[source], (name, source)
        exports[name] = exported(module)


def test_modules_are_joined_without_a_trace_of_imports_and_exports():
    """An unsupported form, such as `import * as`, would remain and break the page."""
    for name in MODULES:
        joined = EXPORT.sub("", IMPORT.sub("", (FOLDER / name).read_text()))
        assert not re.search(r"^\s*(import|export)\b", joined, re.MULTILINE), name


def test_no_two_modules_have_a_name_in_common():
    names = [
        name
        for module in MODULES
        for name in re.findall(
            r"^(?:export )?(?:async )?(?:function|const|let|class) ([\w$]+)",
            (FOLDER / module).read_text(),
            re.MULTILINE,
        )
    ]
    assert len(names) > 50
    assert sorted(names) == sorted(set(names))
