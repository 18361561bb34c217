"""The explorer in a browser: every control, every pick, the address and the keys; and that things are drawn."""

import io
from collections import Counter

import numpy as np
import pytest
from browser.conftest import watched
from helpers import reference_tables
from PIL import Image

from slowpoints.core.schemas.kinds import NETWORK
from slowpoints.explorer import EXPLORED
from slowpoints.explorer.page import write_page
from slowpoints.networks.units import units

PANELS = ("state_space", "accuracy", "relaxation", "memory", "spectrum", "formation")
OF_CLASSES = ("accuracy", "relaxation", "spectrum", "formation")
FIRST = "#digits/gru/vocu/0"
PLACED = """panel => {
  const plot = document.querySelector(`#${panel} .plot`), { left, top } = plot.getBoundingClientRect();
  const { xaxis, yaxis } = plot._fullLayout, found = [];
  for (const { x, y, meta, customdata, xaxis: on } of plot.data) {
    if (!meta && !customdata || on === "x2") continue;
    x.forEach((value, point) => y[point] === null || found.push({ name: customdata?.[point].join("/") ?? meta.label,
      x: left + xaxis._offset + xaxis.d2p(value), y: top + yaxis._offset + yaxis.d2p(y[point]) }));
  }
  return found;
}"""
"""Where on the screen the points of a panel are, and of which class or network."""


@pytest.fixture(scope="module")
def tables():
    """Two networks of each of eight cells; of the fine-tuned ones, accuracy and summaries alone."""
    return reference_tables("embedded", *EXPLORED, seeds=(0, 1))


@pytest.fixture(scope="module")
def file(tables, tmp_path_factory):
    path = tmp_path_factory.mktemp("explorer") / "explorer.html"
    write_page("embedded", tables, path, {name: unit.look for name, unit in units().items()})
    return path


@pytest.fixture(scope="module")
def opened(browser, file):
    """The page, opened once for all tests that only look and click, which must leave no complaint."""
    with watched(browser) as page:
        visit(page, file)
        yield page


@pytest.fixture
def explorer(opened):
    """The page, at its first network."""
    go(opened, FIRST)
    return opened


def visit(page, file, address=""):
    page.goto(file.as_uri() + address)
    page.wait_for_selector("body[data-drawn]")


def drawn(page, address):
    """Waits until the page has drawn what an address says, and the address is that."""
    page.wait_for_function("wanted => document.body.dataset.drawn === wanted && !drawing", arg=address)
    assert page.evaluate("location.hash") == address


def go(page, address):
    page.evaluate("address => { location.hash = address }", address)
    drawn(page, address)


def points(page, panel):
    """Places [x, y] of a panel's points on the screen, and of which class or network each is."""
    page.locator(f"#{panel}").scroll_into_view_if_needed()
    found = page.evaluate(PLACED, panel)
    return np.array([[point["x"], point["y"]] for point in found]), [point["name"] for point in found]


def apart(page, panel):
    """The point of a panel that is farthest from those of other classes, or networks, and whose it is."""
    places, names = points(page, panel)
    gaps = np.linalg.norm(places[:, None] - places, axis=2)
    gaps[np.equal.outer(names, names)] = np.inf
    farthest = gaps.min(axis=1).argmax()
    return places[farthest], names[farthest]


def traces(page, panel):
    """Of each trace its class, opacity, and its texts on hover."""
    return page.evaluate(
        "panel => document.querySelector(`#${panel} .plot`).data.map("
        "({ meta, opacity, hovertext }) => ({ label: meta?.label ?? null, opacity, hovertext }))",
        panel,
    )


def picture(page, selector):
    """Pixels [height, width, 3] of a part of the page."""
    return np.asarray(Image.open(io.BytesIO(page.locator(selector).screenshot())).convert("RGB"))


def chosen(page):
    """What the controls say."""
    selects = {name: page.locator(f"#{name}").input_value() for name in ("dataset", "architecture", "protocol", "seed")}
    pressed = page.locator("#classes button[aria-pressed=true]").all_inner_texts()
    return [*selects.values(), page.locator("#mode").input_value(), *pressed]


def text(page, selector):
    return page.locator(selector).inner_text()


def test_every_panel_is_drawn(explorer, screenshots):
    explorer.screenshot(path=screenshots / "explorer-1400.png")
    for panel in PANELS:
        assert traces(explorer, panel), panel
        pixels = picture(explorer, f"#{panel} .plot").reshape(-1, 3)
        assert (pixels.min(axis=1) < 235).sum() > 1000, panel
    assert explorer.locator(".note:visible").count() == 0


def test_the_scene_shows_slow_points_in_their_colours(explorer):
    """An empty scene, or one of axes alone, has no pixels of the classes' colours."""
    pixels = Counter(map(tuple, picture(explorer, "#state_space canvas").reshape(-1, 3)))
    colours = explorer.evaluate("study.colours.digits")
    found = [pixels[tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))] for colour in colours]
    assert sum(count > 20 for count in found) >= 8  # two may be hidden behind others


def test_the_scene_turns_and_is_reset(explorer):
    before = picture(explorer, "#state_space canvas")
    box = explorer.locator("#state_space .plot").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    explorer.mouse.move(x, y)
    explorer.mouse.down()
    explorer.mouse.move(x + 120, y + 30, steps=4)
    explorer.mouse.up()
    explorer.mouse.move(0, 0)
    explorer.wait_for_timeout(300)
    assert np.abs(picture(explorer, "#state_space canvas").astype(int) - before).max() > 50
    go(explorer, "#digits/gru/vocu/1")  # another network is seen from the same side
    eye = "document.querySelector('#state_space .plot')._fullLayout.scene._scene.getCamera().eye.x"
    turned = explorer.evaluate(eye)
    go(explorer, FIRST)
    assert explorer.evaluate(eye) == pytest.approx(turned)
    explorer.click("#reset_view")
    explorer.wait_for_timeout(300)
    assert explorer.evaluate(eye) == pytest.approx(1.3)
    assert turned != pytest.approx(1.3, abs=0.05)


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
    assert text(explorer, "#summary").startswith("glyphs, LSTM, DeCu, seed 1, settled, λ = 10000: ")
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


def test_a_click_on_a_slow_point_of_the_scene_picks_its_class_and_another_click_all(explorer):
    pixels = picture(explorer, "#state_space canvas").astype(int)
    box = explorer.locator("#state_space canvas").bounding_box()
    for label, colour in enumerate(explorer.evaluate("study.colours.digits")):
        rgb = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
        rows, columns = np.nonzero((pixels == rgb).all(axis=2))
        if len(rows) < 60 or rows.std() > 12 or columns.std() > 12:  # hidden, or its trials are far from it
            continue
        for address in (f"{FIRST}/class-{label}", FIRST):
            place = box["x"] + np.median(columns), box["y"] + np.median(rows)
            explorer.mouse.move(place[0] - 30, place[1] - 30)
            explorer.mouse.move(*place, steps=3)
            explorer.wait_for_timeout(300)  # the scene looks what is under the pointer when it next draws
            explorer.mouse.down()
            explorer.mouse.up()
            drawn(explorer, address)
        return
    pytest.fail("no slow point can be seen whole")


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
    values = tables["spectrum"].query(where + " and label == 3")
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
    explorer.wait_for_function("!drawing")
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
    assert text(explorer, "#spectrum .note") == "The tables of this study have nothing of this network here."
    assert not explorer.locator("#spectrum .plot").is_visible()
    assert traces(explorer, "accuracy")
    assert "as trained" in text(explorer, "#state_space .note")
    go(explorer, FIRST)
    assert explorer.locator("#spectrum .note:visible").count() == 0
    assert traces(explorer, "spectrum")


def test_without_webgl_the_scene_is_flat_and_says_so(plain_page, file, screenshots):
    visit(plain_page, file)
    plain_page.screenshot(path=screenshots / "explorer-without-webgl.png")
    assert "no WebGL" in text(plain_page, "#state_space .note")
    kinds = plain_page.evaluate("document.querySelector('#state_space .plot').data.map(trace => trace.type)")
    assert set(kinds) == {"scatter"}
    assert (picture(plain_page, "#state_space .plot").min(axis=2) < 200).sum() > 500
    assert not plain_page.locator("#reset_view").is_visible()
    place, label = apart(plain_page, "state_space")
    plain_page.mouse.click(*place)
    drawn(plain_page, f"{FIRST}/class-{label}")


def test_a_scene_that_loses_webgl_goes_on_flat(page, file):
    visit(page, file)
    page.evaluate(
        "(() => { const canvas = document.querySelector('#state_space canvas');"
        "const context = canvas.getContext('webgl') ?? canvas.getContext('webgl2');"
        "context.getExtension('WEBGL_lose_context').loseContext() })()"
    )
    page.wait_for_selector("#state_space .scatterlayer")
    page.wait_for_function("!drawing")
    assert "no WebGL" in text(page, "#state_space .note")


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


def test_a_page_of_few_networks_says_so_and_of_the_others_their_summary(page, tables, tmp_path):
    path = tmp_path / "explorer.html"
    write_page("embedded", tables, path, most_bytes=1)
    visit(page, path, "#digits/gru/vocu/1")
    rule = "the first 1 of up to 2 networks of each cell are here in full"
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
        assert text(page, "#notice") == "The tables of this study hold no network."
        return
    page.wait_for_selector("body[data-drawn]")
    with_plots = {panel for panel in PANELS if page.locator(f"#{panel} .main-svg").count()}
    assert with_plots == ({"memory"} if kept == ("networks",) else {"accuracy", "relaxation"})


def test_the_explorer_of_a_whole_study_that_snakemake_ran(finished, page):
    """The tiny study's: with slow points, spectra and paths of fine-tuned networks, too."""
    path = finished.folder / "results/test/explorer.html"
    visit(page, path, "#digits-tiny/gru/vocu/0/settled")
    assert text(page, "#summary").startswith("digits-tiny, GRU, VoCu, seed 0, settled, λ = 3000")
    for panel in PANELS:
        assert traces(page, panel), panel
