"""How long a network takes to answer on this machine, and in how much memory."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from dtkd.inference.trained import Trained, noise
from dtkd.training import networks
from dtkd.training.hardware import autocast, choose_hardware
from dtkd.training.views import crop_of

BATCHES = (1, 8)
FEWEST = 10
"""Measured passes, however long they take."""
MIB = 2**20


def measured(
    read: Callable[[torch.device], Trained], batches: Sequence[int] = BATCHES, *, device: str, threads: int,
    precision: str = "auto", seconds: float = 5.0,
) -> list[dict[str, Any]]:  # fmt: skip
    """What the network that ``read`` gives takes to answer some clips at a time.

    Clips lie decoded on the device; a pass is normalisation and network. Memory is what network and passes add to this
    process, which should have done nothing else before; of a GPU, torch's peak.

    Args:
        read: from a device to the network; its memory counts.
        batches: how many clips at a time; a row for each.
        precision: a checkpoint's, by autocast; an exported file has its own.
        seconds: how long to measure each.

    Returns:
        Rows: backbone, frames, crop (pixels), precision, parameters, gflops (1e9 multiply-adds of a clip),
        weights (MiB), batch, p50 and p95 (milliseconds a pass), throughput (clips a second), memory (MiB).
    """
    place = choose_hardware(device, threads).device
    _forget_peak(place)
    before = _peak(place)
    trained = read(place)
    cast, _ = autocast(precision, place)
    network = nn.Sequential(trained.normalise, trained.classifier).to(place).eval()
    size = trained.about.get("size") or networks.size(trained.about["settings"], len(trained.classes), place)
    of_all = {
        "backbone": trained.about["settings"]["backbone"],
        "frames": trained.clip.frames, "crop": crop_of(trained.clip, trained.augment),
        "precision": trained.about.get("precision") or _name(precision, cast),
        "parameters": size["parameters"], "gflops": size["multiply_adds"] / 1e9,
        "weights": sum(value.nbytes for value in trained.classifier.state_dict().values()) / MIB,
    }  # fmt: skip
    rows = []
    for batch in batches:
        _forget_peak(place)
        clips = noise(trained, batch).to(place)
        times = passes(network, clips, cast, seconds)
        p50, p95 = np.percentile(times, [50, 95]) * 1e3
        rows.append({
            **of_all, "batch": batch, "p50": p50, "p95": p95, "throughput": batch * len(times) / sum(times),
            "memory": _peak(place) - before,
        })  # fmt: skip
    return rows


@torch.inference_mode()
def passes(network: nn.Module, clips: torch.Tensor, cast: Any, seconds: float) -> list[float]:
    """The seconds of one pass after another, after some that are not measured (memory, choice of algorithms)."""

    def one() -> float:
        started = time.perf_counter()
        with cast:
            network(clips)
        if clips.device.type == "cuda":
            torch.cuda.synchronize(clips.device)
        return time.perf_counter() - started

    warm = one()
    while warm < seconds / 5:
        warm += one()
    times: list[float] = []
    while len(times) < FEWEST or sum(times) < seconds:
        times.append(one())
    return times


def _name(precision: str, cast: Any) -> str:
    """A precision by its own name, where it was left to the device."""
    if precision != "auto":
        return precision
    return {torch.bfloat16: "bf16", torch.float16: "fp16"}.get(getattr(cast, "fast_dtype", None), "fp32")


def _forget_peak(device: torch.device) -> None:
    """Let `_peak` tell of what comes from here on."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    else:
        Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def _peak(device: torch.device) -> float:
    """MiB: the most that this process has had."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / MIB
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return float(status.partition("VmHWM:")[2].split()[0]) / 1024


def machine(device: str, threads: int) -> str:
    chosen = choose_hardware(device, threads)
    if chosen.device.type == "cuda":
        return torch.cuda.get_device_name(chosen.device)
    return f"{_processor()}, {chosen.threads} thread{'s' * (chosen.threads > 1)}"


def _processor() -> str:
    """The processor's name as Linux has it, or its architecture."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
