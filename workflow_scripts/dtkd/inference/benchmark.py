"""What trained networks take to answer on this machine: python -m dtkd.benchmark .../checkpoint.pt other.onnx ..."""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from dtkd.common import plugins
from dtkd.common.command import command
from dtkd.common.files import atomic, check_writable
from dtkd.common.progress import progress
from dtkd.inference import exported, measuring
from dtkd.inference.trained import THREADS, Trained, of_checkpoint


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m dtkd.benchmark", description=__doc__.partition(":")[0], allow_abbrev=False
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE",
                        help="checkpoint.pt of runs, their folders, exported files")  # fmt: skip
    parser.add_argument("--batch", nargs="+", type=int, default=measuring.BATCHES, metavar="N",
                        help="clips a pass; 1 for the time to an answer (default: 1 8)")  # fmt: skip
    parser.add_argument("--precision", choices=("auto", "fp32", "bf16", "fp16"), default="auto",
                        help="of checkpoints; exported files have their own (default: %(default)s)")  # fmt: skip
    parser.add_argument("--seconds", type=float, default=5.0, help="to measure each for (default: %(default)s)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--plugins", nargs="+", default=[], metavar="FILE", help="as in the config of the training")
    parser.add_argument("--threads", type=int, default=THREADS, help="CPU cores (default: %(default)s)")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the table")
    return parser


def main() -> None:
    parser = _parser()
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
    for file in progress(files, desc="benchmark", unit="network"):
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:  # whose memory is the network's
            rows += alone.submit(_measured, file, given).result()
    table = pd.DataFrame(rows)
    where = measuring.machine(given.device, given.threads)
    print(f"On {where}. p50, p95: milliseconds a pass; throughput: clips a second; weights, memory: MiB.\n")
    print(table.to_markdown(index=False, floatfmt=".4g", intfmt=","))
    if given.csv:
        with atomic(given.csv) as path:
            table.assign(machine=where).to_csv(path, index=False)


def _measured(file: Path, given: argparse.Namespace) -> list[dict[str, Any]]:
    """The rows of one file."""
    for plugin in given.plugins:
        plugins.load(plugin)
    rows = measuring.measured(partial(_read, file), given.batch, device=given.device, threads=given.threads,
                              precision=given.precision, seconds=given.seconds)  # fmt: skip
    size = {"weights": file.stat().st_size / measuring.MIB} if file.suffix in exported.FORMATS else {}
    return [{"file": str(file), **row, **size} for row in rows]


def _read(file: Path, device: torch.device) -> Trained:
    return exported.read(file, device) if file.suffix in exported.FORMATS else of_checkpoint(file)
