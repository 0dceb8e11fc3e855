"""Training: what each option of `train` makes of a step's time and gradient; and many jobs at once on few cores.

    python benchmarks/training.py [--backbone slowfast_small] [--frames 8] [--crop 48] [--batch 8] [--turns 5]
    python benchmarks/training.py --jobs 8

Clips are random numbers: no decoding is measured. In the first form the options take turns, so that what else the
machine does meets all of them alike: ratios are of the same turn, and the medians over the turns are told. The second
form starts so many trainings, each with one thread as the rules have it, all at once and then one after the other.
"""

import argparse
import os
import statistics
import time
from multiprocessing import get_context

import torch

import report
from dtkd import backbones, engine
from dtkd.learners import Classifier
from dtkd.parts import gradient
from dtkd.processes import Group
from dtkd.study import Train

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
    """A network that is trained on one batch again and again, as `engine.train` does."""

    def __init__(self, given: argparse.Namespace, machine: engine.Hardware, **options):
        self.settings = Train(epochs=1, batch_size=given.batch, lr=1e-4, optimiser="adamw", **options)
        self.device, self.items = machine.device, [(0, v) for v in range(given.batch)]
        torch.manual_seed(0)
        self.learner = Classifier(backbones.build(given.backbone, CLASSES, dropout=0.0)).to(self.device).train()
        self.normalise = engine.Normalise([0.45] * 3, [0.22] * 3).to(self.device)
        clips = torch.randint(256, (given.batch, 3, given.frames, given.crop, given.crop), dtype=torch.uint8)
        self.clips, self.labels = clips.to(self.device), torch.randint(CLASSES, (given.batch,)).to(self.device)
        self.cast, scaled = engine.autocast(self.settings.precision, self.device)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=scaled)
        self.optimiser = engine.OPTIMISERS["adamw"](self.learner.parameters(), self.settings)
        engine.accelerate([self.learner.model], self.normalise, self.settings, self.device)

    def gradient(self) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        gradient(self.learner, self.normalise, self.clips, self.labels, self.items, cast=self.cast, scaler=self.scaler,
                 most=self.settings.micro_batch or len(self.items), group=Group())  # fmt: skip

    def gradients(self) -> torch.Tensor:
        """Those of the first step, as one vector."""
        self.gradient()
        self.scaler.unscale_(self.optimiser)
        found = torch.cat([p.grad.flatten() for p in self.learner.parameters()]).cpu()
        self.scaler.update()
        return found

    def seconds(self, steps: int) -> float:
        """A step's, of so many."""
        started = time.perf_counter()
        for _ in range(steps):
            self.gradient()
            self.scaler.step(self.optimiser)
            self.scaler.update()
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return (time.perf_counter() - started) / steps


def options(given: argparse.Namespace) -> None:
    machine = engine.hardware("auto", given.threads)
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
        "or no number, below 12 frames, where `engine.train` refuses it.",
    )  # fmt: skip


def job(given: argparse.Namespace, ready, go, seconds) -> None:
    """One training, with one thread as the rules have it on a CPU."""
    training = Training(given, engine.hardware("cpu", 1))
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
    for name, value in {"frames": 8, "crop": 48, "batch": 8, "steps": 5, "turns": 5, "threads": 1, "jobs": 0}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    given = parser.parse_args()
    jobs(given) if given.jobs else options(given)
