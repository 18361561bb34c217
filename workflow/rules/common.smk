# Helper functions for the rules: the checked study, its files and its settings.
import contextlib
import functools
import locale
import os
import re
import sys
from pathlib import Path

with contextlib.suppress(locale.Error):
    # Snakemake reads report templates and the output of rules in the terminal's encoding. File names keep the encoding
    # with which Python was started, here as in jobs.
    locale.setlocale(locale.LC_CTYPE, "C.UTF-8")

ROOT = Path(workflow.current_basedir).parent.parent
sys.path.insert(0, str(ROOT / "src"))

from dataclasses import asdict

from slowpoints.core import layout
from slowpoints.core.config import ConfigError, parse_setting, read_yaml
from slowpoints.core.modes import TRAINED
from slowpoints.core.presets.section import plain
from slowpoints.core.schemas.example import TASK
from slowpoints.core.schemas.measured import MEASURED as SCHEMAS
from slowpoints.core.schemas.memory import VALIDATION
from slowpoints.core.schemas.study import CLAIMS, CORRELATIONS, NETWORKS, REGULARISATION
from slowpoints.explorer import EXPLORED
from slowpoints.networks.units import units
from slowpoints.plots.figures import FIGURES, TUNED
from slowpoints.study import read_study
from slowpoints.task.protocols import PROTOCOLS

SEED_BLOCK = layout.SEED_BLOCK
TRAINED_SEED_BLOCK = SEED_BLOCK.replace("{mode}", TRAINED)
DATASET, TABLES, TRAINED_TABLES = layout.DATASET, layout.TABLES, layout.TRAINED_TABLES
MEASURED = list(SCHEMAS)
OF_TUNED = [name for name, schema in SCHEMAS.items() if schema.tuned]
PUBLISHED = ["networks", *MEASURED, "regularisation"]
TESTED = ["correlations", "claims"]
ALL_TABLES = [*PUBLISHED, *TESTED, "task"]
OF_STUDY = {
    schema.name: schema
    for schema in (NETWORKS, REGULARISATION, VALIDATION, CORRELATIONS, CLAIMS, TASK)
}


@contextlib.contextmanager
def one_clear_message():
    """Prints a ConfigError as one line; Snakemake would print it with lines of code."""
    try:
        yield
    except ConfigError as error:
        raise SystemExit(str(error)) from None


def python_for_shells():
    """Path of this Python without characters special to a shell, since Snakemake does not quote it in commands.

    The path relative to the working directory, where jobs start, may avoid a space in a parent folder.
    """
    special = re.compile(r"[\s'\"\\$&;|<>()`*?]")
    if not special.search(sys.executable):
        return sys.executable
    if not special.search(path := os.path.relpath(sys.executable)):
        return path
    raise SystemExit(
        f"Python is {sys.executable!r}: Snakemake cannot start jobs with it, since the path contains a space or "
        "another character special to shells; run it from an environment elsewhere, such as "
        "`make VENV=/path/without/spaces`"
    )


sys.executable = python_for_shells()


@one_clear_message()
def checked_study():
    """The study that the configuration describes."""
    configfiles = workflow.overwrite_configfiles
    name = " + ".join(map(str, configfiles)) or "config/config.yaml"
    if workflow.is_main_process:  # Snakemake silently ignores the first of two equal keys
        for file in workflow.configfiles:
            read_yaml(Path(file))
        for text in workflow.config_settings.config_args or ():
            parse_setting(text)
    # A module configured by its parent reads no file, and keys on the command line belong to the parent.
    of_files = configfiles and not workflow.modifier.skip_configfile
    named = workflow.config_settings.overwrite_config if of_files else config
    return read_study(config, named=named, name=name)


STUDY = checked_study()
# If this workflow is a module with a prefix, Snakemake prepends it to the paths of rules, but to no others.
placed = workflow.modifier.path_modifier.replace_prefix
NETWORKS_FOLDER = Path(placed(str(layout.NETWORKS)))
# If this workflow is a module, its own config.yaml is not read, so the keys that scripts need are set here.
config.update({key: STUDY.config[key] for key in ("study", "device", "resume_minutes")})


wildcard_constraints:
    dataset="[^/]+",
    architecture="|".join(units()),
    protocol="|".join(PROTOCOLS),
    mode=f"(?!{TRAINED}/)[^/]+",
    block=r"\d+-\d+",
    study="[^/]+",


def preset(*keys):
    """A function from wildcards to the data set's preset, or to one of its sections or settings, as plain values."""

    @functools.cache
    def of_dataset(name):
        chosen = STUDY.presets[name]
        for key in keys:
            chosen = getattr(chosen, key)
        return plain(chosen)

    return lambda wildcards: of_dataset(wildcards.dataset)


def protocol(wildcards):
    """The protocol of a job's networks, as a param."""
    return PROTOCOLS[wildcards.protocol].plain()


def cell_of(wildcards):
    return wildcards.dataset, wildcards.architecture, wildcards.protocol


@functools.cache
@one_clear_message()
def tunings(cell):
    return STUDY.tunings(cell, NETWORKS_FOLDER)


@one_clear_message()
def tuning(wildcards):
    """Mode and lambda of a folder of fine-tuned networks."""
    folders = {tuned.folder: tuned for tuned in tunings(cell_of(wildcards))}
    if wildcards.mode not in folders:
        raise ConfigError(
            f"{wildcards.mode} is not a mode of the study {STUDY.name} (keys modes and lambda); its modes are "
            f"{', '.join([TRAINED, *folders])}"
        )
    return folders[wildcards.mode]


@one_clear_message()
def seeds_of_block(wildcards):
    seeds = layout.seeds_of_block(wildcards.block)
    if not seeds:
        raise ConfigError(f"block {wildcards.block}: its last seed comes before its first")
    return seeds


@functools.cache
def grid():
    """Every seed block of every cell of the study, as wildcards, with the folders of its fine-tuned networks."""
    seed_blocks = []
    for cell in STUDY.cells():
        names = dict(zip(("dataset", "architecture", "protocol"), cell))
        modes = [tuning.folder for tuning in tunings(cell)]
        seed_blocks += [
            ({**names, "block": seed_block}, modes)
            for seed_block in STUDY.seed_blocks(cell, NETWORKS_FOLDER)
        ]
    return seed_blocks


def over_grid(file, trained=True, tuned=False):
    """Paths of a file in every seed block of the study, of networks as trained, as fine-tuned, or both."""
    return [
        f"{SEED_BLOCK}/{file}".format(mode=mode, **place)
        for place, modes in grid()
        for mode in [*([TRAINED] if trained else []), *(modes if tuned else [])]
    ]


def sweeps():
    """Whether any mode has several lambdas, of which one is chosen on the validation images."""
    folders = [modes for _, modes in grid()]
    return any(
        len({layout.tuning_named(name)[0] for name in modes}) < len(modes) for modes in folders
    )


def fine_tuning_settings(wildcards):
    """Settings of fine-tuning in a mode, without lambda and the steps of other modes, which do not affect it."""
    mode, settings = tuning(wildcards).mode, preset("regularisation")(wildcards)
    steps = settings["mode_steps"].get(mode, settings["steps"])
    return {key: value for key, value in settings.items() if key != "lambda"} | {
        "steps": steps,
        "mode_steps": {},
    }
