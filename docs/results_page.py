"""docs/results.md, written from the tables in reference/ by `make results`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pyarrow.parquet as pq
from origins import origin, revision_text

from slowpoints.analysis.aggregation import as_trained
from slowpoints.analysis.claims.wording import interval
from slowpoints.analysis.summary import summary
from slowpoints.core.tables import read_table

ROOT = Path(__file__).parents[1]
PAGE, IMAGES, RESULTS = ROOT / "docs/results.md", ROOT / "docs/images", ROOT / "results"
HEAD = """# Results

<!-- Written by `make results` from the tables in reference/: edit docs/results_page.py. -->

`make results` computes every number on this page from the tables of finished studies in
[reference/](../reference/README.md). Effects have 95 % intervals, and p is adjusted within each claim;
[method.md](method.md#statistics-and-claims) describes the tests. The tables of predictors give Spearman's correlation
with the memory score and its interval and, after the semicolon, how much stronger it is than that of the speed of slow
points. [reproduction.md](reproduction.md) discusses what the numbers do and do not show.
"""
DRAWN = ("predictors", "speed_vs_memory", "regularisation", "control")
PAPERS_UNITS = {"gru", "lstm"}


def studies() -> list[str]:
    """Finished studies in reference/: first those with the paper's units, of these the one with the most networks."""
    sizes = {
        path.parent.name: pq.read_metadata(path).num_rows for path in (ROOT / "reference").glob("*/networks.parquet")
    }
    return sorted(sizes, key=lambda name: (compares_units(name), -sizes[name], name))


def compares_units(name: str) -> bool:
    """Whether a finished study has other recurrent units than the paper's two."""
    return not set(read_table(ROOT / f"reference/{name}/networks.parquet")["architecture"]) <= PAPERS_UNITS


def drawn(name: str) -> tuple[str, ...]:
    """The figures that docs/results.md shows of a finished study."""
    return ("units", *DRAWN) if compares_units(name) else DRAWN


def page(results: Path = RESULTS) -> str:
    """docs/results.md, from results/reference-{study}/tables."""
    return HEAD + "".join(section(name, results) for name in studies())


def section(name: str, results: Path = RESULTS) -> str:
    """The section of docs/results.md on a study in reference/."""
    config = (ROOT / "reference" / name / "config.yaml").read_text(encoding="utf-8")
    about = config.splitlines()[0].removeprefix("# ")
    source = origin(name)
    made = (
        f"Configuration: `reference/{name}/config.yaml`. Code: revision {revision_text(source)}. "
        f"Deep search: at most {searches(name)}."
    )
    if source.legacy:
        made += f" **Legacy tables.** {source.legacy}"
    pictures = [
        f"![{figure} of study {name}](images/{name}-{figure}.png)\n"
        for figure in drawn(name)
        if (IMAGES / f"{name}-{figure}.png").is_file()
    ]
    tables = summary(results / f"reference-{name}").replace("### ", f"### {name}: ")
    return "\n".join([f"\n## {name}\n", f"{about}\n", f"{made}\n", tables, *pictures])


def unbroken(n: int, effect: float, low: float, high: float) -> str:
    """An effect, with no line broken in its interval."""
    return interval(n, effect, low, high).replace(", ", ",\u00a0")


def searches(name: str) -> str:
    """How far the deep searches of a study's trained networks went; a class without a centre has none."""
    points = as_trained(read_table(ROOT / f"reference/{name}/slow_points.parquet")).dropna(subset="deep_speed")
    return (
        f"{points['iterations'].max():.0f} Hessians, {points['converged'].sum():,} of {len(points):,} points converged"
    )


def take_images(results: Path = RESULTS) -> None:
    """Copies the figures that docs/results.md shows, and removes those that are no longer drawn."""
    for name in studies():
        for figure in drawn(name):
            made, image = results / f"reference-{name}/figures/{figure}.png", IMAGES / f"{name}-{figure}.png"
            if made.is_file():
                shutil.copyfile(made, image)
            else:
                image.unlink(missing_ok=True)


if __name__ == "__main__":
    take_images()
    PAGE.write_text(page(), encoding="utf-8")
