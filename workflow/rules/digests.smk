# Digests of code, as params of rules: what makes a job run again when code that it uses has changed (docs/architecture.md).
from snakemake.io import IOFile
from snakemake.settings.types import RerunTrigger
from slowpoints.core import digests
from slowpoints.core.files import WEIGHTS
from slowpoints.core.headers import safetensors_facts
from slowpoints.core.provenance import settings_digest
from slowpoints.datasets.readers import reader_file
from slowpoints.networks.units import unit_file
from slowpoints.training.modes import mode_file


@functools.cache
def library_digest(script, *modules, looks=False):
    """Digest of a script and of all library modules it reaches: a param that says when to run again."""
    return digests.library_digest(ROOT / "scripts" / f"{script}.py", *modules, looks=looks)


def cell_digest(script):
    """A function from wildcards to the digest of a script that computes with their recurrent unit, and no other."""
    return lambda wildcards: library_digest(script, unit_file(wildcards.architecture))


def tuning_digest(script):
    """The same with the mode of fine-tuning of the wildcards, and no other."""
    return lambda wildcards: library_digest(
        script, unit_file(wildcards.architecture), mode_file(tuning(wildcards).mode)
    )


def reading_digest(script):
    """A function from wildcards to the digest of a script that reads their kind of source, and no other."""
    return lambda wildcards: library_digest(
        script, reader_file(STUDY.presets[wildcards.dataset].source.kind)
    )


def explorer_digest():
    """Of the script, what it reaches, and the page that it fills."""
    page = [
        file
        for file in sorted((ROOT / "src/slowpoints/explorer").iterdir())
        if file.suffix in (".html", ".css", ".js")
    ]
    return library_digest("draw_explorer", *page, looks=True)


def claim_files():
    """Modules of claims, which are found by looking into their folder: part of whatever tests or tells claims."""
    return sorted((ROOT / "src/slowpoints/analysis/claims").glob("*.py"))


def figure_digest(figure):
    """Of the script, the figure's own module, and what it reaches: no network, no training, no measure."""
    modules = [ROOT / f"src/slowpoints/plots/{figure}.py"]
    modules += claim_files() if "claims" in FIGURES[figure].tables else []
    return library_digest("plot_figure", *modules, looks=True)


def images_to_train_on(wildcards):
    """Training images of a block, unless its networks came without Snakemake and are not what a job would train now.

    Snakemake compares with what it noted of its own jobs; of others the weights alone can tell.
    """
    weights = placed(f"{TRAINED_SEED_BLOCK}/{WEIGHTS}".format(**wildcards))
    compared = workflow.is_main_process and RerunTrigger.PARAMS in workflow.rerun_triggers
    if compared and Path(weights).is_file() and not workflow.persistence.metadata(IOFile(weights)):
        wanted = STUDY.training_settings(
            wildcards.dataset, wildcards.protocol, seeds_of_block(wildcards)
        )
        expected = {
            "config_digest": settings_digest(wanted),
            "code_digest": cell_digest("train_networks")(wildcards),
        }
        made = safetensors_facts(Path(weights))
        if other := [name for name in expected if made.get(name) != expected[name]]:
            raise WorkflowError(
                f"{weights} was not trained by this workflow, but with other "
                f"{'settings' if 'config_digest' in other else 'code'} than it would use; configure what it was trained "
                "with, remove it to train anew, or take it as it is with --rerun-triggers mtime input"
            )
    return f"{DATASET}/train.parquet".format(dataset=wildcards.dataset)
