"""Training: what options of `train` make of a step's time and gradient; several processes; many jobs on few cores.

    python benchmarks/training.py [--backbone slowfast_small] [--frames 8] [--crop 48] [--batch 8] [--turns 5]
    python benchmarks/training.py --devices 2
    python benchmarks/training.py --jobs 8

Clips are random numbers: no decoding is measured. In the first form the options take turns, so that what else the
machine does meets all of them alike: ratios are of the same turn, and the medians over the turns are told. The second
form trains on so many devices (GPUs, or CPU cores) as `train: {devices: N}` does, and on one. The third starts so many
trainings, each with one thread as the rules have it, all at once and then one after the other.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path
from unittest import mock

import torch
from torch import distributed, multiprocessing

import report
from dtkd.config import Train
from dtkd.data.datasets import Videos
from dtkd.models import backbones
from dtkd.training import loop
from dtkd.training.classifier import Classifier
from dtkd.training.hardware import Hardware, accelerate, choose_hardware
from dtkd.training.normalise import Normalise
from dtkd.training.objectives import CrossEntropy
from dtkd.training.optimisation import Optimiser
from dtkd.training.parallel import ALONE, Group

CORES = len(os.sched_getaffinity(0))
CLASSES = 16
OPTIONS = {
    "fp32": {},
    "bf16": {"precision": "bf16"},
    "fp16": {"precision": "fp16"},
    "channels_last": {"channels_last": True},
    "bf16, channels_last": {"precision": "bf16", "channels_last": True},
    "compile": {"compile": True},
    "micro_batch: half": {"micro_batch": 4},
}


class Training:
    """A network that is trained on one batch again and again, as `loop.train` does, by one process of a group."""

    def __init__(self, given: argparse.Namespace, machine: Hardware, group: Group = ALONE, **options):
        settings = Train(epochs=1, batch_size=given.batch, lr=1e-4, optimiser="adamw", **options)
        device, self.items = machine.device, [(0, v) for v in range(given.batch)]
        torch.manual_seed(0)
        classifier = Classifier(backbones.build(given.backbone, CLASSES, dropout=0.0)).to(device).train()
        normalise = Normalise([0.45] * 3, [0.22] * 3).to(device)
        clips = torch.randint(256, (given.batch, 3, given.frames, given.crop, given.crop), dtype=torch.uint8).to(device)
        labels = torch.randint(CLASSES, (given.batch,)).tolist()
        self.clips = clips[[number % given.batch for number in group.share(given.batch)]]
        accelerate([classifier.model], normalise, settings, device)
        videos = Videos(tuple(map(str, range(given.batch))), (), tuple(labels))
        self.run = loop.Training(
            classifier, group.wrap(classifier, device), normalise, CrossEntropy(), videos, None, None, settings,
            Optimiser(classifier, settings, device), device, group, 0, "benchmark",
        )  # fmt: skip

    def gradients(self) -> torch.Tensor:
        """Those of a first step, as one vector."""
        optimiser, found = self.run.optimiser, []
        step = optimiser.optimiser.step

        def noted(*_):
            found.append(torch.cat([p.grad.flatten() for p in self.run.classifier.parameters()]).cpu())

        with mock.patch.object(optimiser.optimiser, "step", noted):
            loop.train_step(self.run, self.clips, self.items)
        assert optimiser.optimiser.step == step
        return found[0]

    def seconds(self, steps: int) -> float:
        """A step's, of so many."""
        started = time.perf_counter()
        for _ in range(steps):
            loop.train_step(self.run, self.clips, self.items)
        if self.run.device.type == "cuda":
            torch.cuda.synchronize()
        return (time.perf_counter() - started) / steps


def options(given: argparse.Namespace) -> None:
    machine = choose_hardware("auto", given.threads)
    chosen = {name: each for name, each in OPTIONS.items() if machine.device.type == "cuda" or name != "fp16"}
    trainings, first, gradients = {}, {}, {}
    for name, each in chosen.items():
        each = each | ({"micro_batch": (given.batch + 1) // 2} if "micro_batch" in each else {})
        started = time.perf_counter()
        trainings[name] = Training(given, machine, **each)
        gradients[name] = trainings[name].gradients()
        first[name] = time.perf_counter() - started
    expected = gradients["fp32"]
    turns = [{name: training.seconds(given.steps) for name, training in trainings.items()} for _ in range(given.turns)]
    rows = [
        {
            "train": name,
            "seconds a step": f"{statistics.median(turn[name] for turn in turns):.3f}",
            "ratio to fp32": f"{statistics.median(turn[name] / turn['fp32'] for turn in turns):.2f}",
            "start, seconds": f"{first[name]:.1f}",
            "gradient's difference": f"{((gradients[name] - expected).norm() / expected.norm()).item():.1e}",
        }
        for name in chosen
    ]
    report.write(
        "training", rows,
        f"Steps of {given.backbone} on a {machine.device.type}, {given.threads} threads, batches of {given.batch} "
        f"clips of {given.frames} frames, {given.crop} px. Medians of {given.turns} turns of {given.steps} steps. "
        "Start: until the first gradient, with compilation. The difference is that of the first gradient, relative to "
        "fp32's: with micro-batches that of batch norms, which see half of the batch; in bf16 on a CPU it is large, "
        "or no number, below 12 frames, where `loop.train` refuses it.",
    )  # fmt: skip


def member(rank: int, given: argparse.Namespace, size: int, folder: str) -> None:
    """One process of a training on ``size`` devices; the first one writes a step's seconds."""
    machine = choose_hardware("auto", 1, devices=given.devices)  # which `devices` has taken for them
    if machine.device.type == "cuda":
        torch.cuda.set_device(rank)
    if size > 1:
        backend = "nccl" if machine.device.type == "cuda" else "gloo"
        distributed.init_process_group(backend, init_method=f"file://{folder}/meeting", rank=rank, world_size=size)
    training = Training(given, machine, Group(rank, size))
    training.seconds(1)
    found = {"seconds": training.seconds(given.steps)}
    if rank == 0:
        Path(folder, "found").write_text(json.dumps(found))
    if size > 1:
        distributed.destroy_process_group()


def divided(given: argparse.Namespace, size: int) -> dict[str, float]:
    """What `member` found on ``size`` devices."""
    with tempfile.TemporaryDirectory() as folder:
        multiprocessing.spawn(member, (given, size, folder), nprocs=size)
        return json.loads(Path(folder, "found").read_text())


def devices(given: argparse.Namespace) -> None:
    kind = choose_hardware("auto", 1, devices=given.devices).device.type
    turns = [(divided(given, 1), divided(given, given.devices)) for _ in range(given.turns)]
    ratio = statistics.median(several["seconds"] / one["seconds"] for one, several in turns)
    rows = [
        {"devices": size, "seconds a step": f"{statistics.median(each['seconds'] for each in found):.3f}",
         "ratio": f"{1 if size == 1 else ratio:.2f}", "best ratio": f"{1 / size:.2f}"}
        for size, found in zip((1, given.devices), zip(*turns, strict=True), strict=True)
    ]  # fmt: skip
    report.write(
        "training_devices", rows,
        f"Steps of {given.backbone} on batches of {given.batch} clips of {given.frames} frames, {given.crop} px, "
        f"shared by processes that have one {kind} {'core' if kind == 'cpu' else 'device'} each. Medians of "
        f"{given.turns} turns of {given.steps} steps.",
    )  # fmt: skip


def job(given: argparse.Namespace, ready, go, seconds) -> None:
    """One training, with one thread as the rules have it on a CPU."""
    training = Training(given, choose_hardware("cpu", 1))
    training.seconds(1)
    ready.put(None)
    go.acquire()
    started = time.perf_counter()
    training.seconds(given.steps)
    seconds.put(time.perf_counter() - started)


def together(given: argparse.Namespace, count: int, at_once: bool) -> float:
    """The seconds of ``count`` jobs' steps, all at once or one after the other; imports are not counted."""
    spawn = get_context("spawn")
    ready, go, seconds = spawn.Queue(), spawn.Semaphore(0), spawn.Queue()
    jobs = [spawn.Process(target=job, args=(given, ready, go, seconds)) for _ in range(count)]
    for each in jobs:
        each.start()
    for _ in jobs:
        ready.get()
    started = time.perf_counter()
    for _ in jobs:
        go.release()
        if not at_once:
            seconds.get()
    if at_once:
        for _ in jobs:
            seconds.get()
    elapsed = time.perf_counter() - started
    for each in jobs:
        each.join()
    return elapsed


def jobs(given: argparse.Namespace) -> None:
    turns = [(together(given, given.jobs, True), together(given, given.jobs, False)) for _ in range(given.turns)]
    at_once, in_turn = (statistics.median(each) for each in zip(*turns, strict=True))
    ratio = statistics.median(one / other for one, other in turns)
    rows = [{
        "jobs": given.jobs, "all at once, seconds": f"{at_once:.1f}", "one after the other, seconds": f"{in_turn:.1f}",
        "ratio": f"{ratio:.2f}", "best ratio": f"{1 / min(CORES, given.jobs):.2f}",
    }]  # fmt: skip
    report.write(
        "training_jobs", rows,
        f"{given.jobs} trainings of {given.backbone}, {given.steps} steps each, one thread each. The best ratio is "
        "that of cores that share the work without loss.",
    )  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", default="slowfast_small")
    for name, value in {
        "frames": 8,
        "crop": 48,
        "batch": 8,
        "steps": 5,
        "turns": 5,
        "threads": 1,
        "jobs": 0,
        "devices": 0,
    }.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args()
    (jobs if given.jobs else devices if given.devices else options)(given)
