"""How soon a study's explorer is drawn in a headless Chromium, and how soon another network is.

    python benchmarks/explorer.py results/default/explorer.html
    python benchmarks/explorer.py results/default/explorer.html --browser /usr/bin/google-chrome

Where there is no GPU, WebGL is drawn by the CPU. Beside the time on the clock stands that of the page's main thread,
which says what the page asks for where the machine has other work.
"""

import shutil
from pathlib import Path

import pandas as pd
from _results import arguments, keep, markdown
from playwright.sync_api import sync_playwright

FLAGS = ("--enable-unsafe-swiftshader",)  # WebGL without a GPU
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
DRAWN = "performance.now()"
IDLE = "document.querySelector('main').getAttribute('aria-busy') === 'false'"
KEYS = [*5 * [("seed", "ArrowRight")], ("protocol", "p"), ("architecture", "a"), ("dataset", "d"), *2 * [("mode", "m")]]
"""Controls, and the key that shows the next network by each, or the same after fine-tuning."""


def measure(path: Path, program: str) -> pd.DataFrame:
    """Milliseconds on the clock and of the main thread: a row for each thing done."""
    rows = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})

        def busy() -> float:
            found = session.send("Performance.getMetrics")["metrics"]
            return 1000 * next(metric["value"] for metric in found if metric["name"] == "TaskDuration")

        page.goto(path.resolve().as_uri())
        page.wait_for_selector("body[data-drawn]")
        rows.append({"what": "first paint", "clock_ms": page.evaluate(PAINTED)})
        rows.append({"what": "all panels", "clock_ms": page.evaluate(DRAWN), "thread_ms": busy()})
        for control, key in KEYS:
            if page.locator(f"#{control}").is_disabled():  # there is but one
                continue
            before, shown = busy(), page.evaluate("document.body.dataset.drawn")
            page.keyboard.press(key)
            page.wait_for_function(f"shown => document.body.dataset.drawn !== shown && {IDLE}", arg=shown)
            clock = float(page.evaluate("document.body.dataset.milliseconds"))
            rows.append({"what": "another network", "clock_ms": clock, "thread_ms": busy() - before})
        browser.close()
    return pd.DataFrame(rows)


def table_of(table: pd.DataFrame) -> str:
    """In Markdown: on the clock and of the main thread, the median and the greatest of several."""
    rows = []
    for (page, megabytes), of_page in table.groupby(["page", "mb"], sort=False):
        times = []
        for _, same in of_page.groupby("what", sort=False):
            clock, thread = (same[f"{where}_ms"] / 1000 for where in ("clock", "thread"))
            times.append(" / ".join(f"{each.median():.2f}" for each in (clock, thread) if each.notna().all()))
            times[-1] += f" (at most {clock.max():.2f} / {thread.max():.2f})" if len(same) > 1 else ""
        rows.append([f"`{page}`", f"{megabytes:.1f}", *times])
    columns = [f"{what}: s on the clock / of the thread" for what in table["what"].unique()]
    return markdown(rows, ["page", "MB", *columns])


if __name__ == "__main__":
    parser = arguments(__doc__, __file__)
    parser.add_argument("pages", type=Path, nargs="+")
    parser.add_argument("--browser", default=shutil.which("chromium") or shutil.which("google-chrome"))
    args = parser.parse_args()
    tables = [
        measure(page, args.browser).assign(page=page.parent.name, mb=page.stat().st_size / 1e6) for page in args.pages
    ]
    table = pd.concat(tables, ignore_index=True)
    keep(table, args.output)
    print(table_of(table))
