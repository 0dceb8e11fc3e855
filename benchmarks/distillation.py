"""What distillation costs beside plain training: a step of each kind, and Table 5 as a whole.

Steps of the demo's network on clips in memory (decoding is the same for all), interleaved, in processor time of one
thread. The usual loop, which runs two live teachers at every step, is the peer.

    python benchmarks/distillation.py
"""

import argparse
import copy
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import torch
import yaml
from torch import nn

from dtkd.config import Run, Student, Study, read
from dtkd.data import synthetic
from dtkd.data.datasets import Videos
from dtkd.distillation.classifier import Classifier
from dtkd.distillation.dual_teacher import Distilled, teacher_rows_needed
from dtkd.models import backbones
from dtkd.operations import plan
from dtkd.training import loop, sampling
from report import write

ROOT = Path(__file__).parents[1]
DATASET = "demo_ucf"
PLAIN, CACHED, LIVE, UNFROZEN, PARTITION, PASS = (
    "plain student, no teacher",
    "teachers' logits cached (FT: true)",
    "two live teachers at every step (peer)",
    "unfrozen teachers (FT: false)",
    "unfrozen teachers, partition",
    "teachers' logits once for all (two forward passes)",
)
UCF101 = {"videos": 9537, "epochs": 10, "classes": 101}  # list 1 and studies/paper.yaml


def network(classes: int, seed: int) -> nn.Module:
    """Random weights; batch norms that let every layer matter and logits of some size, as in a trained network."""
    torch.manual_seed(seed)
    model = backbones.build("slowfast_small", classes, 0.2)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm3d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
    nn.init.normal_(backbones.projection(model).weight, std=0.5)
    return model


def learners(classes: int, cached: torch.Tensor) -> dict[str, nn.Module]:
    static = torch.arange(classes) < classes // 4
    given = {"S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4}
    pair = [network(classes, 1), network(classes, 2)]

    def distilled(*teachers: nn.Module | None, cached: torch.Tensor | None = None, **changes) -> Distilled:
        return Distilled(network(classes, 0), *teachers, static, Student(**given, **changes), cached)

    return {
        PLAIN: Classifier(network(classes, 0)),
        CACHED: distilled(None, None, cached=cached),
        LIVE: distilled(*copy.deepcopy(pair)),
        UNFROZEN: distilled(*copy.deepcopy(pair), FT=False),
        PARTITION: distilled(*copy.deepcopy(pair), FT=False, weighting="partition"),
    }


def stepper(learner: nn.Module, normalise: nn.Module, batch: torch.Tensor, labels: torch.Tensor) -> Callable[[], None]:
    """One step of `loop.train` on a batch in memory."""
    learner.train()
    optimiser = torch.optim.AdamW([p for p in learner.parameters() if p.requires_grad], 1e-4)
    items = [(0, video) for video in range(len(labels))]

    def step() -> None:
        result = learner(normalise(batch), labels, items)
        optimiser.zero_grad(set_to_none=True)
        result.loss.backward()
        optimiser.step()

    return step


def both_teachers(normalise: nn.Module, batch: torch.Tensor, classes: int) -> Callable[[], None]:
    """What `loop.training_logits` pays for the clips of one step."""
    pair = [network(classes, seed).eval() for seed in (1, 2)]

    @torch.inference_mode()
    def run() -> None:
        frames = normalise(batch)
        torch.stack([model(frames).float() for model in pair])

    return run


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


def kind(student: Student) -> str:
    """The step that a student's training consists of."""
    if student.FT:
        return CACHED
    return UNFROZEN if teacher_rows_needed(student) == "all" else PARTITION


def table5(study: Study, times: dict[str, float]) -> list[dict[str, object]]:
    """All students of a dataset against as many plain trainings: with what is shared, and as the peer does it."""
    runs = [study.student_run(DATASET, row, 0) for row in study.students_of(DATASET).values()]

    def row(what: str, chosen: list[Run], of: Callable[[Student], str], shared: bool) -> dict[str, object]:
        pairs = len({study.logits_file(run) for run in chosen if run.student.FT}) if shared else 0
        spent = sum(times[of(run.student)] for run in chosen) + pairs * times[PASS]
        live = 0 if shared else 2 * sum(run.student.FT for run in chosen)
        counted = sum(map(plan.passes, chosen)) + 2 * pairs + live
        return {"students": what, "trainings": len(chosen), "passes for logits": pairs,
                "÷ as many plain": f"{spent / (len(chosen) * times[PLAIN]):.2f}",
                "by counted passes": f"{counted / (3 * len(chosen)):.2f}"}  # fmt: skip

    frozen = [run for run in runs if run.student.FT]
    return [
        row("Table 5, frozen teachers", frozen, kind, True),
        row("the same with live teachers (peer)", frozen, lambda _: LIVE, False),
        row("Table 5, all students", runs, kind, True),
        row("the same with live teachers (peer)", runs, lambda s: LIVE if s.FT else UNFROZEN, False),
    ]


def disagreement(study: Study, classes: int) -> tuple[float, float]:
    """The largest difference of shared and live logits over a few of the demo's videos, and the largest logit.

    Live teachers see the batches that training draws.
    """
    models, normalise = [network(classes, seed).eval() for seed in (1, 2)], loop.Normalise([0.5] * 3, [0.25] * 3)
    settings = study.train.model_copy(update={"epochs": 2})
    with tempfile.TemporaryDirectory() as folder:
        render = synthetic.Render(DATASET, groups=3, clips_per_group=1, width=76)
        paths = [path for name in synthetic.class_names(DATASET)[:7]
                 for path in synthetic.render_class(render, name, folder)]  # fmt: skip
        videos = Videos(tuple(map(str, paths)), tuple(paths), (0,) * len(paths))
        shared = loop.training_logits(
            models, normalise, videos, clip=study.clip, augment=study.augment, settings=settings, seed=0,
            hardware=loop.hardware("cpu", 1),
        )  # fmt: skip
        data = sampling.TrainingClips(videos, study.clip, study.augment, 0)
        most = 0.0
        with torch.no_grad():
            for epoch in range(settings.epochs):
                for items in sampling.epoch_batches(
                    0, epoch, len(videos), settings.clips_per_video, settings.batch_size
                ):
                    batch = normalise(torch.stack([data[item][0] for item in items]))
                    numbers, places = zip(*items, strict=True)
                    live = torch.stack([model(batch) for model in models])
                    most = max(most, (live - shared[:, list(numbers), list(places)]).abs().max().item())
    return most, shared.abs().max().item()


def megabytes(videos: int, epochs: int, classes: int) -> float:
    """Of one file of logits: two teachers, every clip of every training video, float32."""
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
    batch = torch.randint(0, 256, shape, dtype=torch.uint8, generator=random)
    labels = torch.randint(0, classes, (size,), generator=random)
    normalise = loop.Normalise([0.5] * 3, [0.25] * 3)
    cached = torch.randn(2, 1, size, classes, generator=random)
    steps = {name: stepper(learner, normalise, batch, labels) for name, learner in learners(classes, cached).items()}
    steps[PASS] = both_teachers(normalise, batch, classes)

    times = milliseconds(steps, rounds)
    write("distillation", [
        {"step": name, "ms": f"{spent:.1f}", "÷ plain": f"{spent / times[PLAIN]:.2f}"} for name, spent in times.items()
    ], f"Processor time of a step: the demo's network, {size} clips of {study.clip.frames} × {crop} × {crop} in "
       f"memory, median of {rounds}.")  # fmt: skip
    write("distillation_table5", table5(study, times), f"The students of Table 5 ({DATASET}), decoding left out: "
          "their steps and the shared passes against as many plain trainings; and the same counted in forward passes "
          "(three a training clip, one a clip that a teacher only sees).")  # fmt: skip

    most, largest = disagreement(study, classes)
    trained = sum(line.endswith(tuple("0123456789")) for line in
                  synthetic.list_files(study.datasets[DATASET].render)["trainlist01.txt"].splitlines())  # fmt: skip
    rows = [
        {"data": DATASET, "megabytes": f"{megabytes(trained, study.train.epochs, classes):.2f}"},
        {"data": "UCF101, 10 epochs", "megabytes": f"{megabytes(**UCF101):.1f}"},
    ]
    write("distillation_logits", rows, "One file of shared logits (2 teachers × epochs × videos × classes × 4 bytes). "
          f"Shared and live logits differ by at most {most:.1e}; the largest is {largest:.1f}.")  # fmt: skip


if __name__ == "__main__":
    main()
