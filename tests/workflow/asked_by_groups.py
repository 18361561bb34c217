"""Plans a run like `snakemake -n`, and prints what each group of jobs requests: name, cores, MB, minutes, rules.

Precedes the command, as in `python asked_by_groups.py snakemake -n ...`. A plain dry run does not show groups, and adds
up the resources of jobs that run one after the other.
"""

import sys

from snakemake import cli
from snakemake.jobs import GroupJob
from snakemake.resources import GroupResources

worked_out = GroupResources.basic_layered


def as_submitted(*arguments, run_local, **keywords):
    return worked_out(*arguments, run_local=False, **keywords)


def say(job):
    asked = job.resources
    rules = ",".join(sorted({each.rule.name for each in job.jobs}))
    print("group", job.groupid, asked["_cores"], asked["mem_mb"], asked["runtime"], rules)


GroupResources.basic_layered = as_submitted
GroupJob.log_info = say
cli.main(sys.argv[sys.argv.index("snakemake") + 1 :])
