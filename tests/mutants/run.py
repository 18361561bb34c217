"""Small faults inserted into the code one by one, which tests should detect: `make test-mutants`.

mutmut makes the faults (mutants), and runs on each the tests that reach it. A group is code with its tests. It runs in
a separate folder below `build/mutants`, where it resumes if it was stopped, and tries survivors again.

    [MUTANTS=PATTERN] python tests/mutants/run.py [GROUP ...]

It ends with a table, lists survivors in `build/mutants/GROUP/survivors.txt`, and fails if one is not listed as
equivalent (`equivalent.toml`).
"""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "build/mutants"
READ = ("benchmarks", "config", "docs", "reference", "scripts", "workflow")  # by tests, not changed


class Group(NamedTuple):
    """What is changed, and what should notice.

    Attributes:
        code: below `src/slowpoints`.
        tests: below `tests`.
        but: tests left out, as pytest's `-k` names them: those that train, or repeat an experiment many times, are too
            long to be run on every mutant.
        names: of the mutants, if not all.
    """

    code: str
    tests: str
    but: str = ""
    names: str = "*"


GROUPS = {
    "task": Group("task/*.py", "task"),
    "births": Group("analysis/births.py", "analysis/test_births.py"),
    "memory": Group(
        "analysis/memory_score.py measures/retrieval.py networks/rollout.py",
        "analysis/test_memory_score.py measures/test_retrieval.py networks/test_rollout.py",
    ),
    "statistics": Group(
        "analysis/correlation.py analysis/comparisons.py analysis/predictors.py",
        "analysis/test_comparisons.py analysis/test_correlation.py analysis/test_predictors.py",
        but="uniform or cover or true_null or cannot_show or stratum_is_the_ordinary",
    ),
    "claims": Group(
        "analysis/claims/*.py",
        "analysis/test_claim_rows.py analysis/test_claims_formation.py analysis/test_claims.py::test_verdicts "
        "analysis/test_findings.py analysis/test_rewording.py",
    ),
    "penalties": Group(
        "training/penalties.py",
        "training/test_penalties.py training/test_fine_tuning.py training/test_changes_of_modes.py",
        but="lambda_0 or control or same_trials or slows or only_so_many or tracking_seeks",
    ),
    "weights": Group("networks/ensemble.py", "networks/test_ensemble.py", names="*.x_initialise__*"),
    "units": Group(
        "networks/units/*.py",
        "networks/test_units.py networks/test_ensemble.py networks/recurrence/test_unroll.py "
        "networks/recurrence/test_numba_unroll.py dynamics/test_autonomous.py dynamics/test_jacobian.py",
    ),
    "descent": Group("dynamics/descent.py", "dynamics/test_descent.py dynamics/test_search.py"),
    "search": Group(
        "dynamics/search.py dynamics/bounded.py dynamics/point_types.py",
        "dynamics/test_bounded.py dynamics/test_search.py",
    ),
}
WORDS = (r"\braise\b", r"\blog\.\w+\(", r"\breport_stage\(", r"\bprogress\.update\(", r"\bisatty\(")
"""Lines that are not changed: what they say in words, or show of the progress, is no result."""
NO_GRAD = rb"(?m)^ *@torch\.no_grad\(\)\n"
"""Left out of what is changed, since mutmut leaves decorated functions alone: tests pass without it."""
NOTICED = ("killed", "timeout")


class Mutant(NamedTuple):
    """A fault: its name, what became of it, the function, and its lines as they were and as they are."""

    name: str
    status: str
    function: str
    was: str
    now: str


def prepare(group: Group, folder: Path) -> None:
    """A copy of the code as it is now, the tests, and settings for mutmut."""
    (folder / "mutants").mkdir(parents=True, exist_ok=True)
    changed = {path for pattern in group.code.split() for path in (ROOT / "src/slowpoints").glob(pattern)}
    for source in (ROOT / "src/slowpoints").rglob("*.*"):
        copy, content = folder / source.relative_to(ROOT), source.read_bytes()
        if source in changed:
            content = re.sub(NO_GRAD, b"", content)
        if "__pycache__" not in source.parts and (not copy.exists() or copy.read_bytes() != content):
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(content)  # no file that is unchanged: mutmut goes by its time
    for name in ("pyproject.toml", "tests", *(f"mutants/{name}" for name in READ)):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name.removeprefix("mutants/"))
    settings = {
        "source_paths": ["src"],
        "only_mutate": [f"src/slowpoints/{path}" for path in group.code.split()],
        "do_not_mutate_patterns": WORDS,
        "pytest_add_cli_args": ["-p", "no:cacheprovider"],
        "pytest_add_cli_args_test_selection": [
            *("-m", "not slow and not slurm and not faults"),
            *(("-k", f"not ({group.but})") if group.but else ()),
            *(f"tests/{test}" for test in group.tests.split()),
        ],
        "timeout_multiplier": ["5"],
        "timeout_constant": ["2"],
    }
    lines = (f"{key} =\n" + "".join(f"    {value}\n" for value in values) for key, values in settings.items())
    (folder / "setup.cfg").write_text("[mutmut]\n" + "".join(lines))


def run(folder: Path, names: list[str]) -> None:
    """Tries mutants of these names, or without any all that were not tried yet, one at a time."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "SLOWPOINTS_DATA")}
    # One thread, and no GPU: mutants run in forks of one process.
    environment |= {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    command = [Path(sys.executable).with_name("mutmut"), "run", "--max-children", "1", *names]
    if subprocess.run(command, cwd=folder, env=environment).returncode:
        sys.exit(f"{folder.name}: mutmut stopped; see above")


def outcome(folder: Path) -> list[Mutant]:
    """Mutants of a group that were tried; of those that were noticed, no lines."""
    os.chdir(folder)
    from mutmut.configuration import reset_config
    from mutmut.mutation.data import SourceFileMutationData
    from mutmut.mutation.diff_apply import get_diff_for_mutant
    from mutmut.stats import status_by_exit_code
    from mutmut.utils.file_utils import walk_mutatable_files

    reset_config()
    found = []
    for path in walk_mutatable_files():
        data = SourceFileMutationData(path=path)
        data.load()
        for name, code in data.exit_code_by_key.items():
            status = status_by_exit_code[code]
            if status == "not checked":
                continue
            diff = [] if status in NOTICED else get_diff_for_mutant(name, path=path).splitlines()[2:]
            was, now = ("\n".join(line[1:].strip() for line in diff if line[:1] == sign) for sign in "-+")
            function = re.sub(r"__mutmut_\d+$", "", name.removeprefix("slowpoints."))
            function = function.replace(".x_", ".").replace(".xǁ", ".").replace("ǁ", ".")
            found.append(Mutant(name, status, function, was, now))
    return found


def equivalent(mutant: Mutant, listed: list[dict[str, Any]]) -> bool:
    """Whether a mutant is listed as one that changes nothing: by its line, or as differing in what a pattern takes."""
    for each in listed:
        if "without" in each:
            same = re.sub(each["without"], "", mutant.was) == re.sub(each["without"], "", mutant.now)
            if same and mutant.function.startswith(each.get("function", "")):
                return True
        elif mutant.function == each["function"] and mutant.now in each["lines"]:
            return True
    return False


def main(groups: list[str]) -> int:
    listed = tomllib.loads((ROOT / "tests/mutants/equivalent.toml").read_text())["equivalent"]
    form = "{:<12}{:>8}{:>8}{:>12}{:>10}".format
    table = [form("group", "mutants", "killed", "equivalent", "survived")]
    unnoticed = 0
    for name in groups or GROUPS:
        group, folder = GROUPS[name], OUT / name
        print(f"{name}:", flush=True)
        prepare(group, folder)

        def alive(folder: Path = folder) -> list[Mutant]:
            return [mutant for mutant in outcome(folder) if mutant.status not in NOTICED]

        before = {each.name for each in alive()} if (folder / "mutants/mutmut-stats.json").exists() else set()
        names = os.environ.get("MUTANTS", group.names)
        run(folder, [] if names == "*" else names.split())
        again = [each.name for each in alive() if each.name in before and not equivalent(each, listed)]
        if again:
            run(folder, again)
        left = [each for each in alive() if not equivalent(each, listed)]
        text = "\n\n".join(f"{each.name}: {each.status}\n{each.function}\n- {each.was}\n+ {each.now}" for each in left)
        (folder / "survivors.txt").write_text(text)
        total, living = len(outcome(folder)), len(alive())
        table.append(form(name, total, total - living, living - len(left), len(left)))
        unnoticed += len(left)
    print("\n" + "\n".join(table))
    return bool(unnoticed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
