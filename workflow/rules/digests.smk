# Digests of code, as params of rules: a job runs again when code that it uses has changed (docs/architecture.md).
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
    """Digest of a script and of all library modules it reaches: a param whose change reruns the job."""
    return digests.library_digest(ROOT / "scripts" / f"{script}.py", *modules, looks=looks)


def cell_digest(script):
    """A function from wildcards to the digest of a script, with the module of their recurrent unit only."""
    return lambda wildcards: library_digest(script, unit_file(wildcards.architecture))


def tuning_digest(script):
    """The same, with the module of their mode of fine-tuning as well."""
    return lambda wildcards: library_digest(
        script, unit_file(wildcards.architecture), mode_file(tuning(wildcards).mode)
    )


def reading_digest(script):
    """A function from wildcards to the digest of a script, with the reader of their source only."""
    return lambda wildcards: library_digest(
        script, reader_file(STUDY.presets[wildcards.dataset].source.kind)
    )


def explorer_digest():
    """Digest of the script, the modules it reaches, and the files of the page."""
    page = [
        file
        for file in sorted((ROOT / "src/slowpoints/explorer").iterdir())
        if file.suffix in (".html", ".css", ".js")
    ]
    return library_digest("draw_explorer", *page, looks=True)


def claim_files():
    """Modules of claims: discovered in their folder, so digests of what tests or reports claims must add them."""
    return sorted((ROOT / "src/slowpoints/analysis/claims").glob("*.py"))


def figure_digest(figure):
    """Digest of the script, the figure's module, and what it reaches: no network, training or measure."""
    modules = [ROOT / f"src/slowpoints/plots/{figure}.py"]
    modules += claim_files() if "claims" in FIGURES[figure].tables else []
    return library_digest("plot_figure", *modules, looks=True)


def images_to_train_on(wildcards):
    """Training images of a seed block, checking that networks from elsewhere are those that a job would train now.

    Snakemake compares settings and code only for files from its own jobs; for others, the weights file holds them.
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
                f"{'settings' if 'config_digest' in other else 'code'} than it would use; configure the settings of "
                "its training, remove it to retrain, or accept it with --rerun-triggers mtime input"
            )
    return f"{DATASET}/train.parquet".format(dataset=wildcards.dataset)
