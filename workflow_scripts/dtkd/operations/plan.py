"""What a study costs, told before anything runs: jobs, FLOPs, hours of GPUs and CPUs, disk, and the time on N GPUs.

Multiply-adds are counted layer by layer from the networks (`backbones.flops`), clips from the lists. What only a
machine can tell is measured in a few seconds where the plan is made: flow and decoding on one video of each dataset's
kind, and on a CPU study the arithmetic itself. The rest is assumed, and `notes` says each assumption.

One training clip costs three forward passes (forward, gradient of the activations, gradient of the weights), one where
the backbone is frozen, and that once for all runs that read its features. Teachers say what they say once for all their
students: one forward pass of each, or four in all where they go on learning, three of a clip's own teacher and one of
each other. A multiply-add is two FLOPs.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import Any

import cv2
import pyarrow.parquet as pq
import torch

from dtkd import models
from dtkd.common.errors import DtkdError
from dtkd.common.files import read_parquet
from dtkd.config import Dataset, FeatureSet, Run, Search, Study, TeacherSet
from dtkd.data import datasets, features, published, synthetic, video
from dtkd.data import groups as groups_of_classes
from dtkd.data.video_info import VideoInfo
from dtkd.models import backbones
from dtkd.motion import flow
from dtkd.training import sampling

ORDER = ("pretrain", "baseline", "teacher", "student")  # each role learns from those before it
STAGES = ("render", "flow", "pretrain", "frozen features", "baselines", "teachers", "teachers' logits", "searches",
          "students", "evaluation")  # fmt: skip
ON_THE_WAY = ("render", "pretrain", "frozen features", "teachers' logits")  # made for other jobs alone
UNSEEN_FEATURES = (16, 256, 1)  # steps, numbers of each
UNSEEN = (180, 320, 240)  # frames, width and height of a video that is not there to be measured
FRAMES = {"ucf101": 186, "hmdb51": 93}  # format -> the mean frames of the official videos
PROBED = 20  # videos whose length and size are read
FLOATS, HALVES = 4, 2  # bytes
PUBLISHED_CLASSES = 400  # Kinetics-400's


@dataclass(frozen=True)
class Size:
    """One dataset in numbers. ``by_class``: class -> its videos, unused ones too. ``train`` and ``test``: list ->
    subset (and "all") -> videos."""

    by_class: Mapping[str, int]
    train: Mapping[int, Mapping[str, float]]
    test: Mapping[int, Mapping[str, float]]
    frames: float
    width: int
    height: int
    sample: Path | None = None  # one of its videos, where there is any
    notes: tuple[str, ...] = ()

    @property
    def classes(self) -> int:
        return len(self.by_class)

    @property
    def of_features(self) -> bool:
        """Whether its files are features, so many steps of ``width`` numbers: no picture is one pixel high."""
        return self.height == 1

    @property
    def videos(self) -> int:
        return sum(self.by_class.values())


@dataclass(frozen=True)
class Task:
    """One job that costs something: ``pool`` ("gpu" or "cpu") is where it computes, ``after`` what it waits for."""

    name: str
    stage: str
    pool: str
    after: tuple[str, ...] = ()
    clips: float = 0.0  # decoded
    flops: float = 0.0
    untimed: float = 0.0  # of the flops, those whose seconds a training's history does not hold
    seconds: float = 0.0  # of a core, beside the clips' decoding
    disk: float = 0.0  # bytes that stay
    passing: float = 0.0  # bytes while it runs
    done: bool = False


@dataclass(frozen=True)
class Machine:
    """Where trainings compute. ``rate`` in FLOP/s is what one device sustains."""

    name: str
    devices: int
    rate: float
    cores: int
    decoders: int  # processes that decode for one training; 0: it decodes for itself

    def seconds(self, task: Task, clip_seconds: float) -> float:
        """How long a task takes: on a GPU what takes longer of computing and decoding, else the one after the other."""
        computing, decoding = task.flops / self.rate, task.clips * clip_seconds
        if not self.decoders:
            return task.seconds + computing + decoding
        return task.seconds + max(computing, decoding / self.decoders)


@dataclass(frozen=True)
class Measured:
    """What one video of a dataset took: seconds of a core, bytes of a flow table of all its pairs."""

    clip_seconds: float
    flow_seconds: float
    flow_bytes: float
    problem: str | None = None  # why flow could not be measured here


@dataclass
class Plan:
    rows: list[dict[str, Any]]  # a row a stage that has jobs left, and the total
    networks: list[dict[str, Any]]  # a row for each network and clip of the trainings that are left
    hours: float  # from start to end
    passing_bytes: float  # what the resume files of trainings that run at once add to the disk
    done: int  # jobs that need not run


# Sizes


def size(study: Study, name: str) -> Size:
    """A dataset's numbers, from its lists (or the renderer's plan); UCF101's and HMDB51's are known without them."""
    dataset, notes = study.datasets[name], []
    lists, paths = _lists(dataset, name, notes)
    groups: dict[str, dict[str, float]] = {}
    for split in study.splits_of(name) if name in study.use else []:  # others are only pretrained on
        shares = _shares_of_groups(study, name, split, next(iter(lists.values())), notes)
        groups |= {_own_videos(group, split): share for group, share in shares.items()}

    def counted(side: int) -> dict[int, dict[str, float]]:
        return {
            number: {"all": sum(sides[side] for sides in classes.values())}
            | {
                group: sum(share * classes[cls][side] for cls, share in shares.items())
                for group, shares in groups.items()
            }
            for number, classes in lists.items()
        }

    (frames, width, height), sample = _looks(dataset, name, paths, notes)
    videos = {cls: len(own) for cls, own in paths.items()} or published.videos(dataset.format)
    return Size(videos, counted(0), counted(1), frames, width, height, sample, tuple(notes))


def _lists(
    dataset: Dataset, name: str, notes: list[str]
) -> tuple[dict[int, dict[str, tuple[int, int]]], dict[str, list[str]]]:
    """(list -> class -> (train, test), class -> videos' paths; no paths where the lists are not there)."""
    if dataset.render:
        with tempfile.TemporaryDirectory() as folder:
            synthetic.write_lists(dataset.render, folder)
            source = datasets.Source(dataset.format, folder, folder)
            return datasets.side_counts(source), synthetic.layout(dataset.render)
    if dataset.format in published.DATASETS and not Path(dataset.annotations).exists():
        notes.append(f"{name}: {dataset.annotations} is not there; the official lists' numbers are used (Table 2)")
        return published.list_counts(dataset.format), {}
    by_class = datasets.videos_by_class(dataset.source())
    if dataset.may_part_scenes:
        datasets.check_scenes(dataset.videos, (path for paths in by_class.values() for path in paths))
    return datasets.side_counts(dataset.source()), by_class


def _own_videos(group: str | None, split: str | None) -> str:
    """What `Size` calls the videos of a run of a group of a split; of all classes without a group."""
    return "/".join(filter(None, (split, group))) if group else "all"


def _shares_of_groups(
    study: Study, name: str, split: str | None, classes: Iterable[str], notes: list[str]
) -> dict[str, dict[str, float]]:
    """Group -> class -> the share of it that counts as its own: 1 where the split is known, else by the quantiles."""
    by = study.split_called(split)
    known, groups = sorted(classes), by.group_names(name)
    file = Path(study.results, study.split_file(name, split))
    if by.source == "published":
        static = set(published.static_classes(name))
        members = dict(zip(groups, (static, set(known) - static), strict=True))
    elif by.source == "listed":
        members = groups_of_classes.listed(name, by.settings(name), known)
    elif (
        file.exists() and groups_of_classes.group_names(made := json.loads(file.read_text(encoding="utf-8"))) == groups
    ):
        members = {group: groups_of_classes.members(made, group) for group in groups}
    else:
        edges = [0.0, *by.quantiles, 1.0]
        shares = {group: after - before for group, (before, after) in zip(groups, pairwise(edges), strict=True)}
        said = [f"{share:.0%} of the videos are taken for {group}" for group, share in list(shares.items())[:-1]]
        which = f"the split {split}" if split else "the split"
        notes.append(f"{name}: {which} is not made yet; {', '.join(said)}")
        return {group: dict.fromkeys(known, share) for group, share in shares.items()}
    return {group: dict.fromkeys((cls for cls in own if cls in known), 1.0) for group, own in members.items()}


def _looks(
    dataset: Dataset, name: str, by_class: Mapping[str, list[str]], notes: list[str]
) -> tuple[tuple[float, int, int], Path | None]:
    """((frames, width, height) of a typical video, one of the videos)."""
    if dataset.render:
        return (dataset.render.frames, dataset.render.width, dataset.render.height), None
    paths = [Path(dataset.videos, path) for own in by_class.values() for path in own]
    paths = [path for path in paths[:: max(1, len(paths) // PROBED)] if path.exists()]
    seen = []
    for path in paths:
        try:
            seen.append((_info(dataset, path), path))
        except DtkdError:
            notes.append(f"{name}: {path} is no video that can be read; it counts as one of the others")
    if not seen:
        frames, width, height = UNSEEN_FEATURES if dataset.source().of_features else UNSEEN
        frames = FRAMES.get(dataset.format, frames)
        notes.append(f"{name}: no video is there to be measured; each counts as {frames} frames of {width}×{height}")
        return (frames, width, height), None
    info, path = seen[len(seen) // 2]
    notes.append(f"{name}: length and size of its videos are those of {len(seen)} of them")
    return (mean(each.frames for each, _ in seen), info.width, info.height), path


def _info(dataset: Dataset, path: Path) -> VideoInfo:
    """Of a video, or of features: as many frames as they have steps, as wide as they have numbers."""
    if not dataset.source().of_features:
        return video.info(path)
    found = features.inspected(path)
    return VideoInfo(found.steps, 0.0, found.dimension, 1)


# Costs of the study's jobs


@cache
def _network(backbone: str, dimension: int | None = None) -> backbones.VideoModel:
    options = {"dimension": dimension} if dimension and models.entry(backbone).input.features else {}
    with torch.device("meta"):  # shapes alone: no memory, no time
        return backbones.build(backbone, PUBLISHED_CLASSES, **options)


@cache
def _multiply_adds(backbone: str, frames: int, crop: int | None, dimension: int | None) -> int:
    return backbones.flops(_network(backbone, dimension), frames, crop)


def multiply_adds(
    backbone: str, classes: int, frames: int, crop: int | None, dimension: int | None = None
) -> int:  # fmt: skip
    """Of one forward pass of one clip; of the network, only the head's last layer differs with the classes.

    Networks that take features, of this ``dimension``, need no ``crop``.
    """
    head = features_of(backbone, dimension)
    return _multiply_adds(backbone, frames, crop, dimension) + (classes - PUBLISHED_CLASSES) * head


def features_of(backbone: str, dimension: int | None = None) -> int:
    """How many pooled features a network's last linear layer takes."""
    return backbones.projection(_network(backbone, dimension)).in_features


def parameters(backbone: str, classes: int, dimension: int | None = None) -> int:
    head = features_of(backbone, dimension) + 1
    return backbones.parameter_counts(_network(backbone, dimension))[0] + (classes - PUBLISHED_CLASSES) * head


def tasks(study: Study, sizes: Mapping[str, Size], measured: Mapping[str, Measured]) -> list[Task]:
    """Every job of the study that takes longer than its own start, each after those that it waits for."""
    found = []
    for name in study.used_datasets():
        found += _video_tasks(study, name, sizes[name], measured[name])
    asked: set[str] = set()
    frozen = study.frozen_features()
    for run in sorted(study.runs().values(), key=lambda run: ORDER.index(run.role)):
        for teachers in study.teacher_sets(run) if run.role == "student" else []:
            if teachers.file not in asked:
                asked.add(teachers.file)
                found.append(_targets_task(study, run, teachers, sizes[run.dataset]))
        if (file := study.features_file(run)) and file not in asked:
            asked.add(file)
            found.append(_features_task(study, frozen[file], sizes[run.dataset]))
        if (search := study.search_of(run)) and run == search.winner:
            found += _search_tasks(study, search, sizes[run.dataset])
        found.append(_training_task(study, run, sizes[run.dataset]))
        if study.evaluation.file != "predictions.parquet" and run.role != "pretrain":  # no table shows those
            found.append(_evaluation_task(study, run, sizes[run.dataset]))
    return found


def _video_tasks(study: Study, name: str, own: Size, measured: Measured) -> list[Task]:
    found, before = [], ()
    if study.datasets[name].render:
        done = Path(study.results, name, "videos.parquet").exists()
        found = [Task(f"{name}: render {cls}", "render", "cpu", done=done) for cls in own.by_class]
        before = tuple(task.name for task in found)
    if name in {_filmed(study, used) for used in study.use} and study.split.measure != "feature_change":
        for cls, videos in own.by_class.items():
            done = Path(study.results, name, "flow", f"{cls}.parquet").exists()
            found.append(Task(f"{name}: flow {cls}", "flow", "cpu", before, seconds=videos * measured.flow_seconds,
                              disk=videos * measured.flow_bytes, done=done))  # fmt: skip
    return found


def _filmed(study: Study, name: str) -> str:
    """The data set whose videos tell of the motion of a data set's classes."""
    return study.datasets[name].features_of or name


def _settings(study: Study, run: Run, own: Size) -> tuple[int, int, int]:
    """(multiply-adds of one clip, clips of one video over the training, epochs)."""
    clip, train = run.clip or study.clip, study.train_of(run)
    crop = None if study.of_features else clip.side(study.augment.crop)
    macs = multiply_adds(run.backbone, own.classes, clip.frames, crop, own.width)
    return macs, train.epochs * train.clips_per_video, train.epochs


def _search_tasks(study: Study, search: Search, own: Size) -> list[Task]:
    """The trainings of a search's candidates to each rung; whoever has a place goes on from the rung before."""
    found: list[Task] = []
    whole = _training_task(study, next(iter(search.candidates.values())), own)
    macs, _, epochs = _settings(study, search.winner, own)
    tested = 2 * own.test[search.winner.list]["all"]  # by whom no table shows: candidates are not tested
    waits = _waits_for(study, search.winner, own, search=False)
    last = search.tried(search.epochs[-1])[0]  # one state stays
    for rung in search.epochs:
        share = (rung - search.before(rung)) / epochs
        tasks = [
            Task(file, "searches", "gpu", waits, clips=share * (whole.clips - tested),
                 flops=share * (whole.flops - 2 * macs * tested), passing=whole.passing,
                 disk=whole.passing if file == last else 0.0,
                 done=Path(study.results, file).exists())
            for file in search.tried(rung)
        ]  # fmt: skip
        found += tasks
        waits = tuple(task.name for task in tasks)
    return found


def _held_out(study: Study, run: Run) -> float:
    """The share of the training videos that a run is tested on after every epoch, in place of the test videos."""
    train = study.train_of(run)
    return train.validation_fraction if train.selection == "validation" else 0.0


def _training_task(study: Study, run: Run, own: Size) -> Task:
    macs, draws, epochs = _settings(study, run, own)
    subset, held = _own_videos(run.subset, run.split), _held_out(study, run)
    train, test = own.train[run.list][subset], own.test[run.list][subset]
    trained, tested = draws * (1 - held) * train, epochs * held * train + 2 * test if held else epochs * test
    read = study.features_file(run) is not None  # nothing passes through its backbone
    if study.finished(run) or read:
        trained = tested = 0
    afterwards = 0.0
    if (search := study.search_of(run)) and run == search.winner:
        trained, tested, afterwards = 0, 0, 2 * test  # its search has trained it, and its history is of that
    if run.role == "teacher" and not read:
        afterwards = 2 * own.test[run.list]["all"]  # it predicts the other subset's videos too, at both epochs
    weights = parameters(run.backbone, own.classes, own.width) * FLOATS
    moments = {"sgd": 1, "adamw": 2}[study.train_of(run).optimiser]
    return Task(
        run.folder, {"pretrain": "pretrain"}.get(run.role, f"{run.role}s"), "gpu", _waits_for(study, run, own),
        clips=trained + tested + afterwards, flops=2 * macs * (passes(run) * trained + tested + afterwards),
        untimed=2 * macs * afterwards,
        disk=2 * weights + 2 * own.test[run.list]["all"] * own.classes * FLOATS,
        passing=weights * (2 + (not run.frozen) * moments),
        done=Path(study.results, run.folder, "checkpoint.pt").exists(),
    )  # fmt: skip


def passes(run: Run) -> int:
    """What a clip costs a training, in forward passes; gradients cost two more."""
    return 1 if run.frozen else 3


def _waits_for(study: Study, run: Run, own: Size, search: bool = True) -> tuple[str, ...]:
    """What a training waits for; ``search``: also for the one that finds its settings."""
    rendered = bool(study.datasets[run.dataset].render)
    before = [f"{run.dataset}: render {cls}" for cls in own.by_class] if rendered else []
    if study.weights_of(run) == "pretrain":
        before.append(study.pretrain_run(run.backbone).folder)
    if file := study.features_file(run):
        before.append(file)
    if (run.role == "teacher" or run.has_specialists) and study.split_called(run.split).source == "flow":
        by_change = study.split_called(run.split).measure == "feature_change"
        before += [f"{_filmed(study, run.dataset)}: flow {cls}" for cls in own.by_class] if not by_change else []
    if run.role == "student":
        before += [teachers.file for teachers in study.teacher_sets(run)]
    if search and (own_search := study.search_of(run)):
        before += own_search.tried(own_search.epochs[-1])
    return tuple(before)


def _features_task(study: Study, asked: FeatureSet, own: Size) -> Task:
    """What a frozen backbone makes of every clip of its list."""
    run = asked.runs[0]
    macs, held = _settings(study, run, own)[0], _held_out(study, run)
    train, test = own.train[run.list]["all"], own.test[run.list]["all"]
    clips = asked.clips * (1 - held) * train + held * train + test
    width = backbones.projection(_network(run.backbone)).in_features
    before = tuple(name for name in _waits_for(study, run, own) if name != asked.file and ": flow " not in name)
    return Task(
        asked.file, "frozen features", "gpu", before, clips=clips, flops=2 * macs * clips, disk=clips * width * FLOATS,
        done=Path(study.results, asked.file).exists(),
    )  # fmt: skip


def _targets_task(study: Study, run: Run, asked: TeacherSet, own: Size) -> Task:
    """What teachers say to every training clip of a student, ``run``."""
    file, teachers = asked.file, list(asked.teachers.values())
    draws = _settings(study, run, own)[1] * (1 - _held_out(study, run))
    videos, passed = own.train[run.list], 0.0
    for teacher in teachers:  # of the student's clips; one that goes on learning learns from its own videos'
        learned = 0 if asked.frozen else 2 * videos[_own_videos(teacher.subset, teacher.split)]
        passed += _settings(study, teacher, own)[0] * (videos["all"] + learned)
    count = draws * videos["all"]
    seen = count * len({teacher.network for teacher in teachers})  # teachers of one network see the same clips
    answers = len(teachers) * own.classes * FLOATS
    shown = sum(features_of(teacher.backbone, own.width) for teacher in teachers) * HALVES if asked.features else 0
    return Task(
        file, "teachers' logits", "gpu", tuple(teacher.folder for teacher in teachers),
        clips=seen, flops=2 * draws * passed, disk=count * (answers + shown),
        done=Path(study.results, file).exists(),
    )  # fmt: skip


def _evaluation_task(study: Study, run: Run, own: Size) -> Task:
    macs, _, _ = _settings(study, run, own)
    views = study.evaluation.clips_per_video * study.evaluation.crops_per_clip
    videos = own.test[run.list]["all"]
    file = f"{run.folder}/{study.evaluation.file}"
    return Task(
        file, "evaluation", "gpu", (run.folder,), clips=2 * videos * study.evaluation.clips_per_video,
        flops=2 * macs * 2 * videos * views, disk=2 * videos * own.classes * FLOATS,
        done=Path(study.results, file).exists(),
    )  # fmt: skip


# Measurements


def measure(study: Study, own: Size, seconds: float = 0.5) -> Measured:
    """Flow and decoding on one core, on one of the dataset's videos or on a drawn one of their size.

    Of features nothing is decoded, and reading them costs nothing beside the networks.
    """
    if own.of_features:
        return Measured(0.0, 0.0, 0.0)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        path, out = own.sample or _drawn(Path(folder), own), Path(folder, "flow.parquet")
        short = path
        if study.by_person:  # a tenth of a second a look
            looks = 1 + 8 * study.flow.persons.every * study.flow.step
            short = _drawn(Path(folder), own, frames=min(looks, own.frames))
        elif study.flow.entry.slow:
            short = _drawn(Path(folder), own, frames=4)  # half a second a pair
        all_pairs, problem = max(1.0, own.frames / study.flow.step - 1), None
        try:
            settings = _flow_settings(study, Path(folder))
            started = time.process_time()
            pairs = flow.write_video_flow(short, out, settings)["pairs"]
            flow_seconds = all_pairs * (time.process_time() - started) / pairs
            row_bytes = sum(column.to_pandas_dtype()().itemsize for column in pq.read_schema(out).types)
            flow_bytes = out.stat().st_size + (all_pairs - pairs) * row_bytes
        except DtkdError as error:  # an algorithm that needs what this machine has not
            flow_seconds, flow_bytes, problem = 0.0, 0.0, str(error)
        drawn = sampling.TrainingClips(datasets.Videos((str(path),), (path,), (0,)), study.clip, study.augment, seed=0)
        drawn[0, 0]  # the first pays for imports and the video's length
        count, started = 0, time.process_time()
        while count < 3 or time.process_time() - started < seconds:
            drawn[count, 0]
            count += 1
        return Measured((time.process_time() - started) / count, flow_seconds, flow_bytes, problem)


def _flow_settings(study: Study, folder: Path) -> flow.Settings:
    """The study's, on one core; its detector of persons is untrained, which takes the same time, and loaded."""
    weights = {"weights": study.flow.weights}
    if study.by_person:
        from dtkd.motion import fasterrcnn  # torchvision, which takes more than a second to import

        weights["person_weights"] = str(folder / "detector.pth")
        fasterrcnn.save_untrained(weights["person_weights"])
    settings = flow.Settings(**study.flow_settings, **weights)
    settings.check()
    return settings


def _drawn(folder: Path, own: Size, frames: int | None = None) -> Path:
    """A rendered video of the dataset's size."""
    render = synthetic.Render("demo_ucf", width=own.width + own.width % 2, height=own.height + own.height % 2,
                              frames=max(2, round(frames or own.frames)))  # fmt: skip
    path = folder / f"{render.frames}.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"XVID"), 25.0, (render.width, render.height))
    for frame in synthetic.render_video(render, synthetic.class_names("demo_ucf")[0], 1, 1):
        writer.write(frame)
    writer.release()
    return path


def cpu_rate(study: Study, seconds: float = 1.0) -> float:
    """FLOP/s of one core in training steps of the study's backbone, on clips cut to what a small computer holds."""
    torch.set_num_threads(1)
    frames = models.entry(study.model.backbone).input.nearest(min(study.clip.frames, 16))[0]
    crop = min(study.augment.crop, 112)
    model = backbones.build(study.model.backbone, 16).train()
    count = study.train.batch_size if study.of_features else min(study.train.batch_size, 8)  # small ones are slower
    clip = torch.zeros_like(backbones.example(model, count, frames, crop), device="cpu")
    flops = len(clip) * 3 * 2 * multiply_adds(study.model.backbone, 16, frames, crop)
    model(clip).sum().backward()  # the first step pays for memory and the choice of kernels
    count, started = 0, time.process_time()
    while not count or time.process_time() - started < seconds:
        model(clip).sum().backward()
        count += 1
    return count * flops / (time.process_time() - started)


def finished_rate(study: Study, found: Iterable[Task], device: str) -> tuple[float, int]:
    """(FLOP/s that one device sustained in the study's finished runs on ``device``, waits for clips aside; runs)."""
    flops = seconds = runs = 0
    for task in found:
        file, history = (Path(study.results, task.name, name) for name in ("run.json", "history.parquet"))
        if not (task.done and file.exists() and history.exists() and task.flops > task.untimed):
            continue
        record = json.loads(file.read_text(encoding="utf-8"))
        if record["device"].startswith(device):
            table, computing = read_parquet(history), record["computing"]
            flops += task.flops - task.untimed
            took = float((table["train_seconds"] - table["wait_seconds"] + table["test_seconds"]).sum())
            seconds += took * computing["devices"] * computing["nodes"]
            runs += 1
    return (flops / seconds if seconds > 0 else 0.0), runs


# The plan


def digits(value: float, number: int = 3) -> str:
    """For the eye: as many digits, the rest zeros, no exponent.

    >>> digits(112.4, 2), digits(1_105_213.0), digits(0.00915)
    ('110', '1,110,000', '0.00915')
    """
    return f"{Decimal(f'{value:.{number}g}'):,f}"


def notes(study: Study, sizes: Mapping[str, Size], measured: Mapping[str, Measured], machine: Machine) -> list[str]:
    """What the plan takes for granted, a sentence each."""
    said = [f"Trainings: {machine.name}."]
    if machine.decoders:
        said.append(
            f"A training waits for its {machine.decoders} decoding processes where they are slower than the GPU; flow "
            "on the same cores is taken to run beside them."
        )
    said.append(
        "A training clip costs three forward passes; one where the backbone is frozen, once for all runs that train a "
        "head on it. What teachers say to it, once for all their students, costs one of each, and two more where they "
        "go on learning. Index, pixel statistics, tables and figures are not counted."
    )
    for name, each in measured.items():
        counted = name in study.use and not each.problem
        flows = f", flow {digits(each.flow_seconds, 2)} s and {digits(each.flow_bytes / 1e3)} kB" if counted else ""
        said.append(
            f"{name}: measured here on one core: a training clip {digits(each.clip_seconds, 2)} s{flows} a video of "
            f"{sizes[name].frames:.0f} frames."
        )
        if each.problem and name in study.use:
            said.append(f"{name}: flow is not counted, as it cannot be measured here: {each.problem}")
        said += [f"{note}." for note in sizes[name].notes]
    return said


def left(found: Sequence[Task]) -> list[Task]:
    """The tasks that would run: not done, and wanted by a table or a figure or by another task that would run."""
    wanted: set[str] = set()
    for task in reversed(found):  # each stands after those that it waits for
        if not task.done and (task.stage not in ON_THE_WAY or task.name in wanted):
            wanted |= {task.name, *task.after}
    return [task for task in found if not task.done and task.name in wanted]


def schedule(found: Sequence[Task], seconds: Mapping[str, float], slots: Mapping[str, int]) -> float:
    """Seconds from start to end where each pool has so many slots: the longest remaining chain goes first."""
    chain: dict[str, float] = defaultdict(float)
    for task in reversed(found):  # each stands after those that it waits for
        chain[task.name] += seconds[task.name]
        for name in task.after:  # those that are done take no time
            chain[name] = max(chain[name], chain[task.name])
    free = {pool: [0.0] * count for pool, count in slots.items()}
    end = {}
    order = {task.name: number for number, task in enumerate(found)}
    for task in sorted(found, key=lambda task: (-chain[task.name], order[task.name])):
        slot = min(range(len(free[task.pool])), key=free[task.pool].__getitem__)
        start = max([free[task.pool][slot], *(end.get(name, 0.0) for name in task.after)])
        end[task.name] = free[task.pool][slot] = start + seconds[task.name]
    return max(end.values(), default=0.0)


def plan(
    study: Study, sizes: Mapping[str, Size], found: Sequence[Task], machine: Machine, measured: Mapping[str, Measured]
) -> Plan:  # fmt: skip
    """Add up what of ``found`` would run."""
    gpu, total, found = machine.decoders > 0, len(found), left(found)
    spent, rows = {}, {stage: [] for stage in STAGES}
    for task in found:
        clip_seconds = measured[task.name.split(":")[0].split("/")[0]].clip_seconds
        spent[task.name] = machine.seconds(task, clip_seconds)
        rows[task.stage].append((task, clip_seconds))
    table = [_row(stage, entries, spent, gpu) for stage, entries in rows.items() if entries]
    table.append(_row("total", [entry for entries in rows.values() for entry in entries], spent, gpu))
    if not gpu:  # trainings and flow share the cores
        found = [replace(task, pool="cpu") for task in found]
    slots = {"gpu": machine.devices, "cpu": machine.cores}
    passing = sorted((task.passing for task in found), reverse=True)[: machine.devices]
    networks = _networks(study, sizes, {task.name for task in found})
    return Plan(table, networks, schedule(found, spent, slots) / 3600, sum(passing), total - len(found))


def _row(stage: str, entries: Sequence[tuple[Task, float]], spent: Mapping[str, float], gpu: bool) -> dict[str, Any]:
    on_gpu = sum(spent[task.name] for task, _ in entries if task.pool == "gpu" and gpu)
    cores = sum(task.seconds + task.clips * each for task, each in entries)
    if not gpu:
        cores = sum(spent[task.name] for task, _ in entries)
    return {
        "stage": stage,
        "jobs": len(entries),
        "clips": round(sum(task.clips for task, _ in entries)),
        "PFLOP": sum(task.flops for task, _ in entries) / 1e15,
        "GPU h": on_gpu / 3600,
        "CPU h": cores / 3600,
        "disk GB": sum(task.disk for task, _ in entries) / 1e9,
    }


def _networks(study: Study, sizes: Mapping[str, Size], names: Collection[str]) -> list[dict[str, Any]]:
    """Every network and clip of the runs of these names; sizes as published, with a head of 400 classes."""
    runs = (run for run in study.runs().values() if run.folder in names)
    widths = {name: own.width if study.of_features else None for name, own in sizes.items()}  # numbers of a step
    used = Counter((run.backbone, run.clip or study.clip, widths[run.dataset]) for run in runs)
    return [
        {
            "network": backbone, "clip": str(clip), **({"numbers": width} if width else {"crop": crop}), "runs": runs,
            "parameters M": parameters(backbone, PUBLISHED_CLASSES, width) / 1e6,
            "multiply-adds G": multiply_adds(backbone, PUBLISHED_CLASSES, clip.frames, crop, width) / 1e9,
        }
        for (backbone, clip, width), runs in used.items()
        for crop in [None if width else clip.side(study.augment.crop)]
    ]  # fmt: skip
