"""Whether a job computes on a GPU, and on which of the computer's."""

from __future__ import annotations

import fcntl
import os
import tempfile

import torch

from dtkd.errors import DtkdError

_held: list[int] = []  # open lock files; the system releases them when this process ends, however it ends


def choose(device: str, count: int = 1) -> torch.device:
    """What ``device`` (auto, cpu or cuda) of the config is here; on a GPU, ``count`` free ones are taken (`claim`).

    Raises:
        DtkdError: ``device`` is cuda and there is none.
    """
    if device == "cpu":
        return torch.device("cpu")
    claim(count)
    if torch.cuda.is_available():
        return torch.device("cuda")
    if device == "cuda":
        raise DtkdError(
            f"config: device: cuda, but torch {torch.__version__} (for CUDA {torch.version.cuda}) sees no CUDA device "
            "here: see with nvidia-smi whether the computer has a GPU and a driver for that CUDA; on a cluster, "
            "whether the job has asked for a GPU. With device: auto it would compute on the CPU"
        )
    return torch.device("cpu")


def claim(count: int) -> None:
    """Take ``count`` GPUs that no other job of this user on this computer has: CUDA_VISIBLE_DEVICES names them then.

    Snakemake counts GPUs (``--resources gpu=4``) but does not say which, and CUDA's first one would be everyone's.
    Where there is no choice, as in a job of SLURM's that sees its own only, or where fewer are free than wanted,
    nothing is changed. To be called before CUDA is: it reads the variable once.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = [str(number) for number in range(torch.cuda.device_count())] if visible is None else visible.split(",")
    if len(names) <= count:
        return
    folder, taken = tempfile.gettempdir(), {}
    for name in names:
        lock = os.open(os.path.join(folder, f"dtkd-{os.getuid()}-gpu-{name.strip()}"), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            taken[name] = lock
        except BlockingIOError:
            os.close(lock)
        if len(taken) == count:
            os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(taken)
            _held.extend(taken.values())
            return
    for lock in taken.values():
        os.close(lock)
