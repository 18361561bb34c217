# Sections of the report in the order of the argument, its texts, and groups of SLURM jobs for figures.
REPORT = "results/{study}/report"
SECTIONS = [
    "What came out",
    "The task",
    "How long networks remember",
    "Does speed predict memory",
    "How memories form",
    "Does a penalty help",
    "Explore",
    "Figures to print",
    "Further figures",
]
# Figures whose captions include sentences about the study.
CAPTIONED = [name for name, figure in FIGURES.items() if figure.findings]


def section(title):
    """Category of the report, numbered, since Snakemake sorts categories by name."""
    if title not in SECTIONS:
        raise WorkflowError(f"the report has no section {title!r}; its sections are {SECTIONS}")
    return f"{SECTIONS.index(title) + 1}. {title}"


def report_of(study):
    """Texts and tables of a study's report."""
    names = ["summary.rst", "claims.html", "networks.html", *(f"{name}.rst" for name in CAPTIONED)]
    return [f"{REPORT}/{name}".format(study=study) for name in names]


def figure_group(spec):
    """Figures that wait for fine-tuning or formation share one SLURM job; all others share an earlier one."""
    waits = spec.tuned or {"formation", "claims"} & {*spec.tables}
    return "study" if waits else "trained"
