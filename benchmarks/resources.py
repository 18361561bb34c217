"""Memory and time that jobs ask for, against what they took in the last run.

    python benchmarks/resources.py                                # the default study
    python benchmarks/resources.py --configfile config/mnist.yaml

Asked for comes from a dry run of all jobs, measured from Snakemake's benchmark files under logs/. Prints a table in
Markdown, the largest of each rule and data set and what its jobs took together, and writes resources.parquet.
"""

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
from _results import arguments, keep, markdown

JOB = re.compile(r"rule (\w+):\n((?:    .+\n)+)")


def asked(arguments: list[str]) -> pd.DataFrame:
    """A row for each job of a full run: rule, benchmark file, MB and minutes asked for."""
    command = [sys.executable, "-m", "snakemake", "-n", "--forceall", "--cores", "1", *arguments]
    plan = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
    rows = []
    for rule, text in JOB.findall(plan):
        if file := re.search(r"benchmark: (\S+)", text):
            memory, minutes = (re.search(rf"{name}=(\d+)", text)[1] for name in ("mem_mb", "runtime"))
            rows.append((rule, file[1], int(memory), int(minutes)))
    return pd.DataFrame(rows, columns=["rule", "file", "asked_mb", "asked_min"]).drop_duplicates("file")


def measured(file: str) -> pd.Series:
    """MB and minutes that a job took; missing where it has not run here."""
    if not Path(file).is_file():
        return pd.Series({"measured_mb": float("nan"), "measured_min": float("nan")})
    row = pd.read_csv(file, sep="\t").iloc[-1]
    return pd.Series({"measured_mb": row["max_rss"], "measured_min": row["s"] / 60})


def table_of(table: pd.DataFrame) -> str:
    """In Markdown."""
    rows = []
    for row in table.itertuples():
        largest = [row.asked_mb, f"{row.measured_mb:.0f}", row.asked_min, f"{row.measured_min:.1f}"]
        rows.append([row.preset, f"`{row.rule}`", *largest, row.jobs, f"{row.all_min:.1f}"])
    columns = ["MB asked for", "taken", "minutes asked for", "taken", "jobs", "minutes in all"]
    return markdown(rows, ["preset", "rule", *columns])


if __name__ == "__main__":
    args, for_snakemake = arguments(__doc__, __file__).parse_known_args()
    jobs = asked(for_snakemake)
    jobs = pd.concat([jobs, jobs["file"].apply(measured)], axis=1).dropna()
    jobs["preset"] = [Path(file).name.split(".")[0] for file in jobs["file"]]
    of_rules = jobs.groupby(["preset", "rule"], sort=False)
    table = of_rules[["asked_mb", "measured_mb", "asked_min", "measured_min"]].max()
    table = table.assign(jobs=of_rules.size(), all_min=of_rules["measured_min"].sum()).reset_index()
    keep(table, args.output)
    print(table_of(table))
