"""The explorer in a browser: controls, selections, the address, keys, and drawing."""

import math

import pytest
from browser.explorer_page import FIRST, IDLE, PANELS, apart, chosen, drawn, go, picture, text, traces, visit, write
from helpers import reference_tables

from slowpoints.core.schemas.schema import NETWORK
from slowpoints.explorer.page import write_page

OF_CLASSES = ("accuracy", "relaxation", "spectrum", "formation")


def test_every_panel_is_drawn(explorer, screenshots):
    explorer.screenshot(path=screenshots / "explorer-1400.png")
    for panel in PANELS:
        assert traces(explorer, panel), panel
        pixels = picture(explorer, f"#{panel} .plot").reshape(-1, 3)
        assert (pixels.min(axis=1) < 235).sum() > 1000, panel
    assert explorer.locator(".note:visible").count() == 0


def test_every_control_shows_what_it_says(explorer):
    for field, value, address in (
        ("dataset", "glyphs", "#glyphs/gru/vocu/0"),
        ("architecture", "lstm", "#glyphs/lstm/vocu/0"),
        ("protocol", "decu", "#glyphs/lstm/decu/0"),
        ("seed", "1", "#glyphs/lstm/decu/1"),
        ("mode", "settled", "#glyphs/lstm/decu/1/settled"),
    ):
        explorer.select_option(f"#{field}", value)
        drawn(explorer, address)
    assert text(explorer, "#summary").startswith("glyphs, LSTM, DeCu, seed 1, settled, λ = 3000: ")
    for label in range(10):
        explorer.click(f"#classes button:text-is('{label}')")
        drawn(explorer, f"#glyphs/lstm/decu/1/settled/class-{label}")
        assert chosen(explorer) == ["glyphs", "lstm", "decu", "1", "settled", str(label)]
    explorer.click("#classes button:text-is('all')")
    drawn(explorer, "#glyphs/lstm/decu/1/settled")


@pytest.mark.parametrize("panel", OF_CLASSES)
def test_a_class_picked_in_a_panel_is_picked_everywhere(explorer, panel):
    place, label = apart(explorer, panel)
    explorer.mouse.click(*place)
    drawn(explorer, f"{FIRST}/class-{label}")
    assert chosen(explorer)[-1] == str(label)
    for other in ("state_space", *OF_CLASSES):
        strong = {trace["label"] for trace in traces(explorer, other) if (trace["opacity"] or 1) > 0.5}
        assert strong - {None} == {label}, other


def test_a_click_on_a_network_shows_it(explorer):
    place, name = apart(explorer, "memory")
    assert name != "digits/gru/vocu/0"
    explorer.mouse.click(*place)
    drawn(explorer, f"#{name}")
    assert chosen(explorer) == [*name.split("/"), "trained", "all"]


def test_numbers_on_the_page_are_those_of_the_tables(explorer, tables):
    go(explorer, "#glyphs/lstm/decu/1/class-3")
    where = "dataset == 'glyphs' and architecture == 'lstm' and protocol == 'decu' and seed == 1"
    network = tables["networks"].query(where).iloc[0]
    point = tables["slow_points"].query(where + " and label == 3").iloc[0]
    summary = text(explorer, "#summary").replace("−", "-")
    for value in (network["nominal_accuracy"], network["memory_score"], network["log10_speed"], point["speed"]):
        assert f"{value:.4g}".rstrip("0") in summary
    at_1000 = tables["extrapolation"].query(where + " and mode == 'trained' and label == 3 and delay == 1000").iloc[0]
    hovers = [trace["hovertext"][-1] for trace in traces(explorer, "accuracy") if trace["label"] == 3]
    assert hovers == [
        f"class 3, delay 1000 frames<br>accuracy {at_1000['accuracy']:.3f} "
        f"[{at_1000['low']:.3f}, {at_1000['high']:.3f}], {at_1000['n_trials']} trials"
    ]
    values = tables["spectrum"].query(where + f" and label == 3 and real**2 + imag**2 >= {math.exp(-2)}")
    x = explorer.evaluate("document.querySelector('#spectrum .plot').data.filter(t => t.meta?.label === 3)[0].x")
    assert x == pytest.approx(list(values["real"]), abs=1e-6)


def test_a_number_with_its_unit_shows_on_hover(explorer, tables):
    place, name = apart(explorer, "memory")
    explorer.mouse.move(*place)
    explorer.wait_for_selector("#memory .hovertext")
    shown = explorer.locator("#memory .hovertext").text_content()
    network = tables["networks"].set_index(NETWORK).loc[(*name.split("/")[:3], int(name.split("/")[3]))]
    assert f"memory score {network['memory_score']:.3f}" in shown
    assert "per frame, state units" in shown


def test_an_address_is_shown_on_load_and_on_the_way_back(page, file):
    visit(page, file, "#glyphs/gru/decu/1/slow_points/class-7")
    assert chosen(page) == ["glyphs", "gru", "decu", "1", "slow_points", "7"]
    page.click("#classes button:text-is('all')")
    drawn(page, "#glyphs/gru/decu/1/slow_points")
    page.select_option("#dataset", "digits")
    drawn(page, "#digits/gru/decu/1/slow_points")
    page.go_back()
    drawn(page, "#glyphs/gru/decu/1/slow_points")
    page.go_back()
    drawn(page, "#glyphs/gru/decu/1/slow_points/class-7")
    page.go_forward()
    drawn(page, "#glyphs/gru/decu/1/slow_points")
    page.reload()
    page.wait_for_selector("body[data-drawn]")
    assert chosen(page) == ["glyphs", "gru", "decu", "1", "slow_points", "all"]


@pytest.mark.parametrize("address", ["#nothing/here", "#digits/gru/vocu/99/none/class-77", "#%E0%A4%A", "#"])
def test_an_address_of_nothing_shows_what_is_nearest(explorer, address):
    explorer.evaluate("address => { location.hash = address }", address)
    explorer.wait_for_function(IDLE)
    assert chosen(explorer) == ["digits", "gru", "vocu", "0", "trained", "all"]


def test_keys(explorer):
    explorer.evaluate("document.activeElement.blur()")
    for key, address in (
        ("ArrowRight", "#digits/gru/vocu/1"),
        ("ArrowRight", "#digits/gru/vocu/0"),
        ("ArrowLeft", "#digits/gru/vocu/1"),
        ("p", "#digits/gru/decu/1"),
        ("a", "#digits/lstm/decu/1"),
        ("m", "#digits/lstm/decu/1/control"),
        ("d", "#glyphs/lstm/decu/1/control"),
        ("4", "#glyphs/lstm/decu/1/control/class-4"),
        ("]", "#glyphs/lstm/decu/1/control/class-5"),
        ("[", "#glyphs/lstm/decu/1/control/class-4"),
        ("Escape", "#glyphs/lstm/decu/1/control"),
        ("[", "#glyphs/lstm/decu/1/control/class-9"),
    ):
        explorer.keyboard.press(key)
        drawn(explorer, address)


def test_keys_pressed_while_the_page_draws_count(explorer):
    explorer.evaluate("for (let n = 0; n < 3; n++) document.dispatchEvent(new KeyboardEvent('keydown', { key: ']' }))")
    drawn(explorer, f"{FIRST}/class-2")
    assert chosen(explorer)[-1] == "2"
    for label in (1, 0):  # each was a choice to go back to
        explorer.go_back()
        drawn(explorer, f"{FIRST}/class-{label}")


def test_each_point_has_its_own_text_on_hover(explorer):
    """Also where a line omits points, such as states that are not read out."""
    counts = explorer.evaluate(
        "panels => panels.map(panel => document.querySelector(`#${panel} .plot`).data"
        ".filter(({ hovertext }) => Array.isArray(hovertext)).map(({ x, hovertext }) => [x.length, hovertext.length]))",
        list(PANELS),
    )
    for panel, traces_of_panel in zip(PANELS, counts, strict=True):
        assert traces_of_panel, panel
        assert all(points == texts for points, texts in traces_of_panel), panel
    assert len({points for points, _ in counts[PANELS.index("relaxation")]}) > 1


def test_every_control_is_reached_by_tab_with_a_visible_focus(explorer):
    explorer.evaluate("document.activeElement.blur()")
    explorer.mouse.click(2, 2)
    reached = []
    for _ in range(20):
        explorer.keyboard.press("Tab")
        found = explorer.evaluate(
            "(() => { const at = document.activeElement, style = getComputedStyle(at);"
            "return [at.id || at.dataset.label, style.outlineStyle, parseFloat(style.outlineWidth)] })()"
        )
        reached.append(found[0])
        if found[0] is not None and found[0] != "":
            assert found[1] != "none", found
            assert found[2] >= 2, found
        if found[0] == "reset_view":
            break
    assert reached == ["dataset", "architecture", "protocol", "seed", "mode", "", *map(str, range(10)), "reset_view"]


def test_a_class_chosen_by_keyboard_keeps_the_focus(explorer):
    explorer.focus("#classes button[data-label='3']")
    explorer.keyboard.press("Enter")
    drawn(explorer, f"{FIRST}/class-3")
    assert explorer.evaluate("document.activeElement.dataset.label") == "3"


def test_what_the_tables_lack_is_said(explorer):
    go(explorer, f"{FIRST}/settled")
    assert text(explorer, "#spectrum .note") == "The tables of this study hold no such data for this network."
    assert not explorer.locator("#spectrum .plot").is_visible()
    assert traces(explorer, "accuracy")
    assert "as trained" in text(explorer, "#state_space .note")
    go(explorer, FIRST)
    assert explorer.locator("#spectrum .note:visible").count() == 0
    assert traces(explorer, "spectrum")


def test_notes_are_not_covered_by_plots(explorer):
    """A plot shrinks when a note appears below it, and grows when the note disappears."""
    for address, count in ((f"{FIRST}/settled", 3), (FIRST, 0)):
        go(explorer, address)
        plotted = [panel for panel in PANELS if explorer.locator(f"#{panel} .plot").is_visible()]
        for panel in plotted:
            room, plot = (explorer.locator(f"#{panel} {part}").first.bounding_box() for part in (".plot", ".main-svg"))
            assert plot["height"] == pytest.approx(room["height"], abs=1), (address, panel)
        assert sum(explorer.locator(f"#{panel} .note:visible").count() for panel in plotted) == count


@pytest.mark.parametrize("width", [700, 1400])
def test_nothing_is_wider_than_the_window(explorer, screenshots, width):
    explorer.set_viewport_size({"width": width, "height": 900})
    explorer.wait_for_timeout(500)  # plots follow the window
    explorer.screenshot(path=screenshots / f"explorer-{width}-whole.png", full_page=True)
    assert explorer.evaluate("document.documentElement.scrollWidth") <= width
    for panel in PANELS:
        outer, inner = (
            explorer.locator(where).bounding_box() for where in (f"#{panel}", f"#{panel} .main-svg >> nth=0")
        )
        assert outer["x"] <= inner["x"]
        assert inner["x"] + inner["width"] <= outer["x"] + outer["width"]
        assert inner["y"] + inner["height"] <= outer["y"] + outer["height"] + 1
    explorer.set_viewport_size({"width": 1400, "height": 900})


@pytest.mark.parametrize("width", [700, 1400])
def test_the_legend_of_many_units_lies_within_its_panel(page, tmp_path, screenshots, width):
    path = tmp_path / "explorer.html"
    write("units", reference_tables("units", "networks"), path)
    page.set_viewport_size({"width": width, "height": 900})
    visit(page, path)
    plot, legend = (page.locator(f"#memory {part}").bounding_box() for part in (".plot", ".annotation-text"))
    page.locator("#memory").screenshot(path=screenshots / f"explorer-units-{width}.png")
    assert plot["x"] <= legend["x"]
    assert legend["x"] + legend["width"] <= plot["x"] + plot["width"]
    assert plot["y"] <= legend["y"]


def test_a_page_of_few_networks_says_so_and_of_the_others_their_summary(page, tables, tmp_path):
    path = tmp_path / "explorer.html"
    write_page("embedded", tables, path, most_bytes=1)
    visit(page, path, "#digits/gru/vocu/1")
    rule = "full data for the first 1 of up to 2 networks per cell"
    assert rule in text(page, "#notice")
    assert rule in text(page, "#about")
    assert "memory score" in text(page, "#summary")
    assert page.locator("#accuracy .note:visible").count() == 1
    assert traces(page, "memory")
    page.keyboard.press("ArrowLeft")
    drawn(page, FIRST)
    assert not page.locator("#notice").is_visible()
    assert traces(page, "accuracy")


@pytest.mark.parametrize("kept", [(), ("networks",), ("extrapolation", "slow_points")])
def test_a_study_of_few_tables_is_shown(page, tables, tmp_path, kept):
    path = tmp_path / "explorer.html"
    write_page("embedded", {name: tables[name] for name in kept}, path)
    page.goto(path.as_uri())
    if not kept:
        page.wait_for_selector("#notice:visible")
        assert text(page, "#notice") == "The tables of this study hold no networks."
        return
    page.wait_for_selector("body[data-drawn]")
    with_plots = {panel for panel in PANELS if page.locator(f"#{panel} .main-svg").count()}
    assert with_plots == ({"memory"} if kept == ("networks",) else {"accuracy", "relaxation"})


def test_the_explorer_of_a_whole_study_that_snakemake_ran(finished, page):
    """The tiny study, including slow points and paths of fine-tuned networks, whose spectra are not measured."""
    path = finished.folder / "results/test/explorer.html"
    visit(page, path, "#digits-tiny/gru/vocu/0/settled")
    assert text(page, "#summary").startswith("digits-tiny, GRU, VoCu, seed 0, settled, λ = 3000")
    for panel in PANELS:
        assert bool(traces(page, panel)) == (panel != "spectrum"), panel
    go(page, "#digits-tiny/gru/vocu/0")
    assert traces(page, "spectrum")


def test_classes_that_have_names_are_called_by_them(page, tables, tmp_path):
    names = [f"bird {label} <b>&" for label in range(10)]
    points = tables["slow_points"].copy()
    points.attrs["class_names"] = {"digits": names}
    write_page("mine", tables | {"slow_points": points}, tmp_path / "named.html")
    visit(page, tmp_path / "named.html")
    page.click(f"#classes button:text-is('{names[3]}')")
    drawn(page, f"{FIRST}/class-3")
    assert "class 3 (bird 3 <b>&): slow-point speed" in text(page, "#summary")
    for panel in OF_CLASSES:
        hovers = [hover for trace in traces(page, panel) if trace["label"] == 3 for hover in trace["hovertext"] or []]
        assert any("class 3 (bird 3 &lt;b>&amp;)" in hover for hover in hovers), panel
    go(page, "#glyphs/gru/vocu/0/class-3")
    assert "class 3: slow-point speed" in text(page, "#summary")
