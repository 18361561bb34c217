# Helper functions for the rules: the checked study, its files and its settings.
import contextlib
import functools
import locale
import os
import re
import sys
from pathlib import Path

with contextlib.suppress(locale.Error):
    # Snakemake reads its report's templates, and what comes from rules, in the terminal's encoding. Names of files stay
    # in that with which Python was started, here as in jobs.
    locale.setlocale(locale.LC_CTYPE, "C.UTF-8")

ROOT = Path(workflow.current_basedir).parent.parent
sys.path.insert(0, str(ROOT / "src"))

from dataclasses import asdict

from slowpoints.core import layout
from slowpoints.core.config import ConfigError
from slowpoints.core.modes import TRAINED
from slowpoints.core.presets.section import plain
from slowpoints.core.schemas.example import TASK
from slowpoints.core.schemas.measured import MEASURED as KINDS
from slowpoints.core.schemas.study import CLAIMS, CORRELATIONS, NETWORKS, REGULARISATION
from slowpoints.explorer import EXPLORED
from slowpoints.networks.units import units
from slowpoints.plots.figures import FIGURES, TUNED
from slowpoints.study import read_study
from slowpoints.task.protocols import PROTOCOLS

BLOCK = layout.BLOCK
TRAINED_BLOCK = BLOCK.replace("{mode}", TRAINED)
DATASET, TABLES, TRAINED_TABLES = layout.DATASET, layout.TABLES, layout.TRAINED_TABLES
MEASURED = list(KINDS)
OF_TUNED = [name for name, kind in KINDS.items() if kind.tuned]
PUBLISHED = ["networks", *MEASURED, "regularisation"]
TESTED = ["correlations", "claims"]
ALL_TABLES = [*PUBLISHED, *TESTED, "task"]
OF_STUDY = {kind.name: kind for kind in (NETWORKS, REGULARISATION, CORRELATIONS, CLAIMS, TASK)}


@contextlib.contextmanager
def one_clear_message():
    """Says what to do, in one line, where something is wrong; Snakemake's own errors come with lines of code."""
    try:
        yield
    except ConfigError as error:
        raise SystemExit(str(error)) from None


def python_for_shells():
    """Path of this Python as a shell takes it: Snakemake puts it into its command lines without quotes.

    From the working directory, where jobs start, that may be a shorter one, without the space in a folder above.
    """
    taken_apart = re.compile(r"[\s'\"\\$&;|<>()`*?]")
    if not taken_apart.search(sys.executable):
        return sys.executable
    if not taken_apart.search(path := os.path.relpath(sys.executable)):
        return path
    raise SystemExit(
        f"Python is {sys.executable!r}: Snakemake cannot start jobs with it, since a folder's name has a space or "
        "another character that shells take apart; run it from an environment elsewhere, such as "
        "`make VENV=/path/without/spaces`"
    )


sys.executable = python_for_shells()


@one_clear_message()
def checked_study():
    """The study that the configuration describes."""
    named = [str(file) for file in workflow.overwrite_configfiles] or ["config/config.yaml"]
    return read_study(
        config,
        name=" + ".join(named),
    )


STUDY = checked_study()
# Where this workflow is a module with a prefix, Snakemake puts that before the paths of rules, and of nothing else.
placed = workflow.modifier.path_modifier.replace_prefix
NETWORKS_FOLDER = Path(placed(str(layout.NETWORKS)))
# Where this workflow is a module of another, its own config.yaml is not read: scripts find what they look up all the same.
config.update({key: STUDY.config[key] for key in ("study", "device", "resume_minutes")})


wildcard_constraints:
    dataset="[^/]+",
    architecture="|".join(units()),
    protocol="|".join(PROTOCOLS),
    mode=f"(?!{TRAINED}/)[^/]+",
    block=r"\d+-\d+",
    study="[^/]+",


def preset(*keys):
    """A function from wildcards to the data set's preset, or to a section or a setting of it, as plain text."""

    def of(wildcards):
        chosen = STUDY.presets[wildcards.dataset]
        for key in keys:
            chosen = getattr(chosen, key)
        return plain(chosen)

    return of


def protocol(wildcards):
    """What a job must know of the protocol that its networks train under."""
    return PROTOCOLS[wildcards.protocol].plain()


def cell_of(wildcards):
    return wildcards.dataset, wildcards.architecture, wildcards.protocol


@functools.cache
@one_clear_message()
def tunings(cell):
    return STUDY.tunings(cell, NETWORKS_FOLDER)


def tuning(wildcards):
    """Mode and lambda of a folder of fine-tuned networks."""
    for found in tunings(cell_of(wildcards)):
        if found.folder == wildcards.mode:
            return found
    raise WorkflowError(f"{wildcards.mode} is no mode of this study; see modes and lambda")


def block_seeds(wildcards):
    return layout.block_seeds(wildcards.block)


@functools.cache
def grid():
    """Every block of every cell of the study, as wildcards, with the folders of its fine-tuned networks."""
    blocks = []
    for cell in STUDY.cells():
        names = dict(zip(("dataset", "architecture", "protocol"), cell))
        modes = [tuning.folder for tuning in tunings(cell)]
        blocks += [
            ({**names, "block": block}, modes) for block in STUDY.blocks(cell, NETWORKS_FOLDER)
        ]
    return blocks


def over_grid(file, tuned=False):
    """That file of every block of every cell of the study, as trained, and as fine-tuned where `tuned`."""
    return [
        f"{BLOCK}/{file}".format(mode=mode, **place)
        for place, modes in grid()
        for mode in [TRAINED, *(modes if tuned else [])]
    ]


def tables(names, trained=False):
    """A function from wildcards to tables of a study, by name; of its networks as trained alone where `trained`.

    The study of this configuration has those in a folder of their own, so that they don't wait for fine-tuning. Other
    finished studies have tables of all their networks, from which those as trained are taken.
    """

    def of(wildcards):
        apart = OF_TUNED if trained and wildcards.study == STUDY.name else []
        folders = {name: TRAINED_TABLES if name in apart else TABLES for name in names}
        return {name: f"{folder}/{name}.parquet" for name, folder in folders.items()}

    return of


def versions(names):
    """Version of the kind of each of these tables: what a job must find them to be."""
    return {name: (KINDS | OF_STUDY)[name].version for name in names}


def tables_of(study, names=ALL_TABLES):
    """Files of a study's tables."""
    return [f"{TABLES}/{name}.parquet".format(study=study) for name in names]


def figures_of(study, names=FIGURES):
    """Files of a study's figures."""
    return [
        f"{layout.FIGURES}/{name}.{form}".format(study=study)
        for name in names
        for form in ("pdf", "png", "parquet")
    ]


def explored(wildcards):
    """Tables that a study's explorer is drawn from: all, or those that a finished study in reference/ has."""
    ours, folder = wildcards.study == STUDY.name, wildcards.study.removeprefix(layout.PUBLISHED_AS)
    return [
        name for name in EXPLORED if ours or Path(f"reference/{folder}/{name}.parquet").is_file()
    ]


def reference_files(wildcards):
    """What is made of the finished studies that come with the project; an older study may lack some tables."""
    tables = sorted(Path("reference").glob("*/*.parquet"))
    if not tables:
        raise WorkflowError(
            "there is no study in reference/: its folders hold the tables of one each"
        )
    files = []
    for folder in dict.fromkeys(table.parent for table in tables):
        study, there = f"{layout.PUBLISHED_AS}{folder.name}", {
            path.stem for path in folder.glob("*.parquet")
        }
        drawn = [name for name, figure in FIGURES.items() if {*figure.tables} <= {*there, *TESTED}]
        files += [*tables_of(study, [*sorted(there), *TESTED]), *figures_of(study, drawn)]
        files += [EXPLORER.format(study=study), *report_of(study)]
    return files


def fine_tuning_settings(wildcards):
    """How to fine-tune, lambda aside, so that another lambda beside this one changes nothing for it."""
    settings = preset("regularisation")(wildcards)
    return {key: value for key, value in settings.items() if key != "lambda"}
