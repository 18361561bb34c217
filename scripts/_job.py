"""What every script of a rule does first and last; imported before anything else.

Puts the library on the path, sends output to the rule's log and progress to a file beside it, sets the number of
threads, stamps what is written with the rule's settings, and repeats the last line of an error on the terminal, where
Snakemake itself names only the script that failed.
"""

import contextlib
import logging
import platform
import sys
import time
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))


@contextlib.contextmanager
def logged(snakemake):
    """Runs a script's work with its output in the log, and what it writes stamped with its settings."""
    from slowpoints.core.progress import progress_in, progress_path
    from slowpoints.core.provenance import provenance, settings_digest

    settings = {name: value for name, value in snakemake.params.items() if name != "code"}
    terminal = sys.stderr
    # Added to, so that what made an earlier attempt fail can still be read.
    with Path(snakemake.log[0]).open("a", buffering=1, encoding="utf-8", errors="backslashreplace") as log:
        print(f"---- {time.strftime('%Y-%m-%d %H:%M:%S')}, {platform.node()}", file=log)
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=log, force=True)
        with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
            try:
                _set_threads(snakemake.threads)
                with (
                    progress_in(progress_path(snakemake.log[0])),
                    provenance(config_digest=settings_digest(settings), device=_device_name(snakemake)),
                ):
                    yield
            except BaseException as error:
                traceback.print_exc()
                last = traceback.format_exception_only(error)[-1].strip()
                print(f"\nrule {snakemake.rule}: {last}\n(whole log: {snakemake.log[0]})\n", file=terminal)
                raise SystemExit(1) from None


def own_study(snakemake) -> str | None:
    """The study that a rule's tables must be of: the configuration's; any, where they were published."""
    name = snakemake.config["study"]
    return name if snakemake.wildcards.get("study", name) == name else None


def _set_threads(threads: int) -> None:
    torch = sys.modules.get("torch")  # scripts without tensors don't pay for the import
    if torch is not None:
        torch.set_num_threads(threads)


def _device_name(snakemake) -> str:
    """Of a rule that may use a GPU, which names one in its resources (0 under --gres); others stay on the CPU."""
    if snakemake.resources.get("gpu") is None:
        return "cpu"
    from slowpoints.core.devices import device_name

    return device_name(snakemake.config["device"])
