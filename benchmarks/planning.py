"""How long Snakemake plans a grid of 10,000 networks, and how many jobs and submissions that is.

    python benchmarks/planning.py
    python benchmarks/planning.py --profile FOLDER    # another profile than the one that ships

50 data sets x 2 architectures x 5 protocols x 20 seeds in three modes, as many cells as 20 x 5 x 5; nothing is run. A
second plan, in the profiler, says how much of the time is the project's own: functions of its rules, and digests of its
code. The rest is Snakemake's.
"""

import pstats
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import yaml
from _results import arguments, keep, markdown
from _study import ROOT

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


def own_share(profile: Path) -> float:
    """Share of the project's functions, and of all that they call, in the time of a profile.

    A file of rules as a whole counts as Snakemake's, which parses it and runs the files that it includes.
    """
    stats = pstats.Stats(str(profile)).stats
    folders = tuple(f"{ROOT / folder}/" for folder in ("src", "workflow"))

    def own(function: tuple[str, int, str]) -> bool:
        file, _, name = function
        return file.startswith(folders) and name != "<module>"

    entered = (callers.items() for function, (*_, callers) in stats.items() if own(function))
    within = sum(times[3] for callers in entered for caller, times in callers if not own(caller))
    return within / sum(own_time for _, _, own_time, _, _ in stats.values())


def table_of(table: pd.DataFrame) -> str:
    """In Markdown."""
    rows = [
        [row["data sets"], f"{row['jobs']:,}", f"{row['seconds']:.0f}", f"{row['own']:.0%}", f"{row['submissions']:,}"]
        for row in table.to_dict("records")
    ]
    return markdown(rows, ["data sets", "jobs", "s to plan", "of which the project's own", "submissions"])


if __name__ == "__main__":
    parser = arguments(__doc__, __file__)
    parser.add_argument("--datasets", type=int, default=50, help="200 networks each, as trained")
    parser.add_argument("--profile", default="slurm")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config, profile = Path(folder, "config.yaml"), Path(folder, "profile")
        config.write_text(yaml.safe_dump(grid(args.datasets)), encoding="utf-8")
        snakemake = ["-m", "snakemake", "-n", "--profile", args.profile, "--configfile", str(config)]
        start = time.perf_counter()
        plan = subprocess.run([sys.executable, *snakemake], capture_output=True, encoding="utf-8", check=True).stdout
        seconds = time.perf_counter() - start
        profiled = [sys.executable, "-m", "cProfile", "-o", str(profile), *snakemake]
        subprocess.run(profiled, capture_output=True, check=True)
        own = own_share(profile)
    jobs = {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", plan, re.MULTILINE)}
    submitted = submissions(plan)
    row = {"data sets": args.datasets, "profile": args.profile, "jobs": jobs.pop("total"), "seconds": seconds}
    table = pd.DataFrame([row | {"own": own, "submissions": submitted.total()}])
    keep(table, args.output)
    print(f"{table_of(table)}jobs: {jobs}\nsubmissions: {dict(submitted)}")
