# On SLURM, warns of jobs that can never start: Snakemake itself would wait for them silently.
import threading
from snakemake.logging import logger
from slowpoints.core import slurm


onstart:
    if getattr(workflow.executor_plugin, "name", None) == "slurm":
        threading.Thread(
            target=slurm.watch, args=(Path.cwd(), logger.warning), daemon=True
        ).start()
