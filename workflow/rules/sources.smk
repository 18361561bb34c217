# Sources of images.


def download_of(wildcards):
    """The source that downloads into a folder of resources/."""
    for dataset, folder in STUDY.folders.items():
        if folder == layout.RESOURCES / wildcards.folder:
            return plain(STUDY.presets[dataset].source)
    raise WorkflowError(
        f"no data set of the study downloads into {layout.RESOURCES}/{wildcards.folder}"
    )


@one_clear_message()
def downloaded(wildcards):
    """Files of a data set that a rule brings; its own files are no inputs but told by their contents."""
    return list(map(str, STUDY.downloads(wildcards.dataset)))


def source_folder(wildcards, input):
    """Where a data set's files lie. What takes `input` is no reason to Snakemake to run a job again."""
    folder = STUDY.folders[wildcards.dataset]
    return str(Path(input[0]).parent if input else folder) if folder else None


@one_clear_message()
def files_digest(wildcards):
    """Of the contents of a data set's own files: neither their times nor their folder say whether they are the same."""
    return STUDY.files_digest(wildcards.dataset, Path(".snakemake/fingerprints.json"))
