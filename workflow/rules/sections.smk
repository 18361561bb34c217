# Sections of the report in the order of the argument, what each shows, and the files with what it says of a study.
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
# Section and title of each figure; another goes to the last.
SHOWN = {
    "claims": ("What came out", "Effects and verdicts"),
    "task": ("The task", "A trial"),
    "extrapolation": ("How long networks remember", "Accuracy against delay"),
    "state_space": ("Does speed predict memory", "1 States and slow points"),
    "speed_vs_memory": ("Does speed predict memory", "2 Speed against memory"),
    "predictors": ("Does speed predict memory", "3 Other predictors of memory"),
    "relaxation": ("Does speed predict memory", "4 How states slow down"),
    "spectrum": ("Does speed predict memory", "5 Stability of slow points"),
    "formation": ("How memories form", "Births of memories"),
    "regularisation": ("Does a penalty help", "Memory before and after"),
}
# Figures with sentences of a study's own below their caption.
CAPTIONED = [
    "extrapolation",
    "speed_vs_memory",
    "predictors",
    "formation",
    "regularisation",
    "claims",
]


def section(title):
    """Category of the report: numbered, since Snakemake sorts them by name."""
    return f"{SECTIONS.index(title) + 1}. {title}"


def report_of(study):
    """Files of what the report says of a study in its own words."""
    names = ["summary.rst", "claims.html", "networks.html", *(f"{name}.rst" for name in CAPTIONED)]
    return [f"{REPORT}/{name}".format(study=study) for name in names]
