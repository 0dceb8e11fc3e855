"""One training run from its input files to its outputs: what each of its processes does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
from torch import nn

from dtkd.common import provenance
from dtkd.common.files import atomic, read_parquet, write_json
from dtkd.config import Evaluation, Train
from dtkd.data import validation
from dtkd.data.datasets import Videos, class_names
from dtkd.models import backbones
from dtkd.models.weights import save_tensors
from dtkd.training import checkpoints, evaluation, finished, halving, loop, networks
from dtkd.training.classifier import Classifier
from dtkd.training.frozen_features import FrozenFeatures
from dtkd.training.hardware import Hardware, choose_hardware
from dtkd.training.labels import labels_of
from dtkd.training.normalise import of_statistics
from dtkd.training.objectives import CrossEntropy, Distillation
from dtkd.training.parallel import ALONE, Group
from dtkd.training.targets import Targets
from dtkd.training.views import views_to_test

if TYPE_CHECKING:
    from snakemake.script import Snakemake


@dataclass(frozen=True)
class Plan:
    """What a run is told, as plain values."""

    settings: dict[str, Any]  # Study.settings: what determines the result
    computing: dict[str, Any]  # Train.computing: what does not
    root: str  # folder of the videos
    column: str  # of the index: which list's sides
    device: str
    threads: int  # of all processes on one node
    cache_mb: int  # of all processes on one node
    sha256: str | None  # what the weights to start from must hash to
    inputs: dict[str, str]  # paths by the rule's names
    outputs: dict[str, str]
    state: str | None = None  # the file to go on from, where it is not in the outputs' folder
    until: int | None = None  # a candidate of a search: the epoch after which it is compared, and left as it is
    search: dict[str, Any] | None = None  # that chose the settings: its ``winner``, ``settings`` and ``ranking``

    @classmethod
    def of(cls, job: Snakemake, **own: Any) -> Plan:
        """What a workflow's job says of the machine and the data, beside what is the training's ``own``."""
        params = job.params
        return cls(
            computing=params.computing, root=params.root, column=f"list{job.wildcards.list}", device=params.device,
            threads=job.threads, cache_mb=params.cache_mb, sha256=params.sha256, **own,
        )  # fmt: skip

    @property
    def folder(self) -> Path:
        """What the training is called by."""
        return Path(self.outputs["checkpoint"] if self.outputs else str(self.state)).parent

    @property
    def resume(self) -> Path:
        """Where its state is."""
        return Path(self.state) if self.state else self.folder / "resume.pt"

    def machine(self) -> Hardware:
        """What one process has of its node."""
        devices = self.computing["devices"]
        return choose_hardware(self.device, self.threads // devices, self.cache_mb // devices, devices)


@dataclass(frozen=True)
class Data:
    """The list that a run is of, and what it sees of that."""

    settings: dict[str, Any]  # the run's, with what networks have to know of the data
    index: pd.DataFrame
    root: str
    column: str
    classes: list[str]  # in the order of their labels
    split: dict[str, Any] | None
    own: list[str] | None  # a teacher's classes; None: all

    @classmethod
    def of(cls, plan: Plan) -> Data:
        given = plan.inputs
        index = validation.apart(read_parquet(given["index"]), plan.column, given.get("validation"))
        settings, classes = networks.of_data(plan.settings, index), class_names(index)
        split = networks.read_json(given["split"]) if "split" in given else None
        own = networks.own_classes(settings, classes, split)
        return cls(settings, index, plan.root, plan.column, classes, split, own)

    def videos(self, side: str) -> Videos:
        """Those of its classes that are on a side of the list."""
        return Videos.of(self.index, self.root, self.column, side, self.own)

    def all_tested(self) -> Videos:
        return Videos.of(self.index, self.root, self.column, "test")

    def classifier(
        self, features: FrozenFeatures | None, start: str | None = None, sha256: str | None = None
    ) -> Classifier:
        """A new network on the weights ``start``; with ``features`` in place of clips, its head alone computes."""
        model = networks.new_model(self.settings, len(self.classes), start, sha256)
        allowed = networks.allowed(self.settings, self.classes, self.split)
        return Classifier(backbones.on_features(model) if features else model, allowed)


def run(plan: Plan, machine: Hardware, group: Group = ALONE) -> None:
    """Train, as one process of ``group``; the first one writes the outputs, the checkpoint last."""
    given, data = plan.inputs, Data.of(plan)
    videos = data.videos("train")
    settings, classes, own = data.settings, data.classes, data.own
    options = networks.training_options(settings, plan.computing)
    pixels = networks.pixels(settings, given["pixels"])
    normalise = of_statistics(pixels)
    features = FrozenFeatures.load(given["features"]) if "features" in given else None
    record = provenance.record(plan.settings, given, str(machine.device))
    record["computing"] = plan.computing
    record["network"] = networks.size(settings, len(classes), machine.device)
    history = None
    if "finished" in given:
        checkpoint = finished.checkpoint(given["finished"], settings, classes, pixels)
        if not group.first:
            return
    else:
        train = partial(
            loop.train, data.classifier(features, given.get("start"), plan.sha256),
            objective_of(plan, data, videos, options["settings"]), normalise, videos, data.videos("test"),
            data.videos(validation.SIDE) if "validation" in given else None, **options, hardware=machine,
            resume=plan.resume, fingerprint={"settings": plan.settings, "inputs": record["inputs"]},
            label=str(plan.folder), group=group, features=features,
        )  # fmt: skip
        result = train() if plan.until is None else try_candidate(train, plan.until)
        if result is None:
            return
        checkpoint, history, predictions = result
    if own is not None:  # a teacher predicts all videos: Table 6 compares it with students on every one
        every = data.all_tested()
        views = (features.views(every) if features else
                 views_to_test(every, options["clip"], options["augment"], Evaluation(), normalise))  # fmt: skip
        predictions = evaluation.evaluate(
            data.classifier(features), checkpoint, nn.Identity() if features else normalise, every,
            views, settings=options["settings"], hardware=machine,
            label=f"{plan.folder} (test)",
        )  # fmt: skip
    if history is None:
        history = finished.history(predictions, [classes.index(name) for name in own])
    # all that it takes to ask the network about any other video (`predict`)
    answered = own if networks.masked(settings) else None
    about = {"classes": classes, "own": answered, "pixels": pixels, "settings": settings}
    if plan.search:
        record |= {"settings": plan.search["settings"], "winner": plan.search["winner"]}
        record["inputs"] |= {"ranking": provenance.hashed(plan.search["ranking"])}
    write(plan.outputs, history, predictions, record, checkpoint | about)
    if plan.state is None:
        plan.resume.unlink(missing_ok=True)


def objective_of(plan: Plan, data: Data, videos: Videos, settings: Train) -> CrossEntropy | Distillation:
    """What a run minimises; a student, by what its teachers have said to its clips, of the training ``videos``."""
    clips = settings.epochs * settings.clips_per_video
    said = [Targets.load(path, videos, clips) for name, path in plan.inputs.items() if name.startswith("targets")]
    how = labels_of(settings, videos.labels, len(data.classes))
    targets = Targets.joined(said) if said else None
    return networks.objective(data.settings, data.classes, data.split, targets, how)


def try_candidate(train: partial[Any], until: int) -> None:
    """Train a candidate ``until`` an epoch, and write down what is found of it; one that diverges ends no search."""
    diverged = None
    try:
        train(until=until)
    except loop.Diverged as error:
        diverged = str(error)
    given = train.keywords
    if given["group"].first:
        saved = checkpoints.load(given["resume"], given["fingerprint"]) or {"history": [], "over": False}
        halving.keep(given["resume"], given["fingerprint"], saved["history"], saved["over"], diverged)


def write(
    output: dict[str, str], history: pd.DataFrame, predictions: pd.DataFrame, record: dict[str, Any],
    checkpoint: dict[str, Any],
) -> None:  # fmt: skip
    """Write what a run leaves, the checkpoint last."""
    with atomic(output["history"]) as path:
        history.to_parquet(path, index=False)
    with atomic(output["predictions"]) as path:
        predictions.to_parquet(path, index=False)
    write_json(output["record"], record)
    save_tensors(output["checkpoint"], checkpoint)
