"""docs/results.md, written from the tables in reference/: `make results`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow.parquet as pq

from slowpoints.analysis.summary import summary

ROOT = Path(__file__).parents[1]
PAGE, IMAGES = ROOT / "docs/results.md", ROOT / "docs/images"
HEAD = """# Results

<!-- Written by `make results` from the tables in reference/: edit docs/results_page.py. -->

Every number on this page is worked out anew from tables of finished studies in [reference/](../reference/README.md), by
`make results`. Effects have 95 % intervals; p is adjusted within a claim ([method.md](method.md#statistics-and-claims)
says how, and what each test is). In the tables of predictors a cell is Spearman's correlation with memory score and its
interval, and after the semicolon how much more strongly than the speed of slow points it predicts.
"""
DRAWN = ("predictors", "speed_vs_memory", "regularisation")


def study(name: str) -> str:
    """The section of a study in reference/."""
    config = (ROOT / "reference" / name / "config.yaml").read_text()
    about = config.splitlines()[0].removeprefix("# ")
    results = ROOT / f"results/reference-{name}"
    pictures = []
    for figure in DRAWN:
        drawn = results / "figures" / f"{figure}.png"
        if drawn.is_file():
            shutil.copyfile(drawn, IMAGES / f"{name}-{figure}.png")
            pictures.append(f"![{figure} of study {name}](images/{name}-{figure}.png)\n")
    tables = summary(results).replace("### ", f"### {name}: ")
    return "\n".join([f"\n## {name}\n", f"{about} Study `reference/{name}/config.yaml`.\n", tables, *pictures])


if __name__ == "__main__":
    sizes = {
        path.parent.name: pq.read_metadata(path).num_rows for path in (ROOT / "reference").glob("*/networks.parquet")
    }
    names = sorted(sizes, key=lambda name: (-sizes[name], name))  # the study with most networks first
    PAGE.write_text(HEAD + "".join(map(study, names)))
