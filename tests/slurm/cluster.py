"""A real single-node SLURM on the loopback interface, from Debian's packages, for tests.

No systemd, no accounting, GPUs that are links to /dev/null (which set CUDA_VISIBLE_DEVICES for jobs that ask). All
of it lives in one folder but the link /etc/slurm/slurm.conf: the executor's inner srun looks nowhere else.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

from debian import install
from projects import Project

QUICK = ("--profile", "slurm", "--slurm-init-seconds-before-status-checks", "5")
"""The profile as it ships, but for the first look at a job: the jobs of these tests take seconds."""
WHOLE = (*QUICK, "--configfile", "config/test.yaml")
ONE_CELL = (
    "results/test/figures/speed_vs_memory.pdf",
    "results/networks/digits-tiny/gru/vocu/trained/0-1/formation.parquet",
    "results/networks/digits-tiny/gru/vocu/control/0-1/weights.safetensors",
    *(*WHOLE, "--config", "protocols=[vocu]", "modes=[control]"),
)
"""All jobs of a cell with one mode, and a figure: not the tables that stand alone, nor the group `study`."""
PACKAGES = ("munge", "slurm-client", "slurmctld", "slurmd")
LINK = Path("/etc/slurm/slurm.conf")
PORTS = {"ctld": 26817, "slurmd": 26818}
USUAL = {"cores": 8, "memory": 64000}
SMALL = {"cores": 2, "memory": 8000}
"""What the node has, in cores and MB."""
CONF = """
ClusterName=test
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={ctld}
SlurmdPort={slurmd}
{communication}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=15
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MailProg=/bin/true
MpiDefault=none
SwitchType=switch/none
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=2,sched_interval=2,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
ReturnToService=2
JobRequeue=1
KillWait=5
MinJobAge=3600
GresTypes=gpu
NodeName=localhost NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory} Gres=gpu:2 State=UNKNOWN
PartitionName=test Nodes=localhost Default=YES DefaultTime=10 MaxTime=600 State=UP
"""


def missing() -> str | None:
    """Why no cluster can be started here, or None."""
    if os.geteuid() != 0:
        return "root is needed to bring up SLURM"
    if (LINK.exists() or LINK.is_symlink()) and "slurm-test" not in str(LINK.resolve()):
        return f"{LINK} is somebody's own"
    if not shutil.which("slurmctld"):
        return install(*PACKAGES)
    return None


def check_cell(project: Project, finished: Project) -> None:
    """Data and networks that `ONE_CELL` made are those of a finished run without SLURM, and there is nothing else."""
    made, wanted = (
        {file: digest for file, digest in each.digests().items() if file.startswith(("datasets/", "networks/"))}
        for each in (project, finished)
    )
    assert len(made) > 15
    assert made.items() <= wanted.items()


class Cluster:
    """The daemons, up between `start` and `stop`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.daemons: dict[str, subprocess.Popen] = {}

    def start(self) -> None:
        for part in ("state", "spool", "dev"):
            (self.folder / part).mkdir(parents=True)
        for gpu in range(2):
            (self.folder / f"dev/gpu{gpu}").symlink_to("/dev/null")
        wrap, communication = self._addresses()
        self._configure(communication, USUAL)
        (self.folder / "gres.conf").write_text(
            f"AutoDetect=off\nNodeName=localhost Name=gpu File={self.folder}/dev/gpu[0-1]\n"
        )
        LINK.parent.mkdir(exist_ok=True)
        LINK.unlink(missing_ok=True)
        LINK.symlink_to(self.folder / "slurm.conf")
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(os.urandom(1024))
        self.folder.chmod(0o755)
        places = {"socket": "socket", "pid-file": "pid", "seed-file": "seed", "log-file": "log", "key-file": "key"}
        files = [f"--{option}={self.folder}/munge.{end}" for option, end in places.items()]
        self._spawn("munged", ["munged", "--foreground", "--force", "--origin=127.0.0.1", *files])
        self._wait(lambda: (self.folder / "munge.socket").exists(), "munged")
        conf = ["-f", str(self.folder / "slurm.conf")]
        self._spawn("slurmctld", [*wrap, "slurmctld", "-D", *conf])
        self._spawn("slurmd", [*wrap, "slurmd", "-D", *conf, "-N", "localhost"])
        self._wait(self._up, "the node")

    def stop(self) -> None:
        subprocess.run(["scancel", "--user", "root"], capture_output=True)
        for daemon in reversed(self.daemons.values()):
            daemon.terminate()
        for daemon in self.daemons.values():
            try:
                daemon.wait(timeout=20)
            except subprocess.TimeoutExpired:
                daemon.kill()
        if LINK.is_symlink():
            LINK.unlink()

    def jobs(self, folder: Path) -> list[dict[str, str]]:
        """What `scontrol show job` says of each job submitted from a folder, finished ones included."""
        shown = subprocess.run(["scontrol", "--oneliner", "show", "jobs"], capture_output=True, text=True, check=True)
        lines = [line for line in shown.stdout.splitlines() if line.startswith("JobId=")]
        jobs = [dict(re.findall(r"(\w+)=(\S+)", line)) for line in lines]
        return [job for job in jobs if job["WorkDir"] == str(folder)]

    def take_node(self, state: str, seconds: float) -> None:
        """Sets the node to DOWN or DRAIN, as an administrator does, and restores it after a while."""
        update = ["scontrol", "update", "NodeName=localhost", f"State={state}", "Reason=test"]
        subprocess.run(update, check=True, timeout=60)
        time.sleep(seconds)
        self._wait(self._up, "the node")

    def take_controller(self, seconds: float) -> None:
        """Kills the controller, and restarts it after a while."""
        controller = self.daemons["slurmctld"]
        controller.kill()
        controller.wait()
        time.sleep(seconds)
        self._spawn("slurmctld", controller.args)
        self._wait(self._up, "the node")

    @contextlib.contextmanager
    def small_node(self):
        """Within, the node has two cores and 8 GB. No job may run at either end."""
        self._resize(SMALL)
        try:
            yield
        finally:
            subprocess.run(["scancel", "--user", "root"], capture_output=True)
            self._resize(USUAL)

    def _resize(self, node: dict[str, int]) -> None:
        communication = self._addresses()[1]
        names = ("slurmd", "slurmctld")
        for name in names:
            self.daemons[name].terminate()
            self.daemons[name].wait(timeout=60)
        self._configure(communication, node)
        for name in reversed(names):
            self._spawn(name, self.daemons[name].args)
        self._wait(lambda: self._up() and self._cores() == node["cores"], "the node")

    def _configure(self, communication: str, node: dict[str, int]) -> None:
        text = CONF.format(folder=self.folder, communication=communication, **PORTS, **node)
        (self.folder / "slurm.conf").write_text(text.strip() + "\n")

    def _cores(self) -> int:
        asked = subprocess.run(["sinfo", "-h", "-N", "-o", "%c"], capture_output=True, text=True, timeout=10)
        return int(asked.stdout.strip() or 0)

    def _addresses(self) -> tuple[list[str], str]:
        """Command prefix that restricts the daemons to the loopback address, if possible."""
        try:
            local = socket.gethostbyname(socket.gethostname()).startswith("127.")
        except OSError:
            local = False
        if local:
            return [], "CommunicationParameters=NoCtldInAddrAny,NoInAddrAny"
        if subprocess.run(["unshare", "--uts", "true"], capture_output=True).returncode == 0:
            named = ["unshare", "--uts", "sh", "-c", 'hostname localhost && exec "$@"', "sh"]
            return named, "CommunicationParameters=NoCtldInAddrAny,NoInAddrAny"
        return [], ""

    def _spawn(self, name: str, command: list[str]) -> None:
        with (self.folder / f"{name}.out").open("a") as log:
            self.daemons[name] = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)

    def _up(self) -> bool:
        asked = subprocess.run(["sinfo", "-h", "-N", "-o", "%t"], capture_output=True, text=True, timeout=10)
        node = asked.stdout.strip()
        if node.startswith(("down", "drain")):
            subprocess.run(["scontrol", "update", "NodeName=localhost", "State=RESUME"], capture_output=True)
        return node.startswith(("idle", "mix", "alloc", "comp"))

    def _wait(self, ready, what: str) -> None:
        end = time.monotonic() + 60
        while not ready():
            if time.monotonic() > end:
                logs = [path.read_text()[-2000:] for path in self.folder.glob("*.log")]
                raise TimeoutError(f"{what} is not up after 60 s\n" + "\n".join(logs))
            time.sleep(0.5)
