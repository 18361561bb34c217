# Where figures belong: sections of the report in the order of the argument, their texts, and groups of SLURM jobs.
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
# Figures with sentences about the study below their caption.
CAPTIONED = [name for name, figure in FIGURES.items() if figure.findings]


def section(title):
    """Category of the report: numbered, since Snakemake sorts them by name."""
    if title not in SECTIONS:
        raise WorkflowError(f"the report has no section {title!r}; its sections are {SECTIONS}")
    return f"{SECTIONS.index(title) + 1}. {title}"


def report_of(study):
    """Texts and tables that the report shows for a study."""
    names = ["summary.rst", "claims.html", "networks.html", *(f"{name}.rst" for name in CAPTIONED)]
    return [f"{REPORT}/{name}".format(study=study) for name in names]


def figure_group(spec):
    """Figures share a SLURM job: those that wait for fine-tuning or formation one, all others an earlier one."""
    waits = spec.tuned or {"formation", "claims"} & {*spec.tables}
    return "study" if waits else "trained"
