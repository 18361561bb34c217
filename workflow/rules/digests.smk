# Digests of code, as params of rules: what makes a job run again when code that it uses has changed (docs/architecture.md).
from slowpoints.core import digests
from slowpoints.datasets.readers import reader_file
from slowpoints.networks.units import unit_file


@functools.cache
def library_digest(script, *modules, looks=False):
    """Digest of a script and of all library modules it reaches: a param that says when to run again."""
    return digests.library_digest(ROOT / "scripts" / f"{script}.py", *modules, looks=looks)


def cell_digest(script):
    """A function from wildcards to the digest of a script that computes with their recurrent unit, and no other."""
    return lambda wildcards: library_digest(script, unit_file(wildcards.architecture))


def reading_digest(script):
    """A function from wildcards to the digest of a script that reads their kind of source, and no other."""
    return lambda wildcards: library_digest(
        script, reader_file(STUDY.presets[wildcards.dataset].source.kind)
    )


def figure_digest(figure):
    """Of the script, the figure's own module, and what it reaches: no network, no training, no measure."""
    drawn_by = ROOT / f"src/slowpoints/plots/{figure}.py"
    return library_digest("plot_figure", drawn_by, looks=True)
