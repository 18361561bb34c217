"""The report of the tiny study in a browser: every section opens, every figure is drawn, and tables are readable."""

import re

import pandas as pd
import pytest

SECTIONS = [
    "1. What came out",
    "2. The task",
    "3. How long networks remember",
    "4. Does speed predict memory",
    "5. How memories form",
    "6. Does a penalty help",
    "7. Explore",
    "8. Figures to print",
]
TOO_SMALL = 200  # pixels of a figure


@pytest.fixture
def opened(page, report):
    page.goto(report.as_uri())
    page.get_by_role("heading", level=1).first.wait_for()
    return page


def menu(page):
    """The menu at the left."""
    return page.get_by_role("navigation").first


def show(page, section):
    """The rows of a section."""
    menu(page).locator("a:has(svg)").nth(1).click()  # home
    menu(page).get_by_text(section, exact=True).click()
    return rows(page)


def rows(page):
    """The rows of the section just clicked, which the page draws a moment later."""
    found = menu(page).locator("tbody tr")
    found.first.wait_for()
    return found


def table_in(page):
    """The table shown in the result."""
    return page.frame_locator("iframe").locator("body")


def test_the_front_page_is_read_from_its_top_and_leads_to_every_section(opened, screenshots):
    for width in (1400, 700):
        opened.set_viewport_size({"width": width, "height": 900})
        box = opened.locator("h1.title").bounding_box()
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= width
        opened.screenshot(path=screenshots / f"report-front-{width}.png")
    text = opened.locator(".document").inner_text()
    for words in (
        "Study test",
        "Which protocol remembers longer?",
        "Which of the paper's claims are contradicted",
        "4 networks",
    ):
        assert words in text
    assert opened.locator(".system-message").count() == 0  # docutils found no fault
    links = opened.locator(".document li a")
    assert links.all_inner_texts() == SECTIONS
    links.nth(3).click()
    assert rows(opened).count() == 6


def test_every_section_shows_its_results(opened, screenshots):
    assert menu(opened).locator("li a").filter(has_text=re.compile(r"^\d")).all_inner_texts() == SECTIONS
    drawn = []
    for section in SECTIONS[:-1]:
        for row in show(opened, section).all():
            name = row.inner_text().strip()
            row.locator("a").first.click()
            shown = opened.locator(".grow.overflow-auto").locator("img, iframe").first
            shown.wait_for()
            assert shown.bounding_box()["y"] >= 0  # its top can be reached
            if shown.evaluate("shown => shown.tagName") == "IMG":
                opened.wait_for_function("[...document.images].every((image) => image.complete)")
                assert shown.evaluate("image => Math.min(image.naturalWidth, image.naturalHeight)") > TOO_SMALL
                drawn.append(name)
        if section in (SECTIONS[0], SECTIONS[3]):
            opened.screenshot(path=screenshots / f"report-section-{section[0]}.png")
    assert len(drawn) == 13
    menu(opened).locator("a:has(svg)").nth(1).click()
    menu(opened).get_by_text("Statistics", exact=True).click()
    opened.locator(".vega-embed canvas, .vega-embed svg").first.wait_for()


def test_figures_have_captions_with_numbers_and_a_copy_to_print(opened):
    show(opened, SECTIONS[2]).first.locator("a").nth(1).click()
    caption = menu(opened).locator(".prose").inner_text()
    assert "Share of trials in which the class is reported correctly" in caption
    assert re.search(r"VoCu − DeCu: −?\d\.\d{3} \[.*\] \(n = 4, p", caption)
    kinds = opened.evaluate("Object.entries(results).map(([path, result]) => [path, result.mime_type])")
    copies = {path for path, kind in kinds if kind == "application/pdf"}
    assert copies == {path.replace(".png", ".pdf") for path, kind in kinds if kind == "image/png"}
    assert show(opened, SECTIONS[-1]).count() == len(copies) == 13


def test_the_explorer_is_drawn_inside(opened, screenshots):
    show(opened, SECTIONS[6]).filter(has_text="Explorer").locator("a").first.click()
    page = opened.frame_locator("iframe")
    page.locator("body[data-drawn]").wait_for()
    shown = page.locator("body").get_attribute("data-drawn")
    page.locator("#seed").select_option(index=1)
    page.locator(f"body[data-drawn]:not([data-drawn='{shown}'])").wait_for()
    opened.screenshot(path=screenshots / "report-explorer.png")


def test_claims_can_be_searched_and_sorted(opened, finished):
    claims = pd.read_parquet(finished.folder / "results/test/tables/claims.parquet")
    show(opened, SECTIONS[0]).filter(has_text="table").locator("a").first.click()
    page = table_in(opened)
    shown = page.locator("tbody tr:visible")
    shown.nth(len(claims) - 1).wait_for()
    assert shown.count() == len(claims)
    page.get_by_role("searchbox").fill("C2 all")
    found = claims[(claims["claim"] == "C2") & claims["dataset"].isna()]
    assert shown.count() == len(found)
    assert found["verdict"].iloc[0] in shown.first.inner_text()
    page.get_by_role("searchbox").fill("")
    for ordered in (sorted, lambda values: sorted(values, reverse=True)):
        page.get_by_role("button", name="effect").click()
        effects = page.locator("tbody tr td:nth-child(4)").evaluate_all(
            "cells => cells.map(cell => cell.dataset.value)"
        )
        there = [float(effect) for effect in effects if effect is not None]
        assert there == ordered(there)
        assert len(there) == claims["effect"].notna().sum()
