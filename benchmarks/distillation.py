"""What distillation costs beside plain training: a step of each kind, and sweeps of students.

Steps of the demo's network on clips in memory (decoding is the same for all), interleaved, in processor time of one
thread. The usual loop, which runs two live teachers at every step, is the peer.

    python benchmarks/distillation.py
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import torch
import yaml
from torch import nn

from dtkd.config import Run, Study, Train, read
from dtkd.data import synthetic
from dtkd.data.datasets import Videos
from dtkd.distillation import methods
from dtkd.models import backbones
from dtkd.training import loop
from dtkd.training.classifier import Classifier
from dtkd.training.normalise import Normalise
from dtkd.training.objectives import CrossEntropy, Distillation
from dtkd.training.optimisation import Optimiser
from dtkd.training.parallel import ALONE
from dtkd.training.targets import Learner, Targets
from report import write

ROOT = Path(__file__).parents[1]
DATASET = "demo_ucf"
PLAIN, TAUGHT, LIVE, FROZEN, CONTINUED = (
    "plain training, no teacher",
    "a student, by its teachers' targets (FT true or false)",
    "a student with two live teachers at every step (peer)",
    "two frozen teachers, once for all their students",
    "two teachers that go on learning, once for all their students",
)
UCF101 = {"videos": 9537, "epochs": 10, "classes": 101}  # list 1 and studies/paper.yaml
CPU = torch.device("cpu")


def network(classes: int, seed: int) -> nn.Module:
    """Random weights; batch norms that let every layer matter and logits of some size, as in a trained network."""
    torch.manual_seed(seed)
    model = backbones.build("slowfast_small", classes, 0.2)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm3d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
    nn.init.normal_(backbones.projection(model).weight, std=0.5)
    return model


class Live(Distillation):
    """The usual loop's: frozen teachers answer each batch when it comes."""

    def __init__(self, method: methods.Method, groups: torch.Tensor, frames: torch.Tensor, normalise: nn.Module):
        self.method, self.groups, self.frames, self.normalise = method, groups, frames, normalise
        self.teachers = {name: network(len(groups), seed).eval() for seed, name in enumerate(("static", "dynamic"), 1)}

    @torch.no_grad()
    def target(self, items, labels):
        frames = self.normalise(self.frames)
        said = {name: model(frames).float() for name, model in self.teachers.items()}
        return self.method.target(said, labels, self.groups)


def steps(settings: Train, frames: torch.Tensor, labels: torch.Tensor, classes: int) -> dict[str, Callable[[], None]]:
    """One step of each kind, on a batch in memory."""
    normalise, N = Normalise([0.5] * 3, [0.25] * 3), len(labels)
    groups, items = (torch.arange(classes) >= classes // 4).long(), [(0, video) for video in range(N)]
    videos = Videos(tuple(map(str, range(N))), (), tuple(labels.tolist()))
    method = methods.build("dtkd", S_alpha=0.3, KD_T=2, KD_alpha=0.4)
    said = torch.randn(2, 1, N, classes, generator=torch.Generator().manual_seed(0))

    def trained(objective: CrossEntropy | Distillation) -> Callable[[], None]:
        classifier = Classifier(network(classes, 0)).train()
        run = loop.Training(classifier, classifier, normalise, objective, videos, None, None, settings,
                            Optimiser(classifier, settings, CPU), CPU, ALONE, 0, "")  # fmt: skip
        return lambda: loop.train_step(run, frames, items)

    frozen = [network(classes, seed).eval() for seed in (1, 2)]
    learners = [Learner(Classifier(network(classes, seed)), normalise, settings, CPU) for seed in (1, 2)]

    @torch.inference_mode()
    def asked() -> None:
        clips = normalise(frames)
        torch.stack([model(clips).float() for model in frozen])

    def learning() -> None:
        for number, learner in enumerate(learners):
            learner.step(frames, labels, groups[labels] == number)

    return {
        PLAIN: trained(CrossEntropy()),
        TAUGHT: trained(Distillation(method, Targets(("static", "dynamic"), said), groups)),
        LIVE: trained(Live(method, groups, frames, normalise)),
        FROZEN: asked,
        CONTINUED: learning,
    }


def by_method(
    settings: Train, frames: torch.Tensor, labels: torch.Tensor, classes: int
) -> dict[str, Callable[[], None]]:
    """A plain step, and one of a student by each method at its usual settings, whose teachers have spoken."""
    normalise, N = Normalise([0.5] * 3, [0.25] * 3), len(labels)
    groups, items = (torch.arange(classes) >= classes // 4).long(), [(0, video) for video in range(N)]
    videos = Videos(tuple(map(str, range(N))), (), tuple(labels.tolist()))
    generator = torch.Generator().manual_seed(0)

    def step(objective: CrossEntropy | Distillation) -> Callable[[], None]:
        classifier = Classifier(network(classes, 0)).train()
        objective.watch(classifier.model, 0, CPU)
        optimiser = Optimiser(classifier, settings, CPU, objective.regressors)
        run = loop.Training(classifier, classifier, normalise, objective, videos, None, None, settings, optimiser, CPU,
                            ALONE, 0, "")  # fmt: skip
        return lambda: loop.train_step(run, frames, items)

    found = {PLAIN: step(CrossEntropy())}
    for name in methods.names():
        kind = methods.METHODS[name]
        needed = {key: 0.5 for key, field in kind.model_fields.items() if field.is_required()}
        teachers = {"specialists": ("static", "dynamic"), "generalist": ("teacher",),
                    "both": ("static", "dynamic", "generalist")}[kind.teachers]  # fmt: skip
        said = torch.randn(len(teachers), 1, N, classes, generator=generator)
        width = backbones.projection(network(classes, 0)).in_features
        shown = (torch.rand(1, N, width, generator=generator).half(),) if kind.needs_features else ()
        found[name] = step(Distillation(methods.build(name, **needed), Targets(teachers, said, shown),
                                        None if kind.teachers == "generalist" else groups))  # fmt: skip
    return found


def milliseconds(steps: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """The median processor time of each step; a round takes each in turn, and the first does not count."""
    spent = {name: [] for name in steps}
    for turn in range(rounds + 1):
        for name, step in steps.items():
            started = time.process_time()
            step()
            if turn:
                spent[name].append(1000 * (time.process_time() - started))
    return {name: sorted(values)[len(values) // 2] for name, values in spent.items()}


def sweep(what: str, study: Study, runs: Sequence[Run], times: dict[str, float]) -> dict[str, object]:
    """Students with all that their teachers cost, against as many plain trainings."""
    files = {teachers.file: teachers.frozen for run in runs for teachers in study.teacher_sets(run)}
    spent = len(runs) * times[TAUGHT] + sum(times[FROZEN if frozen else CONTINUED] for frozen in files.values())
    return {"students": what, "trainings": len(runs), "sets of targets": len(files),
            "÷ as many plain": f"{spent / (len(runs) * times[PLAIN]):.2f}",
            "with live teachers (peer)": f"{times[LIVE] / times[PLAIN]:.2f}"}  # fmt: skip


def megabytes(videos: int, epochs: int, classes: int) -> float:
    """Of one file of targets: two teachers, every clip of every training video, float32."""
    return 2 * epochs * videos * classes * 4 / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=20, help="steps of each kind")
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    study = read(yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8")))
    classes, crop, size = len(synthetic.class_names(DATASET)), study.augment.crop, study.train.batch_size

    random = torch.Generator().manual_seed(0)
    shape = (size, 3, study.clip.frames, crop, crop)
    frames = torch.randint(0, 256, shape, dtype=torch.uint8, generator=random)
    labels = torch.randint(0, classes, (size,), generator=random)
    times = milliseconds(steps(study.train, frames, labels, classes), rounds)
    write("distillation", [
        {"step": name, "ms": f"{spent:.1f}", "÷ plain": f"{spent / times[PLAIN]:.2f}"} for name, spent in times.items()
    ], f"Processor time of a step: the demo's network, {size} clips of {study.clip.frames} × {crop} × {crop} in "
       f"memory, median of {rounds}.")  # fmt: skip

    each = milliseconds(by_method(study.train, frames, labels, classes), rounds)
    write("distillation_methods", [
        {"student by": name, "ms": f"{spent:.1f}", "÷ plain": f"{spent / each[PLAIN]:.2f}"}
        for name, spent in each.items()
    ], f"Processor time of a student's step by each method, as above, median of {rounds}.")  # fmt: skip

    runs = [study.student_run(DATASET, row, 0) for row in study.students_of(DATASET).values()]
    frozen = [run for run in runs if all(teachers.frozen for teachers in study.teacher_sets(run))]
    learning = [run for run in runs if run not in frozen]
    by_file = {teachers.file: run for run in frozen for teachers in study.teacher_sets(run)}
    write("distillation_sweeps", [
        sweep("Table 5, all students", study, runs, times),
        sweep("Table 5, frozen teachers", study, frozen, times),
        sweep("Table 5, teachers that go on learning", study, learning, times),
        sweep("six of each of two frozen pairs", study, [run for run in by_file.values() for _ in range(6)], times),
    ], f"Sweeps of students ({DATASET}), decoding left out: their steps, and what their teachers say once for all, "
       "against as many plain trainings. Trainings of the teachers themselves are not in it.")  # fmt: skip

    trained = sum(line.endswith(tuple("0123456789")) for line in
                  synthetic.list_files(study.datasets[DATASET].render)["trainlist01.txt"].splitlines())  # fmt: skip
    write("distillation_targets", [
        {"data": DATASET, "megabytes": f"{megabytes(trained, study.train.epochs, classes):.2f}"},
        {"data": "UCF101, 10 epochs", "megabytes": f"{megabytes(**UCF101):.1f}"},
    ], "One file of targets (2 teachers × epochs × videos × classes × 4 bytes).")  # fmt: skip


if __name__ == "__main__":
    main()
