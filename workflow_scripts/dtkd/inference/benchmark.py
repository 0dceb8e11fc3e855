"""What trained networks take to answer on this machine: python -m dtkd.benchmark .../checkpoint.pt other.onnx ..."""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from dtkd.common import plugins
from dtkd.common.command import command
from dtkd.common.files import atomic, check_writable
from dtkd.common.progress import progress
from dtkd.inference import exported, predict
from dtkd.inference.trained import Trained, of_checkpoint
from dtkd.training import networks
from dtkd.training.hardware import autocast, choose_hardware

FEWEST = 10
"""Measured passes, however long they take."""
MIB = 2**20


def measured(
    file: Path, batch: int, device: str = "auto", threads: int = predict.THREADS, precision: str = "auto",
    seconds: float = 5.0, plugin_files: Sequence[str] = (),
) -> dict[str, Any]:  # fmt: skip
    """What the network in ``file``, a checkpoint or an exported file, takes to answer ``batch`` clips at a time.

    Clips lie decoded on the device; a pass is normalisation and network. Its memory is that of this process, which
    should have done nothing else before: what the network and its passes added to it (of a GPU, torch's peak).

    Args:
        precision: a checkpoint's, by autocast; an exported file has its own.
        seconds: how long to measure.

    Returns:
        A row: file, backbone, frames, crop (pixels), precision, parameters, gflops (multiply-adds of a clip), weights
        (MiB), batch, p50 and p95 (milliseconds a pass), throughput (clips a second), memory (MiB).
    """
    for plugin in plugin_files:
        plugins.load(plugin)
    hardware = choose_hardware(device, threads)
    _forget_peak(hardware.device)
    before = _peak(hardware.device)
    trained = _read(file, hardware.device)
    cast, _ = autocast(precision, hardware.device)
    classifier, normalise = trained.classifier.to(hardware.device).eval(), trained.normalise.to(hardware.device)
    T, S = trained.clip.frames, trained.augment.crop
    clips = torch.randint(256, (batch, 3, T, S, S), dtype=torch.uint8).to(hardware.device)
    times = passes(nn.Sequential(normalise, classifier), clips, cast, seconds)
    size = trained.about.get("size") or networks.size(trained.about["settings"], len(trained.classes))
    p50, p95 = np.percentile(times, [50, 95]) * 1e3
    return {
        "file": str(file), "backbone": trained.about["settings"]["backbone"], "frames": T, "crop": S,
        "precision": trained.about.get("precision") or _name(precision, cast),
        "parameters": size["parameters"], "gflops": size["multiply_adds"] / 1e9, "weights": _weights(file, trained),
        "batch": batch, "p50": p50, "p95": p95, "throughput": batch * len(times) / sum(times),
        "memory": _peak(hardware.device) - before,
    }  # fmt: skip


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


def _read(file: Path, device: torch.device) -> Trained:
    return exported.read(file, device) if file.suffix in exported.FORMATS else of_checkpoint(file)


def _name(precision: str, cast: Any) -> str:
    """A precision by its own name, where it was left to the device."""
    if precision != "auto":
        return precision
    return {torch.bfloat16: "bf16", torch.float16: "fp16"}.get(getattr(cast, "fast_dtype", None), "fp32")


def _weights(file: Path, trained: Trained) -> float:
    """MiB: of an exported file its size, of a checkpoint that of the network's weights (it holds more)."""
    if file.suffix in exported.FORMATS:
        return file.stat().st_size / MIB
    return sum(value.nbytes for value in trained.classifier.model.state_dict().values()) / MIB


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


def main() -> None:
    parser = argparse.ArgumentParser(
        "python -m dtkd.benchmark", description=__doc__.partition(":")[0], allow_abbrev=False
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE",
                        help="checkpoint.pt of runs, their folders, exported files")  # fmt: skip
    parser.add_argument("--batch", nargs="+", type=int, default=[1, 8], metavar="N",
                        help="clips a pass; 1 for the time to an answer (default: 1 8)")  # fmt: skip
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16", "fp16"), default="auto",
                        help="of checkpoints; exported files have their own (default: %(default)s)")  # fmt: skip
    parser.add_argument("--seconds", type=float, default=5.0, help="to measure each for (default: %(default)s)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--plugins", nargs="+", default=[], metavar="FILE", help="as in the config of the training")
    parser.add_argument("--threads", type=int, default=predict.THREADS, help="CPU cores (default: %(default)s)")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table")
    given = parser.parse_args()
    for name in ("batch", "seconds", "threads"):
        if min(given.batch if name == "batch" else [getattr(given, name)]) <= 0:
            parser.error(f"--{name}: more than 0")
    with command():
        _run(given)


def _run(given: argparse.Namespace) -> None:
    if given.csv:
        check_writable(given.csv.parent)  # before the work, not after
    files = [file / "checkpoint.pt" if file.is_dir() else file for file in given.files]
    rows = []
    cases = [(file, batch) for file in files for batch in given.batch]
    for file, batch in progress(cases, desc="benchmark", unit="case"):
        # a process of its own, whose memory is the network's
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
            rows.append(alone.submit(measured, file, batch, given.device, given.threads, given.precision,
                                     given.seconds, given.plugins).result())  # fmt: skip
    table = pd.DataFrame(rows)
    where = machine(given.device, given.threads)
    print(f"On {where}. p50, p95: milliseconds a pass; throughput: clips a second; weights, memory: MiB.\n")
    print(table.to_markdown(index=False, floatfmt=".4g", intfmt=","))
    if given.csv:
        with atomic(given.csv) as path:
            table.assign(machine=where).to_csv(path, index=False)
