"""Runs benchmarks and writes their tables into README.md: `make bench`.

    python benchmarks/bench.py                        # all, in order; hours on two cores
    python benchmarks/bench.py training front_end     # those of these scripts
    python benchmarks/bench.py --tables               # only the tables anew, from benchmarks/results/

They run one at a time, on a machine with nothing else to do, each after the study that it takes networks from.
FIXED_POINT_FINDER names a checkout of github.com/mattgolub/fixed-point-finder to compare with. Where a table's rows are
not there yet, README.md keeps the table that it has.
"""

from __future__ import annotations

import argparse
import importlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
from _results import RESULTS, said_of
from _study import ROOT

README = ROOT / "benchmarks/README.md"
BLOCK = re.compile(r"(<!-- results: ([\w, -]+) -->\n).*?(<!-- end of results -->\n)", re.DOTALL)
FINDER = os.environ.get("FIXED_POINT_FINDER")
COMPARED = f" --fixed-point-finder {shlex.quote(FINDER)}" if FINDER else ""

RUNS = {
    "training-gru": "training.py --networks 1 2 4",
    "training-lstm": "training.py --networks 1 2 4 --architecture lstm",
    "training-gru-digits": "training.py --networks 1 4 8 --hidden 64 --pixels 64 --batch 32 --bank 128 --steps 20",
    "training-lstm-digits": "training.py --networks 1 4 8 --hidden 64 --pixels 64 --batch 32 --bank 128 --steps 20 "
    "--architecture lstm",
    "front_end-paper": "front_end.py --rows 64 --networks 2 --steps 1",
    "front_end-small": "front_end.py --filters 16 32 --dense 64 --rows 96 --networks 4",
    "growth": "growth.py",
    "own_networks": "own_networks.py",
    "planning": "planning.py",
    "slow_points": f"slow_points.py --points 30 300 --study results{COMPARED}",
    "slow_points-valleys": "slow_points.py --kinds GRU --units 128 --points 30 300 --steps 1500 --frames 6 --rate 0.5 "
    f'--seeds 0 1 2 3 --tools slowpoints "slowpoints, merge=0" FixedPointFinder{COMPARED}',
    "resources": "resources.py",
    "subsets": "subsets.py reference/embedded digits --tunings slow_points=0.1 path=100",
    "explorer": "explorer.py results/default/explorer.html results/reference-embedded/explorer.html",
    "penalties-lstm": "penalties.py digits/lstm/decu --settled 300",
    "penalties-gru": "penalties.py digits/gru/decu --settled 300",
    "penalties-glyphs": "penalties.py glyphs/lstm/vocu --settled 9",
    "choose_lambda": "choose_lambda.py digits glyphs",
    "choose_lambda-mnist": "choose_lambda.py mnist-small --config config/mnist.yaml --modes settled --seeds 3",
    "compare_presets": "compare_presets.py results/noise-bank digits digits-fresh",
    "long_descent": "long_descent.py mnist-tenth --config reference/mnist-tenth/config.yaml",
    "two_machines": "two_machines.py results/embedded/tables/networks.parquet reference/embedded/networks.parquet",
    "long_delays": "long_delays.py digits glyphs --config reference/embedded/config.yaml",
}
"""Name of the file of rows, and the script with its arguments, cheap ones first."""
PENALTIES = ("penalties-lstm", "penalties-gru", "penalties-glyphs")
STUDIES = {
    **dict.fromkeys(("slow_points", "resources", "explorer", *PENALTIES, "choose_lambda"), "config/config.yaml"),
    "choose_lambda-mnist": "config/mnist.yaml",
    "compare_presets": "benchmarks/noise_bank.yaml",
    "long_descent": "reference/mnist-tenth/config.yaml",
    **dict.fromkeys(("two_machines", "long_delays"), "reference/embedded/config.yaml"),
}
"""Configuration of the study whose results a benchmark takes."""


def script_of(name: str) -> str:
    return RUNS[name].split(".py")[0]


def run(name: str) -> None:
    """One benchmark, and first what it needs."""
    print(f"---- {name}", flush=True)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    script, *options = shlex.split(RUNS[name])
    commands = [["snakemake", "--cores", "all", "all", "--configfile", STUDIES[name]]] if name in STUDIES else []
    commands.append([sys.executable, f"benchmarks/{script}", *options, "--output", str(RESULTS / f"{name}.parquet")])
    for command in commands:
        subprocess.run(command, cwd=ROOT, env={**os.environ, "PATH": path}, check=True)


def with_tables(page: str) -> str:
    """A page with each table between its marks made anew from its rows; left as it is where rows are missing."""

    def table(match: re.Match) -> str:
        names = match[2].split(", ")
        if unknown := [name for name in names if name not in RUNS]:
            raise ValueError(f"{README}: no benchmark is called {unknown[0]}; there are {', '.join(RUNS)}")
        paths = [RESULTS / f"{name}.parquet" for name in names]
        if missing := [path.name for path in paths if not path.is_file()]:
            print(f"{README.name}: table of {match[2]} left as it is, without {', '.join(missing)}")
            return match[0]
        script = importlib.import_module(script_of(names[0]))
        made = script.table_of(*(pd.read_parquet(path) for path in paths))
        return f"{match[1]}\n{made}\n{said_of(paths)}\n{match[3]}"

    return BLOCK.sub(table, page)


def write_tables() -> None:
    README.write_text(with_tables(README.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    scripts = list(dict.fromkeys(map(script_of, RUNS)))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scripts", nargs="*", metavar="SCRIPT", help=f"one of {', '.join(scripts)}; all, unless said")
    parser.add_argument("--tables", action="store_true", help="run none, only write the tables")
    args = parser.parse_args()
    if unknown := set(args.scripts) - set(scripts):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(scripts)}")
    if args.tables:
        write_tables()
    else:
        for name in RUNS:
            if not args.scripts or script_of(name) in args.scripts:
                run(name)
                write_tables()
