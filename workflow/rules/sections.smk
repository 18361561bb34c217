# Sections of the report in the order of the argument, and the files with what it says of a study.
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
# Figures with sentences of a study's own below their caption.
CAPTIONED = [name for name, figure in FIGURES.items() if figure.findings]


def section(title):
    """Category of the report: numbered, since Snakemake sorts them by name."""
    if title not in SECTIONS:
        raise WorkflowError(f"the report has no section {title!r}; its sections are {SECTIONS}")
    return f"{SECTIONS.index(title) + 1}. {title}"


def report_of(study):
    """Files of what the report says of a study in its own words."""
    names = ["summary.rst", "claims.html", "networks.html", *(f"{name}.rst" for name in CAPTIONED)]
    return [f"{REPORT}/{name}".format(study=study) for name in names]
