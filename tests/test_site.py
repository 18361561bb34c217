"""Links of pages resolve, on GitHub and in the site that `make docs` builds."""

import ast
import importlib.util
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from places import ROOT

FENCE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
ELSEWHERE = re.compile(r"[a-z]+:|//")
NEEDED = ("sphinx", "myst_nb", "furo")


def pages() -> list[Path]:
    """Markdown and notebooks tracked by git; all of them in a copy without git."""
    listed = subprocess.run(["git", "-C", ROOT, "ls-files", "*.md", "*.ipynb"], capture_output=True, text=True)
    tracked = [ROOT / name for name in listed.stdout.splitlines()]
    return tracked or [*ROOT.glob("*.md"), *ROOT.glob("[a-z]*/*.md"), *ROOT.glob("examples/*.ipynb")]


def prose(page: Path) -> str:
    """A page's Markdown, or that of a notebook's cells."""
    if page.suffix == ".md":
        return page.read_text()
    cells = json.loads(page.read_text())["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def anchors(page: Path) -> set[str]:
    """Anchors of headings, as GitHub makes them."""
    headings = re.findall(r"^#+ +(.*)$", re.sub(r"^```.*?^```$", "", prose(page), flags=re.MULTILINE | re.DOTALL), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_somewhere(page):
    for link in LINK.findall(FENCE.sub("", prose(page))):
        target, anchor = urldefrag(link)
        if ELSEWHERE.match(target):
            continue
        file = page.parent / unquote(target) if target else page
        assert file.exists(), link
        assert not anchor or anchor in anchors(file), link


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_the_site_has_a_place_for_a_page(page):
    listed = re.search(r"^PARTS = (\{.*?^\})", (ROOT / "docs/site/conf.py").read_text(), re.M | re.S)
    parts = ast.literal_eval(listed.group(1))
    name = str(page.relative_to(ROOT).with_suffix(""))
    assert name == "README" or any(name in names for names in parts.values())


class Page(HTMLParser):
    """Text, links and anchors of a page of the site."""

    def __init__(self, text: str):
        super().__init__()
        self.loaded, self.links, self.places = [], [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.places |= {named.get("id"), named.get("name")}
        if tag == "a":
            self.links.append(named.get("href", ""))
        elif tag == "link" or "src" in named:
            self.loaded.append(named.get("src") or named.get("href"))


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed: `make docs` does so, from docs/requirements.txt")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-c", "docs/site", "-b", "html", ".", folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_the_site_is_whole_and_needs_no_network(site):
    assert (site / "index.html").is_file()
    made = {path: Page(path.read_text()) for path in site.rglob("*.html")}
    for page in pages():
        if "tests" not in page.parts:
            assert site / page.relative_to(ROOT).with_suffix(".html") in made, page
    for path, page in made.items():
        assert not [address for address in page.loaded if ELSEWHERE.match(address)], path
        for link in page.links:
            target, anchor = urldefrag(link)
            if not link or ELSEWHERE.match(link):
                continue
            file = (path.parent / unquote(target)).resolve() if target else path
            assert file.is_file(), f"{path}: {link}"
            assert not anchor or file not in made or anchor in made[file].places, f"{path}: {link}"
    for path in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*['\"]?(https?:)?//", path.read_text()), path
