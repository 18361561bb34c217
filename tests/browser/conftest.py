"""Pages in a headless browser, for tests: `page.goto(path.as_uri())`, then Playwright's `Page`.

`page` and `plain_page` (a browser without WebGL) fail the test at its end if the page raised an error, logged one on
the console, or requested anything but local files. `screenshots` is a folder for pictures to inspect. `explorer` is a
page with an explorer open.
"""

from contextlib import contextmanager
from pathlib import Path

import pytest
from browser.chromium import NO_WEBGL, QUIET, WEBGL, Watch, missing, program
from browser.explorer_page import FIRST, go, visit, write
from helpers import reference_tables, with_ways
from places import ROOT

from slowpoints.explorer import EXPLORED

SECONDS = 60  # for a step of a page, on a busy machine


@pytest.fixture(scope="session")
def playwright():
    """Playwright's driver; skips with the reason if no browser is available."""
    lacking = missing()
    if lacking:
        pytest.skip(f"no browser to test in: {lacking}")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright):
    """A browser with WebGL."""
    browser = playwright.chromium.launch(executable_path=program(), args=[*QUIET, *WEBGL])
    yield browser
    browser.close()


@pytest.fixture
def page(browser):
    """An empty page, 1400 by 900."""
    with watched(browser) as page:
        yield page


@pytest.fixture
def plain_page(playwright):
    """The same in a browser without WebGL."""
    browser = playwright.chromium.launch(executable_path=program(), args=[*QUIET, *NO_WEBGL])
    with watched(browser) as page:
        yield page
    browser.close()


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Folder for pictures of pages, which git ignores."""
    folder = ROOT / "build/screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def watched(browser):
    """A new page, which must make no outside request."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, offline=True)
    context.set_default_timeout(1000 * SECONDS)
    page = context.new_page()
    watch = Watch(page)
    yield page
    context.close()
    assert watch.complaints == []


@pytest.fixture(scope="session")
def tables():
    """Two networks of each of eight cells; for fine-tuned ones, only accuracy and summaries."""
    modes = ("control", "slow_points", "centre_of_mass", "settled")
    tables = reference_tables("embedded", *EXPLORED, seeds=(0, 1), modes=modes)
    return tables | {"trajectories": with_ways(tables["trajectories"])}


@pytest.fixture(scope="session")
def file(tables, tmp_path_factory):
    path = tmp_path_factory.mktemp("explorer") / "explorer.html"
    write("embedded", tables, path)
    return path


@pytest.fixture(scope="module")
def opened(browser, file):
    """The page, opened once for all tests of a file that only read and click, and must raise no complaint."""
    with watched(browser) as page:
        visit(page, file)
        yield page


@pytest.fixture
def explorer(opened):
    """The page, at its first network."""
    go(opened, FIRST)
    return opened
