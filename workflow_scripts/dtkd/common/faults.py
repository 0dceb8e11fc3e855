"""Faults of the machine, told so that the user can do something: a disk, memory or a process that is gone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dtkd.common.errors import DtkdError
from dtkd.common.files import unwritable

# torch, cuDNN, cuBLAS, numpy and OpenCV each say it in their own words.
NO_MEMORY = re.compile(r"out of memory|(can't|cannot|unable to|failed to) allocate|_STATUS_ALLOC_FAILED", re.IGNORECASE)
AMOUNT = re.compile(r"allocate (\d[\d.]* ?\w+)")
WORKER = re.compile(r"DataLoader worker \(pid(?:\(s\))? ([\d, ]+)\)")


def explained(error: BaseException, settings: Mapping[str, Any] | None = None) -> DtkdError | None:
    """The one line for ``error`` if it is a fault of the machine's, or None.

    ``settings`` are the job's; those of a training name the batch that was too large. Nothing of torch is imported:
    its errors are known by their names and words.
    """
    text = str(error)
    batch = _batch(settings or {})
    if worker := WORKER.search(text):
        return DtkdError(
            f"loader process {worker[1]} was killed, most likely for lack of memory{batch}: give the job fewer threads "
            "(each is a loader process), lower train.batch_size, or give it more memory; in a container, more shared "
            "memory (--shm-size=8g). The next run goes on after the last finished epoch"
        )
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or NO_MEMORY.search(text):
        amount = AMOUNT.search(text)
        remedy = (
            "set train.micro_batch to a part of the batch, or lower train.batch_size, clip.frames or augment.crop"
            if batch
            else "run fewer jobs at a time (--cores), or free memory"
        )
        return DtkdError(
            f"not enough memory{' on the GPU' if re.search('CUDA|CUDNN|CUBLAS', text) else ''}"
            f"{f' for {amount[1]} more' if amount else ''}{batch}: {remedy}"
        )
    return unwritable(error)


def _batch(settings: Mapping[str, Any]) -> str:
    """What a training, or an evaluation, holds in memory; empty for other jobs."""
    if not {"train", "clip", "augment"} <= set(settings):
        return ""
    train, clip = settings["train"], settings["clip"]
    crop = clip.get("crop", settings["augment"]["crop"])
    return (
        f" (train.batch_size: {train['batch_size']}, clip.frames: {clip['frames']}, augment.crop: {crop}, "
        f"train.precision: {train['precision']})"
    )
