"""One of several processes of a training: `python -m dtkd.training.worker plan.json`, as `launch` or srun starts it."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import torch
from torch import distributed

from dtkd.common.workflow_job import end_with_parent, format_error
from dtkd.training import networks, trainer
from dtkd.training.hardware import Hardware
from dtkd.training.parallel import Group
from dtkd.training.trainer import Plan


def problem_file(plan: Path) -> Path:
    """Where the first process that cannot go on says why."""
    return plan.with_suffix(".problem")


def join(plan: Plan) -> tuple[Hardware, Group]:
    """Meet the other processes; torchrun's variables, or else SLURM's, say which one this is."""
    torchrun, slurm = ("RANK", "LOCAL_RANK", "WORLD_SIZE"), ("SLURM_PROCID", "SLURM_LOCALID", "SLURM_NTASKS")
    rank, local, size = (int(os.environ[name]) for name in (torchrun if "RANK" in os.environ else slurm))
    machine = plan.machine()
    if machine.device.type == "cuda":
        torch.cuda.set_device(local % torch.cuda.device_count())  # SLURM may show each process its own GPU only
    backend = "nccl" if machine.device.type == "cuda" else "gloo"
    long = timedelta(days=1)  # while the first process tests, the others wait; who waits for the dead is ended
    distributed.init_process_group(backend, rank=rank, world_size=size, timeout=long)
    return machine, Group(rank, size)


def main(file: Path) -> None:
    end_with_parent()
    plan = Plan(**networks.read_json(file))
    try:
        trainer.run(plan, *join(plan))
        distributed.destroy_process_group()
    except Exception as error:
        if not _of_another(error):
            with suppress(FileExistsError), open(problem_file(file), "x", encoding="utf-8") as problem:
                problem.write(format_error(error, plan.settings))
        sys.exit(1)


def _of_another(error: Exception) -> bool:
    """Whether this process only met the end of another one."""
    return isinstance(error, distributed.DistError) or "gloo/transport" in str(error)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
