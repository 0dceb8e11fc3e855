"""Which of a computer's GPUs a job computes on. No torch is needed."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile

_held: list[int] = []  # open lock files; the system releases them when this process ends, however it ends


def _let_go() -> None:
    """In a forked child: a loader process may outlive a killed training by seconds, and must not hold its GPU."""
    while _held:
        os.close(_held.pop())


os.register_at_fork(after_in_child=_let_go)


def count() -> int:
    """How many GPUs the NVIDIA driver sees; 0 where there is none. CUDA is not touched."""
    if shutil.which("nvidia-smi") is None:
        return 0
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    return listed.stdout.count("GPU ")


def claim(wanted: int, there: int) -> None:
    """Take ``wanted`` GPUs that no other job of this user on this computer has: CUDA_VISIBLE_DEVICES names them then.

    Snakemake counts GPUs (``--resources gpu=4``) but does not say which, and CUDA's first one would be everyone's.
    ``there`` is how many the computer has; CUDA_VISIBLE_DEVICES limits the choice. Where there is none, as in a job of
    SLURM's that sees its own only, or where this process has its GPUs already, nothing is changed; nor where fewer are
    free than wanted, which is said. To be called before CUDA is: it reads the variable once.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = [str(number) for number in range(there)] if visible is None else visible.split(",")
    if _held or len(names) <= wanted:
        return
    folder, taken = tempfile.gettempdir(), {}
    for name in names:
        lock = os.open(os.path.join(folder, f"dtkd-{os.getuid()}-gpu-{name.strip()}"), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            taken[name] = lock
        except BlockingIOError:
            os.close(lock)
        if len(taken) == wanted:
            os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(taken)
            _held.extend(taken.values())
            return
    print(f"warning: {wanted} of {len(names)} GPUs wanted, {len(taken)} free: CUDA's first ones are shared", flush=True)
    for lock in taken.values():
        os.close(lock)
