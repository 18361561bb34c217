"""How long Snakemake plans a grid of 10,000 networks, and how many jobs and submissions that is.

    python benchmarks/planning.py
    python benchmarks/planning.py --profile FOLDER    # another profile than the one that ships

50 data sets x 2 architectures x 5 protocols x 20 seeds in three modes, as many cells as 20 x 5 x 5; nothing is run.
"""

import re
import subprocess
import sys
import tempfile
import time
from collections import Counter

import pandas as pd
import yaml
from _results import arguments, keep, markdown

SEEDS = 20


def grid(datasets: int) -> dict:
    """The configuration."""
    names = [f"digits-{number}" for number in range(datasets)]
    return {
        "study": "planning",
        "datasets": names,
        "architectures": ["gru", "lstm"],
        "protocols": ["vocu", "decu", "none", "recu", "vocu-shuffled"],
        "seeds": SEEDS,
        "presets": {name: {"base": "digits"} for name in names},
    }


def submissions(plan: str) -> Counter:
    """Submissions in the text of a plan: each job of a rule outside the profile's groups, and each job of a group.

    Counted from the plan, since only there components of a group have been joined (`group-components`).
    """
    found = re.findall(r"^(?:rule (\w+):$|\[.+\] Group job (\w+))", plan, re.MULTILINE)
    return Counter(rule or group for rule, group in found if rule != "all")  # which runs nothing


def table_of(table: pd.DataFrame) -> str:
    """In Markdown."""
    rows = [
        [row["data sets"], f"{row['jobs']:,}", f"{row['seconds']:.0f}", f"{row['submissions']:,}"]
        for row in table.to_dict("records")
    ]
    return markdown(rows, ["data sets", "jobs", "s to plan", "submissions"])


if __name__ == "__main__":
    parser = arguments(__doc__, __file__)
    parser.add_argument("--datasets", type=int, default=50, help="200 networks each, as trained")
    parser.add_argument("--profile", default="slurm")
    args = parser.parse_args()
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as config:
        yaml.safe_dump(grid(args.datasets), config)
        config.flush()
        start = time.perf_counter()
        command = [sys.executable, "-m", "snakemake", "-n", "--profile", args.profile, "--configfile", config.name]
        plan = subprocess.run(command, capture_output=True, encoding="utf-8", check=True).stdout
    seconds = time.perf_counter() - start
    jobs = {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", plan, re.MULTILINE)}
    submitted = submissions(plan)
    row = {"data sets": args.datasets, "profile": args.profile, "jobs": jobs.pop("total"), "seconds": seconds}
    table = pd.DataFrame([row | {"submissions": submitted.total()}])
    keep(table, args.output)
    print(f"{table_of(table)}jobs: {jobs}\nsubmissions: {dict(submitted)}")
