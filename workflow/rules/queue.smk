# On SLURM, a word on jobs that wait for what can never be: Snakemake itself would wait with them, and say nothing.
import threading
from snakemake.logging import logger
from slowpoints.core import slurm


onstart:
    if getattr(workflow.executor_plugin, "name", None) == "slurm":
        threading.Thread(
            target=slurm.watch, args=(Path.cwd(), logger.warning), daemon=True
        ).start()
