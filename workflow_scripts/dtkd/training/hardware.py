"""Where a run computes, with how much of the machine, and in which precision and memory layout."""

from __future__ import annotations

import os
from contextlib import nullcontext
from dataclasses import dataclass

import cv2
import torch
from torch import nn

from dtkd.common.device import choose
from dtkd.common.errors import DtkdError
from dtkd.config import Train
from dtkd.models import backbones
from dtkd.training.normalise import Normalise

CHANNELS_LAST = {4: torch.channels_last, 5: torch.channels_last_3d}
"""Of weights of so many dimensions: of networks on images, and on clips."""


@dataclass(frozen=True)
class Hardware:
    """Where a run computes, and with how much of the machine."""

    device: torch.device
    threads: int
    cache_mb: int = 0  # of decoded frames, in all loader processes together

    @property
    def workers(self) -> int:
        """Loader processes: on a GPU all threads but one; on a CPU the training process decodes for itself."""
        return max(self.threads - 1, 1) if self.device.type == "cuda" else 0

    @property
    def pin(self) -> bool:
        """Whether loaders pin memory, for copies to a GPU."""
        return self.device.type == "cuda"

    @property
    def cache_share(self) -> float:
        """Megabytes that a cache may have; each loader process has its own."""
        return self.cache_mb / max(self.workers, 1)


def choose_hardware(device: str, threads: int, cache_mb: int = 0, devices: int = 1) -> Hardware:
    """Choose the device and bound the threads of torch by what the rule was given and what the machine has.

    ``devices`` is how many GPUs this process and those that it will start may use, of those that the machine has.

    OpenCV decodes on one: its own pool would take every core of the machine.
    """
    given = os.environ.get("CUDA_VISIBLE_DEVICES", "-1")  # what a scheduler sets
    chosen = choose(device, devices)
    if device == "auto" and chosen.type == "cpu" and given not in ("", "-1"):
        print(f"warning: this job was given GPU {given}, but torch sees no CUDA device and uses the CPU", flush=True)
    threads = max(1, min(threads, len(os.sched_getaffinity(0))))
    torch.set_num_threads(threads if chosen.type == "cpu" else 1)
    cv2.setNumThreads(1)
    torch.backends.cudnn.benchmark = chosen.type == "cuda"  # clips are of one size
    return Hardware(chosen, threads, cache_mb)


def autocast(precision: str, device: torch.device):
    """`auto`: bf16 where the GPU has it, else fp16; fp32 on a CPU, for which fp16 is refused: it is slow there."""
    if precision == "auto" and device.type == "cpu":
        precision = "fp32"
    elif precision == "auto":
        precision = "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
    if precision == "fp32":
        return nullcontext(), False
    if precision == "fp16" and device.type == "cpu":
        raise DtkdError("train.precision: fp16 is for GPUs, and this is a CPU; use auto, fp32 or bf16")
    dtype = {"bf16": torch.bfloat16, "fp16": torch.float16}[precision]
    return torch.autocast(device.type, dtype), precision == "fp16"


def check_precision(settings: Train, device: torch.device, model: nn.Module, frames: int, crop: int | None) -> None:
    """Raise DtkdError where torch's gradients are wrong: half precision on a CPU with clips of few ``frames``."""
    if device.type != "cpu" or settings.precision in ("auto", "fp32"):
        return
    fewest = backbones.frames_for_convolutions(model, crop)
    if fewest is None or frames < fewest:
        raise DtkdError(
            f"train.precision: {settings.precision} on a CPU: torch gets gradients wrong where a convolution is longer "
            f"than its frames, as with clip.frames: {frames}; use auto, fp32"
            f"{f', or at least {fewest} frames' if fewest else ''}"
        )


def accelerate(networks: list[nn.Module], normalise: Normalise, settings: Train, device: torch.device) -> None:
    """Lay out and compile ``networks`` as the settings ask; their results change by rounding, their states' names not.

    Raises:
        DtkdError: torch.compile does not work here.
    """
    if settings.channels_last:
        normalise.memory_format = torch.channels_last_3d
        for parameter in (each for network in networks for each in network.parameters()):
            if layout := CHANNELS_LAST.get(parameter.dim()):  # `contiguous` would leave a kernel of one value as it is
                parameter.data = parameter.data.to(memory_format=layout)
    if settings.compile:
        try:
            torch.compile(torch.sin)(torch.ones(8, device=device))
        except Exception as error:  # whatever a compiler may say
            said = str(error).strip().splitlines() or [type(error).__name__]
            raise DtkdError(
                f"train.compile: torch.compile does not work here ({said[0]}): install a C++ compiler and Python's "
                "headers (python3-dev), or set compile: false"
            ) from error
        # teachers share their code, and so its limit: graphs with gradients and without, in train and in eval mode, of
        # one clip and of any number
        torch._dynamo.config.recompile_limit = 16
        for network in networks:
            network.compile()
