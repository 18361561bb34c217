# Helper functions for the rules: the checked study, its paths, and the digest of what a script uses.
import sys
from pathlib import Path

ROOT = Path(workflow.current_basedir).parent.parent
sys.path.insert(0, str(ROOT / "src"))

from slowpoints import provenance
from slowpoints.datasets.files import DOWNLOADS, source_files
from slowpoints.settings import ConfigError, read_study

CELL = "results/networks/{dataset}/{architecture}/{protocol}"
TRAINED = f"{CELL}/trained/{{block}}"
TUNED = f"{CELL}/{{mode}}/{{block}}"
RESOURCES = Path("resources")
DATASET = "results/datasets/{dataset}"
RESULTS = "results/{study}"
FIGURES = [
    "task",
    "extrapolation",
    "state_space",
    "speed_vs_memory",
    "formation",
    "regularisation",
    "spectrum",
]
TABLES = [
    "networks",
    "extrapolation",
    "slow_points",
    "spectrum",
    "trajectories",
    "formation",
    "regularisation",
    "task",
]
PUBLISHED = [name for name in TABLES if name != "task"]  # which shows images of the data set
TESTED = ["correlations", "claims"]


def checked_study():
    """The study that the configuration describes, or one clear message."""
    named = [str(file) for file in workflow.overwrite_configfiles] or ["config/config.yaml"]
    try:
        return read_study(
            config,
            schema=ROOT / "workflow/schemas/config.schema.yaml",
            shipped=ROOT / "config/presets",
            name=" + ".join(named),
            resources=RESOURCES,
        )
    except ConfigError as error:
        raise WorkflowError(str(error)) from None


STUDY = checked_study()


wildcard_constraints:
    dataset="[^/]+",
    architecture="[a-z]+",
    protocol="[a-z-]+",
    mode="(?!trained/)[^/]+",
    block=r"\d+-\d+",
    study="[^/]+",


def library_digest(script):
    """Digest of a script and of all library modules it reaches: a param that says when to run again."""
    return provenance.library_digest(ROOT / "scripts" / f"{script}.py")


def preset(*sections):
    """A function from wildcards to the data set's preset, or to one section of it."""

    def of(wildcards):
        chosen = STUDY.presets[wildcards.dataset]
        for section in sections:
            chosen = chosen[section]
        return chosen

    return of


def sections(*names):
    """A function from wildcards to those sections of the data set's preset."""

    def of(wildcards):
        return {name: STUDY.presets[wildcards.dataset][name] for name in names}

    return of


def block_seeds(wildcards):
    """Seeds of a block such as "0-7"."""
    first, last = map(int, wildcards.block.split("-"))
    return list(range(first, last + 1))


def over_grid(file, tuned=False):
    """That file of every block of every cell of the study, as trained, and as fine-tuned where `tuned`."""
    files = []
    for cell in STUDY.cells():
        modes = ["trained", *(STUDY.modes(cell[0]) if tuned else [])]
        for block in STUDY.blocks(cell, Path("results/networks")):
            place = dict(zip(("dataset", "architecture", "protocol"), cell), block=block)
            files += [f"{TUNED}/{file}".format(mode=mode, **place) for mode in modes]
    return files


def tables_of(study, measured=TABLES):
    """Files of a study's tables."""
    return [f"results/{study}/tables/{name}.parquet" for name in (*measured, *TESTED)]


def figures_of(study, drawn=FIGURES):
    """Files of a study's figures."""
    return [f"results/{study}/figures/{name}.{form}" for name in drawn for form in ("pdf", "png")]


def reference_files(wildcards):
    """Tables and figures of the finished studies that come with the project."""
    studies = [f"reference-{folder.name}" for folder in sorted(Path("reference").glob("*/"))]
    if not studies:
        raise WorkflowError(
            "there is no study in reference/: its folders hold the tables of one each"
        )
    drawn = [name for name in FIGURES if name != "task"]
    return [
        file for study in studies for file in tables_of(study, PUBLISHED) + figures_of(study, drawn)
    ]


def source_inputs(wildcards):
    """Files a data set is made from; none where it is embedded or generated."""
    folder = STUDY.folders[wildcards.dataset]
    source = STUDY.presets[wildcards.dataset]["source"]
    if folder is None:
        return []
    if RESOURCES in folder.parents:
        return [str(folder / name) for name in DOWNLOADS[source["kind"]]]
    return [str(path) for path in source_files(source, folder)]


def download_of(wildcards):
    """The source that downloads into a folder of resources/."""
    for dataset, folder in STUDY.folders.items():
        if folder == RESOURCES / wildcards.folder:
            return STUDY.presets[dataset]["source"]
    raise WorkflowError(f"no data set of the study downloads into {RESOURCES}/{wildcards.folder}")
