# Files of studies: the configured one, and others whose tables exist.


@functools.cache
@one_clear_message()
def finished_tables(study):
    """Names of the existing tables of another study, from results/ or reference/."""
    folder, hint = placed(TABLES.format(study=study)), f"give the --configfile of {study}"
    if study.startswith(layout.PUBLISHED_AS):
        folder, hint = f"reference/{study.removeprefix(layout.PUBLISHED_AS)}", "see reference/"
    if not (names := [file.stem for file in Path(folder).glob("*.parquet")]):
        raise ConfigError(
            f"the configured study is {STUDY.name}, and {folder}/ has no tables of {study}; {hint}"
        )
    return names


def tables(names, trained=False):
    """A function from wildcards to tables of a study, by name; of trained networks only if `trained`.

    The configured study keeps tables of trained networks in a separate folder, so that they need no fine-tuning. Other
    finished studies have one table of all their networks, which is filtered.
    """

    def of(wildcards):
        if wildcards.study != STUDY.name:
            finished_tables(wildcards.study)
        apart = OF_TUNED if trained and wildcards.study == STUDY.name else []
        folders = {name: TRAINED_TABLES if name in apart else TABLES for name in names}
        return {name: f"{folder}/{name}.parquet" for name, folder in folders.items()}

    return of


def extras(names):
    """A function from wildcards to those of these optional files that a study has, by name."""

    def of(wildcards):
        study = wildcards.study
        files = {"costs": layout.COSTS, "validation": f"{TABLES}/validation.parquet"}
        if study == STUDY.name:
            present = (
                ["costs", *(["validation"] if sweeps() else [])] if STUDY.config["modes"] else []
            )
        elif study.startswith(layout.PUBLISHED_AS):
            folder = Path("reference", study.removeprefix(layout.PUBLISHED_AS))
            present = [name for name, file in files.items() if (folder / Path(file).name).is_file()]
        else:
            present = [
                name
                for name, file in files.items()
                if Path(placed(file.format(study=study))).is_file()
            ]
        return {name: files[name] for name in names if name in present}

    return of


def versions(names):
    """Schema version that a job requires of each of these tables."""
    return {name: (SCHEMAS | OF_STUDY)[name].version for name in names}


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


def available(names):
    """A function from wildcards to those of these tables that a study has; older studies may lack some."""

    def of(wildcards):
        present = names if wildcards.study == STUDY.name else finished_tables(wildcards.study)
        return [name for name in names if name in present]

    return of


def reference_files(wildcards):
    """Files made from the finished studies in reference/; older studies may lack some tables."""
    tables = sorted(Path("reference").glob("*/*.parquet"))
    if not tables:
        raise WorkflowError(
            "reference/ contains no study; each of its folders must hold the tables of one"
        )
    files = []
    for folder in dict.fromkeys(table.parent for table in tables):
        study = f"{layout.PUBLISHED_AS}{folder.name}"
        names = [*sorted(path.stem for path in folder.glob("*.parquet")), *TESTED]
        drawn = [name for name, figure in FIGURES.items() if {*figure.tables} <= {*names}]
        files += [*tables_of(study, names), *figures_of(study, drawn)]
        files += [EXPLORER.format(study=study), *report_of(study)]
    return files
