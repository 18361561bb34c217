"""The site of these pages: Sphinx reads the same Markdown and notebooks as GitHub shows, from the root of the project.

`make docs` builds it in `site/`, whole and offline: no font, script or style comes from elsewhere.
"""

import shutil
from pathlib import Path

from myst_nb.sphinx_ext import OUTPUT_FOLDER

import slowpoints

project = "slowpoints"
author = "The slowpoints authors"
release = version = slowpoints.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "README"
PARTS = {
    "Use": (
        "docs/tutorial",
        "docs/running",
        "docs/data",
        "docs/explorer",
        "docs/library",
        "examples/inspect_results",
        "examples/your_own_network",
        "examples/remember_longer",
        "config/README",
        "docs/tables",
        "docs/cluster",
        "results/README",
    ),
    "Science": ("docs/method", "docs/results", "docs/reproduction", "reference/README", "benchmarks/README"),
    "Code": (
        "docs/site/api",
        "docs/architecture",
        "CONTRIBUTING",
        "docs/reliability",
        "docs/dependencies",
        "CHANGELOG",
    ),
}
"""Pages as the table of contents has them: the README has no place for one."""
include_patterns = ["README.*", *(f"{page}.*" for pages in PARTS.values() for page in pages)]
exclude_patterns = [".*", "results/*/*", "site", "logs", "resources"]

nb_execution_mode = "off"  # tests run the notebooks; what they gave is stored in them
myst_heading_anchors = 4  # as GitHub's
myst_links_external_new_tab = False
suppress_warnings = ["myst.header"]  # CHANGELOG and others begin as GitHub likes it

default_role = "code"  # docstrings have names between single backticks
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_google_docstring, napoleon_numpy_docstring = True, False

html_theme = "furo"
html_title = "slowpoints"
html_static_path, html_css_files = ["site.css"], ["site.css"]
html_copy_source = html_show_copyright = False
html_show_sourcelink = False


def add_contents(app, page: str, source: list[str]) -> None:
    """Puts the table of contents under the README."""
    if page == root_doc:
        source[0] += "".join(
            f"\n```{{toctree}}\n:hidden:\n:caption: {part}\n\n" + "\n".join(pages) + "\n```\n"
            for part, pages in PARTS.items()
        )


def finish(app, error: Exception | None) -> None:
    """index.html, which browsers look for, is the README; copies of notebooks, which lay beside the site, go."""
    shutil.rmtree(Path(app.outdir).parent / OUTPUT_FOLDER, ignore_errors=True)
    if error is None and app.builder.name == "html":
        shutil.copyfile(Path(app.outdir, f"{root_doc}.html"), Path(app.outdir, "index.html"))


def keep_bars(app, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """Lengths such as |F(z) - z| are no substitutions."""
    for row, line in enumerate(lines):
        parts = line.split("`")
        parts[::2] = [part.replace("|", r"\|") for part in parts[::2]]  # what is no code
        lines[row] = "`".join(parts)


def setup(app) -> None:
    app.connect("autodoc-process-docstring", keep_bars)
    app.connect("source-read", add_contents)
    app.connect("build-finished", finish)
