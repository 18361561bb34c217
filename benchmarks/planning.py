"""How long Snakemake plans a grid of 10,000 networks, and how many jobs and files that is.

    python benchmarks/planning.py

50 data sets x 2 architectures x 5 protocols x 20 seeds in three modes, as many cells as 20 x 5 x 5; nothing is run.
"""

import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import yaml

DATASETS, SEEDS = 50, 20


def grid() -> dict:
    """The configuration."""
    names = [f"digits-{number}" for number in range(DATASETS)]
    return {
        "study": "planning",
        "datasets": names,
        "architectures": ["gru", "lstm"],
        "protocols": ["vocu", "decu", "none", "recu", "vocu-shuffled"],
        "seeds": SEEDS,
        "presets": {name: {"base": "digits"} for name in names},
    }


def submissions(jobs: Counter, groups: dict[str, str]) -> int:
    """Submissions that jobs make where the profile's groups share one for each block, or for the study."""
    alone = sum(count for rule, count in jobs.items() if rule not in groups and rule != "all")
    return alone + jobs["find_slow_points"] + 1


if __name__ == "__main__":
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
        yaml.safe_dump(grid(), config)
        config.flush()
        start = time.perf_counter()
        command = [sys.executable, "-m", "snakemake", "-n", "--quiet", "rules", "--profile", "slurm"]
        plan = subprocess.run([*command, "--configfile", config.name], capture_output=True, text=True, check=True)
    seconds = time.perf_counter() - start
    jobs = Counter({rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", plan.stdout, re.MULTILINE)})
    total = jobs.pop("total")
    profile = yaml.safe_load(Path("slurm/config.yaml").read_text())
    print(f"{seconds:.1f} s to plan {total} jobs: {submissions(jobs, profile['groups'])} submissions")
    print(dict(jobs))
