"""The watch on pages notices forbidden events."""

import pytest
from browser.chromium import Watch

FAULTS = {
    "console.error('lost')": "error on the console: lost",
    "setTimeout(() => { throw new Error('lost') })": "error on the page: lost",
    "fetch('https://example.org/data.json').catch(() => {})": "request: https://example.org/data.json",
}


@pytest.mark.parametrize("script", FAULTS)
def test_a_fault_of_a_page_is_noticed(browser, tmp_path, script):
    file = tmp_path / "page.html"
    file.write_text(f"<!doctype html><title>page</title><p>here</p><script>{script}</script>")
    context = browser.new_context(offline=True)
    page = context.new_page()
    watch = Watch(page)
    page.goto(file.as_uri())
    page.wait_for_timeout(200)
    context.close()
    assert FAULTS[script] in watch.complaints


def test_a_page_that_keeps_to_itself_passes_and_has_webgl(page, tmp_path):
    file = tmp_path / "page.html"
    file.write_text("<!doctype html><title>page</title><img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='>")
    page.goto(file.as_uri())
    assert page.evaluate("document.createElement('canvas').getContext('webgl') !== null")


def test_the_plain_page_has_no_webgl(plain_page, tmp_path):
    file = tmp_path / "page.html"
    file.write_text("<!doctype html><title>page</title>")
    plain_page.goto(file.as_uri())
    assert plain_page.evaluate("document.createElement('canvas').getContext('webgl') === null")
