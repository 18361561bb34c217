# The workflow is in workflow/Snakefile, where the workflow catalogue looks for it; this is where people look.
include: "workflow/Snakefile"


# An include resets the default target.
workflow.default_target = "all"
