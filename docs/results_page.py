"""docs/results.md, written from the tables in reference/: `make results`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow.parquet as pq

from slowpoints.analysis.summary import summary

ROOT = Path(__file__).parents[1]
PAGE, IMAGES, RESULTS = ROOT / "docs/results.md", ROOT / "docs/images", ROOT / "results"
HEAD = """# Results

<!-- Written by `make results` from the tables in reference/: edit docs/results_page.py. -->

Every number on this page is worked out anew from tables of finished studies in [reference/](../reference/README.md), by
`make results`. Effects have 95 % intervals; p is adjusted within a claim ([method.md](method.md#statistics-and-claims)
says how, and what each test is). In the tables of predictors a cell is Spearman's correlation with memory score and its
interval, and after the semicolon how much more strongly than the speed of slow points it predicts.
"""
DRAWN = ("predictors", "speed_vs_memory", "regularisation")


def studies() -> list[str]:
    """Finished studies in reference/, that with most networks first."""
    sizes = {
        path.parent.name: pq.read_metadata(path).num_rows for path in (ROOT / "reference").glob("*/networks.parquet")
    }
    return sorted(sizes, key=lambda name: (-sizes[name], name))


def page(results: Path = RESULTS) -> str:
    """docs/results.md, from results/reference-{study}/tables."""
    return HEAD + "".join(section(name, results) for name in studies())


def section(name: str, results: Path = RESULTS) -> str:
    """The section of docs/results.md on a study in reference/."""
    config = (ROOT / "reference" / name / "config.yaml").read_text(encoding="utf-8")
    about = config.splitlines()[0].removeprefix("# ")
    pictures = [
        f"![{figure} of study {name}](images/{name}-{figure}.png)\n"
        for figure in DRAWN
        if (IMAGES / f"{name}-{figure}.png").is_file()
    ]
    tables = summary(results / f"reference-{name}").replace("### ", f"### {name}: ")
    return "\n".join([f"\n## {name}\n", f"{about} Study `reference/{name}/config.yaml`.\n", tables, *pictures])


def take_images(results: Path = RESULTS) -> None:
    """Copies the figures that docs/results.md shows, and removes those that are no longer drawn."""
    for name in studies():
        for figure in DRAWN:
            drawn, image = results / f"reference-{name}/figures/{figure}.png", IMAGES / f"{name}-{figure}.png"
            if drawn.is_file():
                shutil.copyfile(drawn, image)
            else:
                image.unlink(missing_ok=True)


if __name__ == "__main__":
    take_images()
    PAGE.write_text(page(), encoding="utf-8")
