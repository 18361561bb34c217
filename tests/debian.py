"""Debian packages, for tests that need a system program."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path


def install(*packages: str) -> str | None:
    """Installs packages; returns why that failed, or None."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return f"root on Debian, or packages {', '.join(packages)}, are needed"
    with Path(tempfile.gettempdir(), "slowpoints-tests-apt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another worker of these tests may be at it
        return _with_apt(packages)


def _with_apt(packages: tuple[str, ...]) -> str | None:
    policy = Path("/usr/sbin/policy-rc.d")  # answers 101: packages do not start their services
    ours = not policy.exists()
    if ours:
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
            run = subprocess.run(["apt-get", *command], env=environment, capture_output=True, text=True)
            if run.returncode:
                return f"apt-get {command[0]} failed: {run.stderr.strip().splitlines()[-1:]}"
    finally:
        if ours:
            policy.unlink()
    return None
