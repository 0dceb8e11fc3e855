"""Start a training: in this process, or in several at once, on this computer or on the nodes of a SLURM job."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import torch

from dtkd.common.errors import DtkdError
from dtkd.common.files import write_json
from dtkd.training import trainer
from dtkd.training.trainer import Plan
from dtkd.training.worker import problem_file


def start(plan: Plan) -> None:
    """Train as the plan says; with several processes, end them all when one of them ends early.

    Raises:
        DtkdError: what a process had to say, or that one was killed; or there are fewer GPUs than asked for, or
            several nodes, but no SLURM job.
    """
    devices, nodes = plan.computing["devices"], plan.computing["nodes"]
    machine = plan.machine()
    if devices == nodes == 1:
        trainer.run(plan, machine)
        return
    if nodes > 1 and "SLURM_JOB_ID" not in os.environ:
        raise DtkdError(f"train.nodes: {nodes}, but this is no job of SLURM's; use profiles/slurm, or nodes: 1")
    if nodes == 1 and machine.device.type == "cuda" and devices > torch.cuda.device_count():
        raise DtkdError(f"train.devices: {devices}, but torch sees {torch.cuda.device_count()} CUDA devices here")

    file = plan.folder / "plan.json"
    problem = problem_file(file)
    problem.unlink(missing_ok=True)
    write_json(file, asdict(plan))
    _prepare_environment(machine.threads)
    command = [sys.executable, "-m", "dtkd.training.worker", str(file)]
    try:
        ended = _on_nodes(command, nodes, devices, machine.threads) if nodes > 1 else _here(command, devices)
        if ended is not None:
            said = problem.read_text(encoding="utf-8") if problem.exists() else ""
            if said.startswith("error: "):
                raise DtkdError(said.removeprefix("error: ").rstrip())
            if said:
                raise RuntimeError(f"in one of the training's processes:\n{said}")
            raise DtkdError(f"{file.parent}: {ended}. The next run goes on after the last finished epoch")
    finally:
        file.unlink(missing_ok=True)
        problem.unlink(missing_ok=True)


def _prepare_environment(threads: int) -> None:
    """What the processes inherit: threads for each of them, and this library."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    library = str(Path(__file__).parents[2])
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [library, os.environ.get("PYTHONPATH")]))


def _here(command: list[str], count: int) -> str | None:
    """Run ``count`` processes on this computer, as torchrun does; what ended them early, None if nothing did."""
    # imported here: it takes longer than all the rest of a training's start, and most trainings are one process
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    logging.getLogger("torch.distributed.elastic.multiprocessing.api").setLevel(logging.CRITICAL)  # we say it ourselves
    config = LaunchConfig(
        min_nodes=1, max_nodes=1, nproc_per_node=count, rdzv_backend="c10d", rdzv_endpoint="localhost:0",
        local_addr="localhost", run_id="training", max_restarts=0,
    )  # fmt: skip
    try:
        elastic_launch(config, command[0])(*command[1:])
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        return f"process {rank} of the training {_end(failure.exitcode)}"
    except SignalException as error:  # this job itself was told to end, and has ended its processes
        sys.exit(128 + error.sigval)
    return None


def _on_nodes(command: list[str], nodes: int, devices: int, threads: int) -> str | None:
    """Run ``devices`` processes on each node of this SLURM job; what ended them early, None if nothing did."""
    # This process may be a step on one node itself (so starts Snakemake its jobs), and SLURM's variables those of that
    # step: what nodes there are, only the job's own record says, and the new step must not take its size from them.
    job = os.environ["SLURM_JOB_ID"]
    held = _said("squeue", "--noheader", f"--jobs={job}", "--format=%N").strip()
    hosts = _said("scontrol", "show", "hostnames", held).split()
    environment = {
        name: value for name, value in os.environ.items()
        if not name.startswith(("SLURM_", "SRUN_")) or name in ("SLURM_CONF", "SLURM_JOB_ID")
    }  # fmt: skip
    environment.pop("DTKD_SNAKEMAKE", None)  # a process of this node, which the others cannot see
    with socket.socket() as free:  # this job's script runs on the first node, where the processes will meet
        free.bind(("", 0))
        port = free.getsockname()[1]
    step = subprocess.Popen([
        "srun", "--overlap", f"--nodes={nodes}", f"--ntasks={nodes * devices}", f"--ntasks-per-node={devices}",
        f"--cpus-per-task={threads}", "--kill-on-bad-exit=1", "--wait=0", "--quiet", *command,  # the first ends last
    ], env=environment | {"MASTER_ADDR": hosts[0], "MASTER_PORT": str(port)})  # fmt: skip
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        status = step.wait()
    finally:
        step.terminate()
        signal.signal(signal.SIGTERM, before)
    return f"a process of the training {_end(status)}" if status else None


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _end(code: int) -> str:
    """What became of a process that did not say so itself, from its exit status."""
    number = -code if code < 0 else code - 128  # a shell's way, and srun's, to tell of a signal
    if number not in set(signal.Signals):
        return f"ended with exit status {code}; what it printed above says why"
    said = f"was ended by {signal.Signals(number).name}"
    if number in (signal.SIGKILL, signal.SIGTERM):  # with srun, SIGTERM is what all others get when one is killed
        said += ", most likely for lack of memory: set train.micro_batch to a part of the batch, or give it more memory"
    return said
