"""Where torch computes."""

from __future__ import annotations

import torch

from dtkd.common import gpus
from dtkd.common.errors import DtkdError


def choose(device: str, count: int = 1) -> torch.device:
    """What ``device`` (auto, cpu or cuda) of the config is here; of GPUs, ``count`` free ones are taken (`gpus.claim`).

    Raises:
        DtkdError: ``device`` is cuda and there is none.
    """
    if device == "cpu":
        return torch.device("cpu")
    gpus.claim(count, torch.cuda.device_count())
    if torch.cuda.is_available():
        return torch.device("cuda")
    if device == "cuda":
        raise DtkdError(
            f"config: device: cuda, but torch {torch.__version__} (for CUDA {torch.version.cuda}) sees no CUDA device "
            "here: see with nvidia-smi whether the computer has a GPU and a driver for that CUDA; on a cluster, "
            "whether the job has asked for a GPU. With device: auto it would compute on the CPU"
        )
    return torch.device("cpu")
