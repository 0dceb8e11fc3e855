"""The study: the config as typed, validated, frozen objects, and the training runs that it asks for.

Imported by the Snakefile at every start, so it imports no torch, pandas or OpenCV.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from dtkd.datasets import Source
from dtkd.errors import DtkdError
from dtkd.places import spelled
from dtkd.synthetic import Render


def _place(path: str) -> str:
    """A path in its one spelling, so that another spelling of it in the config is no change."""
    try:
        return spelled(path)
    except DtkdError as error:
        raise ValueError(f": {error} (got {path!r})") from None


def _results(path: str) -> str:
    if path in (".", "/"):
        raise ValueError(f": name a folder of its own, such as results (got {path!r})")
    return path


def _weights(choice: str) -> str:
    """A path in its one spelling, unless it is one of the words."""
    path = choice if choice in WEIGHTS else _place(choice)
    if path != choice and path in WEIGHTS:
        raise ValueError(f": a file called like one of the choices; rename it (got {choice!r})")
    return path


WEIGHTS = ("kinetics400", "pretrain", "none")  # what `model.weights` may be beside a path
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$")]  # becomes part of a path
# Not empty, which would be the root; Snakemake takes what stands in braces or angle brackets for its own.
PathText = Annotated[str, Field(pattern=r"^[^{}<>\x00-\x1f\x7f]+$")]
Place = Annotated[PathText, AfterValidator(_place)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
SUBSETS = ("static", "dynamic")


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Dataset(Section):
    """Where one dataset's videos and lists are, or how the project renders them."""

    format: Literal["ucf101", "hmdb51", "folders", "csv"]
    videos: Place = Field(description="folder that holds one folder of videos per class")
    annotations: Place | None = Field(None, description="folder of the lists (ucf101, hmdb51) or the CSV file")
    group_pattern: str | None = Field(
        None, description="folders: regex whose first group names a video's group; none: each is its own, by your word"
    )
    lists: Count = 3
    test_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.3
    split_seed: int = 0
    render: Render | None = Field(None, description="the project renders this dataset itself")

    @model_validator(mode="after")
    def _is_a_source(self) -> Dataset:
        try:
            self.source()
        except DtkdError as error:
            raise ValueError(str(error)) from None
        return self

    def source(self) -> Source:
        pattern = None if self.group_pattern == "none" else self.group_pattern
        return Source(self.format, self.videos, self.annotations, pattern, self.lists, self.test_fraction,
                      self.split_seed)  # fmt: skip

    @property
    def may_part_scenes(self) -> bool:
        """Whether lists are drawn by clip and nobody has said that they may: names should be looked at first."""
        return self.format == "folders" and self.group_pattern is None


class Flow(Section):
    """Optical flow of every video (paper, Section 3.1)."""

    algorithm: Literal[
        "farneback", "dis_fast", "dis_medium", "tvl1", "farneback_cuda", "raft_small", "raft_large"
    ] = "farneback"
    step: Count = 1
    short_side: Annotated[int, Field(ge=16)] | None = None  # as in `flow.Settings`
    unit: Literal["frame", "second"] = Field("frame", description="motion in pixels a frame, or pixels a second")
    weights: Place | None = Field(None, description="a network's parameters; torchvision's where none are named")

    @property
    def network(self) -> bool:
        """Whether the algorithm needs torch and weights."""
        return self.algorithm.startswith("raft_")

    @property
    def on_gpu(self) -> bool:
        """Whether the algorithm uses a GPU where there is one."""
        return self.network or self.algorithm == "farneback_cuda"

    @property
    def settings(self) -> dict[str, Any]:
        """What a table depends on, beside the content of the weights. (The unit is left out where it is the usual one,
        as it was before there was another.)"""
        return self.model_dump(exclude={"weights", *["unit"] * (self.unit == "frame")})

    @model_validator(mode="after")
    def _weights_belong_to_a_network(self) -> Flow:
        if self.weights and not self.network:
            raise ValueError(f"weights: {self.algorithm} has none; leave it out, or choose raft_small or raft_large")
        return self


class Split(Section):
    """Which classes are static: by their flow (Eq. 1), as the paper has them, as `static` lists them, or by lot."""

    source: Literal["flow", "published", "listed", "random"] = "flow"
    measure: Literal[
        "mean", "std", "q50", "q75", "q90", "q99", "camera", "residual", "median", "centre", "moving"
    ] = "mean"
    over_time: Literal["mean", "max", "q90", "share"] = Field("mean", description="over a video's pairs")
    over: Literal["all", "train"] = "all"
    quantile: Annotated[float, Field(gt=0, lt=1)] = 0.25
    value: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        None, description="flow: a threshold in pixels/frame in place of the quantile"
    )
    boundary: Literal["inclusive", "strict"] = "inclusive"
    static: dict[Name, Annotated[list[str], Field(min_length=1)]] = Field({}, description="listed: dataset -> classes")
    seed: Annotated[int, Field(ge=0)] = Field(0, description="random: the draw")

    def settings(self, dataset: str, *more: str) -> dict[str, Any]:
        """What the source reads, and ``more``, for one dataset: a change of the rest makes nothing run again."""
        read = {
            "flow": {"measure", "over", "boundary", "quantile" if self.value is None else "value"},
            "published": set(),
            "listed": set(),
            "random": {"quantile", "boundary", "seed"},
        }
        settings = self.model_dump(include={"source", *read[self.source], *more})
        if "measure" in settings:
            settings |= {"over_time": self.over_time} if self.over_time != "mean" else {}
        return settings | ({"static": self.static_of(dataset)} if self.source == "listed" else {})

    @property
    def summary(self) -> dict[str, str]:
        """What classes' summaries of flow have to give, where that is not what they always gave."""
        later = {"measure": self.measure} if self.measure in ("centre", "moving") else {}
        return later | ({"over_time": self.over_time} if self.over_time != "mean" else {})

    @model_validator(mode="after")
    def _median_is_over_time(self) -> Split:
        if self.measure == "median" and self.over_time != "mean":
            raise ValueError(f"over_time: {self.over_time}: measure median is over time itself; set over_time: mean")
        return self

    def static_of(self, dataset: str) -> list[str]:
        """The classes that are listed for a dataset, each once; DtkdError if there are none."""
        if dataset not in self.static:
            raise DtkdError(f"config: split.static.{dataset}: required by split.source: listed; list some classes")
        return sorted(set(self.static[dataset]))

    @property
    def as_the_papers(self) -> bool:
        """Whether subsets are meant to be the paper's: its lists, or classes up to the first quartile of their flow."""
        by_quartile = self.source == "flow" and self.value is None and self.quantile == 0.25
        return by_quartile or self.source == "published"


Backbone = Literal["slowfast_r101_16x8", "slowfast_r101_8x8", "slowfast_r50_8x8", "slowfast_small", "slowfast_tiny"]


class Model(Section):
    backbone: Backbone
    weights: Annotated[PathText, AfterValidator(_weights)] = Field(
        description="kinetics400, pretrain, none, or the path of a state dict"
    )
    weights_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = Field(
        None, description="what the weights' file of `backbone` must hash to"
    )
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5


class Clip(Section):
    """Temporal sampling: the fast pathway's frames, and every how many source frames, or how often, one is taken."""

    frames: Annotated[int, Field(ge=4, multiple_of=4)]  # four times the slow pathway's
    rate: Count | None = None
    fps: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        None, description="frames a second, by the videos' own times, in place of rate"
    )

    @model_validator(mode="after")
    def _is_by_frames_or_by_time(self) -> Clip:
        if (self.rate is None) == (self.fps is None):
            problem = "both are given" if self.rate else "neither is given"
            raise ValueError(f"rate, fps: {problem}; set one of the two (the other to null)")
        return self

    def __str__(self) -> str:
        return f"{self.frames}x{self.rate}" if self.fps is None else f"{self.frames}at{self.fps:g}fps"


class Augment(Section):
    """RandomShortSideScale, RandomCrop, RandomHorizontalFlip; at test time a fixed short side and a centre crop.

    Or the whole frame: squashed into a square of the drawn size, or scaled until its longer side has that size; in a
    test `crop` is the size.
    """

    short_side: tuple[Count, Count]
    crop: Count
    test_short_side: Count
    flip: Fraction = 0.5
    fit: Literal["crop", "squash", "letterbox"] = Field("crop", description="how a frame becomes a square")

    @property
    def settings(self) -> dict[str, Any]:
        """What clips depend on. (The fit is left out where it is the usual one, as before there was another.)"""
        return self.model_dump(mode="json", exclude={"fit"} if self.fit == "crop" else None)

    def check_crops(self, crops: int) -> None:
        """Raise DtkdError where there are to be several crops of a frame that one shows."""
        if crops > 1 and self.fit != "crop":
            raise DtkdError(f"{crops} crops lie along the longer side, and augment.fit: {self.fit} shows it all: set 1")

    @model_validator(mode="after")
    def _crop_fits(self) -> Augment:
        low, high = self.short_side
        if low > high:
            raise ValueError(f"short_side: the smallest side comes first, not [{low}, {high}]")
        smallest = min(low, self.test_short_side) if self.fit == "crop" else low
        if self.crop > smallest:
            raise ValueError(f"crop: {self.crop} does not fit in the smallest short side {smallest}")
        return self


class Train(Section):
    epochs: Count
    batch_size: Count
    optimiser: Literal["sgd", "adamw"] = "sgd"
    lr: Positive
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    schedule: Literal["constant", "cosine"] = "constant"
    warmup_epochs: Annotated[float, Field(ge=0)] = 0.0
    clips_per_video: Count = 1
    selection: Literal["best", "last"] = "best"
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    micro_batch: Count | None = Field(None, description="clips that pass through a network at a time; null: the batch")
    channels_last: bool = Field(False, description="weights and clips in memory channel by channel of a pixel")
    compile: bool = Field(False, description="torch.compile")
    devices: Count = Field(1, description="processes of a training on each node, one a GPU")
    nodes: Count = Field(1, description="computers that share a training, under SLURM")

    def computing(self) -> dict[str, Any]:
        """How a training computes: what changes its result by rounding only, as `device` does."""
        return self.model_dump(include={"channels_last", "compile", "devices", "nodes"})

    def learning(self) -> dict[str, Any]:
        """All other settings: they change the result."""
        unused = {"micro_batch"} if self.micro_batch is None else set()
        return self.model_dump(exclude={*self.computing(), *unused})


def _number(value: Any) -> Any:
    """A whole number that ``--config`` gives as a word."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


class Evaluation(Section):
    """How a trained model meets a test video: clips spread over time, crops along the longer side."""

    clips_per_video: Count = 1
    crops_per_clip: Annotated[Literal[1, 3], BeforeValidator(_number)] = 1
    average: Literal["softmax", "logits"] = "softmax"

    @property
    def file(self) -> str:
        """A run's predictions by this protocol; one centre crop of one centre clip is what training tests on itself."""
        if self.clips_per_video == self.crops_per_clip == 1:
            return "predictions.parquet"
        return f"predictions-{self.clips_per_video}x{self.crops_per_clip}-{self.average}.parquet"


class Pretrain(Section):
    """A backbone trained on one of `datasets` (list 1): the demo's stand-in for Kinetics-400."""

    dataset: Name
    seed: int = 0
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
    train: dict[str, Any] = Field(default_factory=dict, description="what differs from `train`")


Outputs = Literal["full", "masked"]


class Teachers(Section):
    """The specialists of the two subsets: what they answer, and how their training differs from the others'.

    Each has a head over all classes and sees its subset's videos only. ``full``: its softmax is over all classes,
    wherever one is taken. ``masked``: its logits outside its subset are -inf before any softmax, in its training,
    in distillation and in evaluation.
    """

    outputs: Outputs = "full"
    train: dict[str, Any] | None = Field(default_factory=dict, description="what differs from `train`")


class Baseline(Section):
    """A plain fine-tuning; with ``frozen`` of the head alone, with ``backbone`` and ``clip`` of another network."""

    list: Count = 1
    frozen: bool = False
    backbone: Backbone | None = None
    clip: Clip | None = None


class Student(Section):
    """One student: the paper's hyperparameters, Eqs. 2-13; or, for comparison, plain distillation from one teacher."""

    method: Literal["dtkd", "bskd", "kd"] = "dtkd"
    teacher: Name | None = Field(None, description="method kd: the baseline that teaches; null: the one compared with")
    LT: bool = True
    FT: bool = True
    S_alpha: Fraction | None = None
    KD_T: Positive
    KD_alpha: Fraction
    weighting: Literal["gated", "blend", "partition"] = "gated"
    outside: Literal["confidence", "zero"] = "confidence"
    unfrozen: Literal["own", "joint"] = "own"
    teacher_outputs: Outputs | None = Field(None, description="null: as `teachers.outputs`")
    list: Count = 1

    @model_validator(mode="after")
    def _settings_belong_to_the_method(self) -> Student:
        if self.method == "dtkd" and self.S_alpha is None:
            raise ValueError("S_alpha: required by method dtkd (Eq. 8)")
        if self.method != "dtkd" and self.S_alpha is not None:
            raise ValueError(f"S_alpha: method {self.method} has no hybrid score; leave it out")
        if self.method == "kd" and not (self.LT and self.FT):
            raise ValueError("LT, FT: method kd has a finished baseline for its teacher; leave them out")
        if self.method != "kd" and self.teacher is not None:
            raise ValueError(f"teacher: method {self.method} has a teacher for each subset; leave it out")
        if self.method == "kd" and self.teacher_outputs is not None:
            raise ValueError("teacher_outputs: method kd has a baseline for its teacher; leave it out")
        return self

    def unused(self) -> set[str]:
        """The settings that this student's method never looks at."""
        if self.method == "kd":
            return {"S_alpha", "weighting", "outside", "unfrozen", "LT", "FT"}
        unused = {"unfrozen"} if self.FT else set()
        if self.method == "bskd":
            unused |= {"S_alpha", "weighting", "outside"}
        return unused | ({"outside"} if self.weighting == "partition" else set())


class Analysis(Section):
    """What tables and figures single out; a change of it trains and evaluates nothing."""

    chosen: dict[Name, Name] = Field(default_factory=dict, description="dataset -> the student of Table 6, Figures 6-8")
    kl: Literal["forward", "reverse"] = "forward"  # as in `metrics.kl_divergence`
    kl_floor: Annotated[float, Field(gt=0, lt=1)] = Field(1e-12, description="reverse: a masked teacher's least")

    def divergence(self, outputs: Outputs) -> dict[str, Any]:
        """What Table 6 and Figure 8 compute from teachers with such ``outputs``; only what matters is told."""
        return {"kl": self.kl, "floor": self.kl_floor if (self.kl, outputs) == ("reverse", "masked") else None}


@dataclass(frozen=True)
class Run:
    """One training run; its folder spells what tells it from the study's other runs."""

    dataset: str
    list: int
    role: str
    backbone: str
    seed: int
    frozen: bool = False  # only the head trains (a teacher's LT)
    subset: str | None = None  # a teacher's classes
    student: Student | None = None
    teacher: Run | None = None  # of a student by plain distillation
    clip: Clip | None = None  # where it is not the study's
    outputs: Outputs | None = None  # a teacher's, or a student's teachers', where they are not the study's

    @property
    def name(self) -> str:
        """The run's folder."""
        return f"{self.settings_name}-seed{self.seed}"

    @property
    def settings_name(self) -> str:
        """What tells it from the study's other runs, but for its seed."""
        if self.role == "teacher":
            parts = [self.subset, "LT" if self.frozen else None, self.outputs]
        elif self.role == "student":
            s = self.student
            parts = [s.method]
            if s.method == "dtkd":
                parts += [f"S{s.S_alpha:g}"]
            parts += [f"T{s.KD_T:g}", f"A{s.KD_alpha:g}"]
            if s.method == "kd":
                parts += [self.teacher.settings_name]
            else:
                parts += ["LT" if s.LT else None, "FT" if s.FT else None, self.outputs]
            usual = {"weighting": "gated", "outside": "confidence", "unfrozen": "own"}
            parts += [getattr(s, key) for key, word in usual.items()
                      if key not in s.unused() and getattr(s, key) != word]  # fmt: skip
        else:
            parts = [self.backbone, str(self.clip) if self.clip else None, "frozen" if self.frozen else None]
        return "-".join(part for part in parts if part)

    @property
    def folder(self) -> str:
        """Relative to the results folder: `<dataset>/list<k>/<role>/<run>`."""
        return str(PurePosixPath(self.dataset, f"list{self.list}", self.role, self.name))


class Study(Section):
    """Everything a study is; `read` makes one of a config mapping."""

    name: str
    results: Annotated[Place, AfterValidator(_results)] = "results"
    use: Annotated[list[Name], Field(min_length=1)] = Field(description="the study's datasets, in the tables' order")
    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] = [0]
    device: Literal["auto", "cpu", "cuda"] = "auto"
    on_bad_video: Literal["fail", "skip"] = "fail"
    cache_mb: Annotated[int, Field(ge=0)] = Field(512, description="megabytes of decoded frames that a training keeps")
    datasets: dict[Name, Dataset]
    flow: Flow = Flow()
    split: Split = Split()
    model: Model
    pretrain: Pretrain | None = None
    teachers: Teachers = Teachers()
    clip: Clip
    augment: Augment
    train: Train
    evaluation: Evaluation = Evaluation()
    analysis: Analysis = Analysis()
    baselines: dict[Name, dict[Name, Baseline | None]]
    students: dict[Name, dict[Name, Student | None]]

    @model_validator(mode="after")
    def _names_are_known(self) -> Study:
        if len(set(self.use)) < len(self.use):
            raise ValueError(f"use: {self.use} names a data set twice")
        for dataset in self.use:
            for name in self.baselines_of(dataset).keys() & self.students_of(dataset).keys():
                raise ValueError(f"students.{dataset}.{name}: a baseline has that name too; give one of them another")
            if dataset not in self.datasets:
                raise ValueError(f"use: {dataset!r} is not one of datasets{_hint(dataset, self.datasets)}")
            if not self.baselines_of(dataset):
                raise ValueError(f"baselines.{dataset}: the study needs at least one baseline to compare with")
            lists = self.datasets[dataset].lists
            for role, table in (("baselines", self.baselines_of(dataset)), ("students", self.students_of(dataset))):
                for name, row in table.items():
                    if row.list > lists:
                        raise ValueError(f"{role}.{dataset}.{name}.list: {row.list}, but {dataset} has {lists} lists")
            for key, row in self.students_of(dataset).items():
                if self.reference(dataset, row.list) is None:
                    raise ValueError(
                        f"baselines.{dataset}: no unfrozen baseline of list {row.list} with the backbone and clip "
                        f"of {key}"
                    )
                self._check_teacher(dataset, key, row)
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds: {self.seeds} names a seed twice")
        for dataset, name in self.analysis.chosen.items():
            if dataset not in self.datasets:
                raise ValueError(f"analysis.chosen.{dataset}: not one of datasets{_hint(dataset, self.datasets)}")
            if dataset in self.use and name not in self.students_of(dataset):
                known = self.students_of(dataset)
                raise ValueError(f"analysis.chosen.{dataset}: no student is called {name!r}{_hint(name, known)}")
            if dataset in self.use and self.students_of(dataset)[name].method == "kd":
                raise ValueError(
                    f"analysis.chosen.{dataset}: {name} has one teacher, and two are compared; name another"
                )
        for section in ("baselines", "students"):
            for dataset in getattr(self, section):
                if dataset not in self.datasets:
                    raise ValueError(f"{section}.{dataset}: not one of datasets{_hint(dataset, self.datasets)}")
        try:
            self.augment.check_crops(self.evaluation.crops_per_clip)
        except DtkdError as error:
            raise ValueError(f"evaluation.crops_per_clip: {error}") from None
        if self.flow.algorithm == "farneback_cuda" and self.device == "cpu":
            raise ValueError("flow.algorithm: farneback_cuda computes on a GPU, and device is cpu; choose farneback")
        if self.split.source == "published" and set(self.use) - {"ucf101", "hmdb51"}:
            raise ValueError(
                "split.source: published lists exist for datasets named ucf101 and hmdb51; use flow or listed"
            )
        if self.split.static and self.split.source != "listed":
            raise ValueError(
                f"split.static: source {self.split.source} reads none; set split.source: listed, or leave it out"
            )
        if self.split.value is not None and self.split.source != "flow":
            raise ValueError(f"split.value: source {self.split.source} has no threshold of flow; leave it out")
        for dataset in self.split.static:
            if dataset not in self.datasets:
                raise ValueError(f"split.static.{dataset}: not one of datasets{_hint(dataset, self.datasets)}")
        if self.split.source == "listed" and (missing := set(self.use) - self.split.static.keys()):
            raise ValueError(f"split.static.{min(missing)}: required by split.source: listed (of each data set in use)")
        own = self.backbones() & {"slowfast_small", "slowfast_tiny"}
        if self.model.weights == "kinetics400" and own:
            raise ValueError(f"model.weights: there are no kinetics400 weights of {min(own)}; use pretrain")
        if self.model.weights not in WEIGHTS and len(self.backbones()) > 1:
            others = sorted(self.backbones() - {self.model.backbone})
            raise ValueError(
                f"model.weights: {self.model.weights} is of one backbone, and some baselines have {', '.join(others)}: "
                "take these rows away (`U5: null`)"
            )
        if self.model.weights == "pretrain":
            if self.pretrain is None:
                raise ValueError("pretrain: required by model.weights: pretrain")
            if self.pretrain.dataset not in self.datasets:
                raise ValueError(f"pretrain.dataset: {self.pretrain.dataset!r} is not one of datasets")
            self._check_train_settings("pretrain", "pretrain.train")
        self._check_train_settings("teacher", "teachers.train")
        return self

    def _check_train_settings(self, role: str, where: str) -> None:
        try:
            self.train_settings(role)
        except ValidationError as error:
            raise ValueError("; ".join(f"{where}.{_explain(each)}" for each in error.errors())) from None

    def _check_teacher(self, dataset: str, key: str, row: Student) -> None:
        """Raise ValueError unless a student by plain distillation can ask its teacher about the clips that it sees."""
        if row.teacher is None:
            return
        where, known = f"students.{dataset}.{key}.teacher", self.baselines_of(dataset)
        if row.teacher not in known:
            raise ValueError(f"{where}: no baseline is called {row.teacher!r}{_hint(row.teacher, known)}")
        teacher = known[row.teacher]
        if teacher.list != row.list:
            raise ValueError(
                f"{where}: {row.teacher} is of list {teacher.list}, and may have trained on test videos of list "
                f"{row.list}; name a baseline of that list"
            )
        if teacher.clip not in (None, self.clip):
            raise ValueError(f"{where}: {row.teacher} sees other clips than students; name one with the study's clip")

    def used_datasets(self) -> list[str]:
        """The study's datasets, and the one that its backbone is pretrained on."""
        return [*self.use, self.pretrain.dataset] if self.model.weights == "pretrain" else list(self.use)

    def baselines_of(self, dataset: str) -> dict[str, Baseline]:
        return {name: row for name, row in self.baselines.get(dataset, {}).items() if row is not None}

    def students_of(self, dataset: str) -> dict[str, Student]:
        return {name: row for name, row in self.students.get(dataset, {}).items() if row is not None}

    def backbones(self) -> set[str]:
        """Every backbone that some run of the study has."""
        rows = [row for dataset in self.use for row in self.baselines_of(dataset).values()]
        return {self.model.backbone} | {row.backbone for row in rows if row.backbone}

    def weights_sha256(self, backbone: str) -> str | None:
        """The checksum that the config gives for the weights' file of ``backbone``."""
        return self.model.weights_sha256 if backbone == self.model.backbone else None

    def train_settings(self, role: str) -> Train:
        """`train`, with what differs from it in the trainings of a role."""
        own = {"pretrain": self.pretrain and self.pretrain.train, "teacher": self.teachers.train}.get(role)
        return Train.model_validate(self.train.model_dump() | own) if own else self.train

    # -- the runs -------------------------------------------------------------------------------------------------

    def baseline_run(self, dataset: str, row: Baseline, seed: int) -> Run:
        clip = row.clip if row.clip != self.clip else None
        return Run(dataset, row.list, "baseline", row.backbone or self.model.backbone, seed, row.frozen, clip=clip)

    def reference(self, dataset: str, number: int) -> tuple[str, Baseline] | None:
        """What students of a list are compared with: its first baseline that differs from them in nothing else."""
        usual = (self.model.backbone, None, False)
        for name, row in self.baselines_of(dataset).items():
            run = self.baseline_run(dataset, row, seed=0)
            if row.list == number and (run.backbone, run.clip, run.frozen) == usual:
                return name, row
        return None

    def chosen(self, dataset: str) -> tuple[str, Student] | None:
        """The student that tables and figures single out, with its two teachers: the configured one or the first.

        None where there is no such student.
        """
        students = {name: row for name, row in self.students_of(dataset).items() if row.method != "kd"}
        name = self.analysis.chosen.get(dataset, next(iter(students), None))
        return None if name is None else (name, students[name])

    def divergences(self) -> dict[str, dict[str, Any]]:
        """Of each data set with such a student, what Table 6 and Figure 8 compute of the chosen one."""
        chosen = {dataset: self.chosen(dataset) for dataset in self.use}
        runs = {name: self.student_run(name, pair[1], self.seeds[0]) for name, pair in chosen.items() if pair}
        return {name: self.analysis.divergence(self.outputs_of(run)) for name, run in runs.items()}

    def student_run(self, dataset: str, row: Student, seed: int) -> Run:
        teacher = None
        if row.method == "kd":
            baseline = self.baselines_of(dataset)[row.teacher] if row.teacher else self.reference(dataset, row.list)[1]
            teacher = self.baseline_run(dataset, baseline, seed)
        outputs = row.teacher_outputs if row.teacher_outputs != self.teachers.outputs else None
        return Run(dataset, row.list, "student", self.model.backbone, seed, student=row, teacher=teacher,
                   outputs=outputs)  # fmt: skip

    def teacher_runs(self, student: Run) -> dict[str, Run]:
        """The static and the dynamic teacher of a student; of one by plain distillation its only `teacher`."""
        if student.teacher:
            return {"teacher": student.teacher}
        return {
            subset: Run(student.dataset, student.list, "teacher", student.backbone, student.seed,
                        frozen=student.student.LT, subset=subset, outputs=student.outputs)
            for subset in SUBSETS
        }  # fmt: skip

    def logits_file(self, student: Run) -> str:
        """Where a student's frozen teachers' logits are, relative to the results folder."""
        pair = ["LT" if student.student.LT else None, student.outputs, f"seed{student.seed}"]
        teachers = student.teacher.name if student.teacher else "-".join(part for part in pair if part)
        return str(PurePosixPath(student.folder).parents[1] / "teacher" / f"{teachers}.logits.pt")

    def pretrain_run(self, backbone: str) -> Run:
        return Run(self.pretrain.dataset, 1, "pretrain", backbone, self.pretrain.seed)

    def runs(self) -> dict[str, Run]:
        """Every run that the study can ask for, by folder."""
        runs = []
        for dataset, seed in product(self.use, self.seeds):
            runs += [self.baseline_run(dataset, row, seed) for row in self.baselines_of(dataset).values()]
            for row in self.students_of(dataset).values():
                student = self.student_run(dataset, row, seed)
                runs += [student, *self.teacher_runs(student).values()]
        if self.model.weights == "pretrain":
            runs += [self.pretrain_run(backbone) for backbone in sorted({run.backbone for run in runs})]
        by_folder = {}
        for run in runs:
            other = by_folder.setdefault(run.folder, run)
            if self.settings(other) != self.settings(run):
                raise DtkdError(f"config: two runs with different settings would share the folder {run.folder}; "
                                "make their settings equal, or differ by more")  # fmt: skip
        return by_folder

    def settings(self, run: Run) -> dict[str, Any]:
        """All that determines a run's result beside its input files, as plain values: a change of it is a rerun."""
        settings = {
            "backbone": run.backbone,
            "weights": "none" if run.role == "pretrain" else self.model.weights,
            "dropout": self.pretrain.dropout if run.role == "pretrain" else self.model.dropout,
            "frozen": run.frozen,
            "seed": run.seed,
            "clip": (run.clip or self.clip).model_dump(exclude_none=True),
            "augment": self.augment.settings,
            "train": self.train_settings(run.role).learning(),
        }
        if run.subset:
            settings["subset"] = run.subset
        if run.student:
            left_out = {"list", "teacher", "teacher_outputs", *run.student.unused()}
            if run.student.outside == "confidence":  # as it was before there was a choice
                left_out.add("outside")
            settings["student"] = run.student.model_dump(exclude=left_out)
        if run.subset or (run.student and run.teacher is None):
            settings |= {"teacher_outputs": "full"} if self.outputs_of(run) == "full" else {}
        return settings

    def outputs_of(self, run: Run) -> Outputs:
        """What a teacher answers, or a student's two teachers.

        Settings have it where it is ``full`` alone: before there was a choice, all were masked.
        """
        return run.outputs or self.teachers.outputs

    def checked(self, name: str, dataset: Dataset | None = None) -> dict[str, Any]:
        """All that a check of a data set reads of the study, as plain values; ``dataset`` is one that has no entry."""
        split = self.split.settings(name) if self.split.source == "flow" else {"source": self.split.source}
        return {
            "dataset": (dataset or self.datasets[name]).model_dump(mode="json", exclude={"render"}),
            "augment": self.augment.model_dump(mode="json"),
            "clip": self.clip.model_dump(exclude_none=True),
            "evaluation": self.evaluation.model_dump(),
            "unit": self.flow.unit,
            "split": split,
            "selection": self.train.selection,
            "epochs": self.train.epochs,
            "students": len(self.students_of(name)),
            "seed": self.seeds[0],
        }

    def teaching_settings(self, student: Run) -> dict[str, Any]:
        """What frozen teachers' logits are made with; of `train`, epochs, clips, batch size and precision matter."""
        settings = self.settings(student) | {"backbone": (student.teacher or student).backbone}
        return {name: settings[name] for name in ("backbone", "dropout", "seed", "clip", "augment", "train")}


def read(config: Mapping[str, Any]) -> Study:
    """Validate a config.

    Raises:
        DtkdError: naming every wrong key, what was given, and the remedy.
    """
    try:
        return Study.model_validate(dict(config))
    except DtkdError as error:  # of a section that is not pydantic's own: `render`
        raise DtkdError(f"config: {error}") from None
    except ValidationError as error:
        lines = [_one_line(_explain(problem)) for problem in error.errors()]
        raise DtkdError("config: " + "\n        ".join(dict.fromkeys(lines))) from None


def _explain(problem: Mapping[str, Any]) -> str:
    """One problem as a line; a ValueError of ours says more of where it is, or begins with a colon."""
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return f"{where}: unknown key{_hint(str(problem['loc'][-1]), _every_key())}"
    message = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "value_error":
        return f"{where}{'' if message.startswith(':') else '.'}{message}" if where else message
    if problem["type"] == "missing":
        return f"{where}: required key is missing"
    return f"{where}: {message[0].lower()}{message[1:]} (got {problem['input']!r})"


def _one_line(text: str) -> str:
    """The text with newlines and whatever else is not printable as escapes; a key may have them."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def _every_key() -> list[str]:
    """Every key that some section knows; the hint picks the nearest."""
    sections = [Study, *Section.__subclasses__()]
    return sorted({key for section in sections for key in section.model_fields})


def _hint(name: str, known: Any) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
