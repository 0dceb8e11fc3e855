"""Training at the real size on a GPU: clips a second, memory, and the share of the card's peak that is used.

    python benchmarks/gpu.py --tflops 989 [--networks slowfast_r101_16x8 swin3d_t x3d_s] [--batch 4] [--steps 10]

Each network takes its published frames and crop; clips are random numbers that lie on the card, so that no decoding is
measured. `--tflops` is the card's dense peak in bf16 as its maker has it (71 for an RTX 3090, 312 for an A100, 989 for
an H100). The share of it, by the multiply-adds that `make plan` counts, is what its `--utilisation` takes.
"""

import argparse
import statistics

import torch
from training import CLASSES, Training

import report
from dtkd.models.entries import NETWORKS
from dtkd.operations import plan
from dtkd.training.hardware import choose_hardware

OPTIONS = {
    "bf16": {"precision": "bf16"},
    "bf16, channels_last": {"precision": "bf16", "channels_last": True},
    "bf16, compile": {"precision": "bf16", "compile": True},
    "bf16, channels_last, compile": {"precision": "bf16", "channels_last": True, "compile": True},
    "fp16": {"precision": "fp16"},
    "fp32": {"precision": "fp32"},
}


def case(name: str, options: dict, given: argparse.Namespace) -> dict[str, str]:
    """A row: a network with its options."""
    machine, recipe = choose_hardware(given.device, 1), NETWORKS[name].input
    frames, crop = given.frames or recipe.frames, given.crop or recipe.crop
    size = argparse.Namespace(backbone=name, batch=given.batch, frames=frames, crop=crop)
    if machine.device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    training = Training(size, machine, **options)
    training.seconds(3)  # memory, the choice of algorithms, compilation
    seconds = statistics.median(training.seconds(given.steps) for _ in range(given.turns))
    rate = given.batch / seconds
    flops = rate * 3 * 2 * plan.multiply_adds(name, CLASSES, frames, crop)  # as `make plan` counts a training step
    peak = torch.cuda.max_memory_allocated() / 2**30 if machine.device.type == "cuda" else None
    return {
        "network": f"{name}, {frames} × {crop}²", "rate": f"{rate:.2f}", "GiB": peak and f"{peak:.1f}",
        "TFLOP/s": f"{flops / 1e12:.2f}", "share of the peak": f"{flops / 1e12 / given.tflops:.1%}",
        "rate ÷ plan's": f"{flops / 1e12 / given.tflops / given.assumed:.2f}",
    }  # fmt: skip


def main(given: argparse.Namespace) -> None:
    rows = []
    for name in given.networks:
        for said, options in OPTIONS.items():
            if given.device == "cpu" and said != "fp32":
                continue
            try:
                found = case(name, options, given)
            except torch.OutOfMemoryError:
                found = {"network": name, "rate": "out of memory"}
            rows.append({"train": said, **found})
            print(rows[-1], flush=True)
    where = torch.cuda.get_device_name() if given.device != "cpu" else "the CPU"
    report.write(
        "gpu", [{"network": row.pop("network"), **row} for row in rows],
        f"Training steps on {where}, batches of {given.batch} clips; rate: clips a second, median of {given.turns} "
        f"turns of {given.steps} steps; the peak: {given.tflops:g} TFLOP/s. The plan's: {given.assumed:.0%} of it.",
    )  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", default=["slowfast_r101_16x8", "swin3d_t", "x3d_s"])
    parser.add_argument("--tflops", type=float, required=True)
    parser.add_argument("--assumed", type=float, default=0.15, help="the plan's utilisation (default: %(default)s)")
    for name, value in {"batch": 4, "steps": 10, "turns": 3, "frames": None, "crop": None}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    main(parser.parse_args())
