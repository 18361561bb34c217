"""An explorer in a browser: queries and actions for tests."""

import io
from dataclasses import asdict

import numpy as np
from PIL import Image

from slowpoints.core.looks import unit_looks
from slowpoints.explorer.page import write_page
from slowpoints.networks.units import units

PANELS = ("state_space", "accuracy", "relaxation", "memory", "spectrum", "formation")
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


IDLE = "document.querySelector('main').ariaBusy === 'false'"
"""Whether the page has drawn what was chosen last."""


def write(study, tables, file):
    """Writes an explorer in which units have their names and markers."""
    with unit_looks({name: asdict(unit.look) for name, unit in units().items()}):
        write_page(study, tables, file)


def visit(page, file, address=""):
    page.goto(file.as_uri() + address)
    page.wait_for_selector("body[data-drawn]")


def drawn(page, address):
    """Waits until the page has drawn an address and shows it."""
    page.wait_for_function(f"wanted => document.body.dataset.drawn === wanted && {IDLE}", arg=address)
    assert page.evaluate("location.hash") == address


def go(page, address):
    page.evaluate("address => { location.hash = address }", address)
    drawn(page, address)


def points(page, panel):
    """Screen positions [x, y] of a panel's points, with the class or network of each."""
    page.locator(f"#{panel}").scroll_into_view_if_needed()
    found = page.evaluate(PLACED, panel)
    return np.array([[point["x"], point["y"]] for point in found]), [point["name"] for point in found]


def apart(page, panel):
    """The point of a panel farthest from those of other classes or networks, and its class or network."""
    places, names = points(page, panel)
    gaps = np.linalg.norm(places[:, None] - places, axis=2)
    gaps[np.equal.outer(names, names)] = np.inf
    farthest = gaps.min(axis=1).argmax()
    return places[farthest], names[farthest]


def traces(page, panel):
    """Class, opacity and hover texts of each trace."""
    return page.evaluate(
        "panel => (document.querySelector(`#${panel} .plot`).data ?? []).map("
        "({ meta, opacity, hovertext }) => ({ label: meta?.label ?? null, opacity, hovertext }))",
        panel,
    )


def picture(page, selector):
    """Pixels [height, width, 3] of a part of the page."""
    return np.asarray(Image.open(io.BytesIO(page.locator(selector).screenshot())).convert("RGB"))


def chosen(page):
    """Values of the controls."""
    selects = {name: page.locator(f"#{name}").input_value() for name in ("dataset", "architecture", "protocol", "seed")}
    pressed = page.locator("#classes button[aria-pressed=true]").all_inner_texts()
    return [*selects.values(), page.locator("#mode").input_value(), *pressed]


def text(page, selector):
    return page.locator(selector).inner_text()
