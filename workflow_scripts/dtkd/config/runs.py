"""A training run: what it is of, and the folder that says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dtkd.common.fields import Section
from dtkd.config.model import STUDYS_OWN, Clip, OwnNetwork
from dtkd.config.rows import OfSpecialists, Student
from dtkd.config.training import Outputs


def spelled(key: str, value: Any) -> str:
    """A setting of a training in a run's name: `epochs20`, `no-clip_grad_norm`, `class_balance_weights`."""
    if value is None or isinstance(value, bool):
        return key if value else f"no-{key}"
    if isinstance(value, Section):
        value = tuple(value.model_dump().values())
    if isinstance(value, tuple):
        return key + "+".join(f"{part:g}" for part in value)
    return f"{key}_{value}" if isinstance(value, str) else f"{key}{value:g}"


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
    baselines: tuple[Run, ...] = ()  # that teach a student, alone or beside specialists
    network: OwnNetwork = STUDYS_OWN  # what of it is not the study's
    window: Clip | None = None  # what draws its training clips, where it spans more or less than they do
    outputs: Outputs | None = None  # a teacher's, or a student's teachers', where they are not the study's
    recipe: tuple[tuple[str, Any], ...] = ()  # what differs from `train` in a baseline's training
    split: str | None = None  # whose groups a teacher, or a student's teachers, have, where it is not the study's
    search: str | None = None  # the row of a student whose settings are searched for

    @property
    def clip(self) -> Clip | None:
        """Its clip where it is not the study's."""
        return self.network.clip

    @property
    def row(self) -> Student:
        """A student's settings."""
        assert self.student, f"a {self.role} is no student"
        return self.student

    @property
    def specialists_row(self) -> OfSpecialists:
        """The settings of a student that a teacher for each group teaches."""
        assert isinstance(self.student, OfSpecialists), f"{self.role}: has no specialists"
        return self.student

    @property
    def has_specialists(self) -> bool:
        """Whether a teacher for each group of classes teaches it."""
        return isinstance(self.student, OfSpecialists)

    @cached_property
    def name(self) -> str:
        """The run's folder."""
        return f"{self.settings_name}-seed{self.seed}"

    @cached_property
    def settings_name(self) -> str:
        """What tells it from the study's other runs, except for its seed."""
        parts: list[str | None]
        if self.role == "teacher":
            parts = [self.subset, "LT" if self.frozen else None, self.outputs, self.split, *self._as()]
        elif self.search:
            parts = ["search", self.search]
        elif s := self.student:
            distillation = s.distillation
            parts = [s.method, *distillation.numbers(), *self._taught_by(), *distillation.words().values(), *self._as()]
        else:
            parts = [self.backbone, *self.network.words(), "frozen" if self.frozen else None]
            parts += [spelled(key, value) for key, value in self.recipe]
        return "-".join(part for part in parts if part)

    def _as(self) -> Sequence[str | None]:
        """What tells its network from the study's, in the name of a student or a teacher."""
        words = [self.network.backbone, *self.network.words()]
        return ["as", *words] if any(words) else []

    def _taught_by(self) -> Sequence[str | None]:
        """What tells a student's teachers from others, in its name."""
        words: list[str | None] = [self.row.teachers] if isinstance(self.row.teachers, str) else []
        if isinstance(row := self.row, OfSpecialists):
            words += ["LT" if row.LT else None, "FT" if row.FT else None, self.outputs, self.split]
        return [*words, *(baseline.settings_name for baseline in self.baselines)]

    @cached_property
    def folder(self) -> str:
        """Relative to the results folder: `<dataset>/list<k>/<role>/<run>`."""
        return f"{self.dataset}/list{self.list}/{self.role}/{self.name}"


@dataclass(frozen=True)
class Search:
    """A search for a student's settings: its candidates' runs, in the order of their grid, and the rungs."""

    folder: str  # relative to the results folder
    winner: Run  # the student of the search's seed
    candidates: Mapping[str, Run]  # by name; none of them is one of the study's runs
    epochs: tuple[int, ...]  # after which candidates are ranked; the last is the end of their training
    numbers: tuple[int, ...]  # how many are trained until then

    def ranking(self, epochs: int) -> str:
        """The file of the ranking after so many epochs, relative to the results folder."""
        return f"{self.folder}/epoch{epochs}/ranking.json"

    def tried(self, epochs: int) -> list[str]:
        """What is found of each that is trained for so many epochs, in the order of the ranking before.

        To the first rung that is each candidate, then whoever has a place.
        """
        rung = self.epochs.index(epochs)
        names = self.candidates if rung == 0 else range(1, self.numbers[rung] + 1)
        word = "candidate" if rung == 0 else "place"
        return [f"{self.folder}/epoch{epochs}/{word}-{name}.json" for name in names]

    def after(self, epochs: int) -> int:
        """How many go on after so many epochs: in the end, the winner."""
        return (*self.numbers[1:], 1)[self.epochs.index(epochs)]

    def before(self, epochs: int) -> int:
        """The epochs of the rung before; 0 of the first."""
        return (0, *self.epochs)[self.epochs.index(epochs)]


@dataclass(frozen=True)
class FeatureSet:
    """A frozen backbone that is asked about a list's clips once, for all runs that train a head on it."""

    file: str  # relative to the results folder
    runs: tuple[Run, ...]  # that read it: their backbone, start, seed and clips are the same
    clips: int  # of each training video: as many as the longest of them draws


@dataclass(frozen=True)
class TeacherSet:
    """Teachers that are asked together: what they say to every training clip is in one file."""

    file: str  # relative to the results folder
    teachers: Mapping[str, Run]  # specialists by group, or a baseline alone, as `teacher`
    frozen: bool = True  # whether they stay as they are meanwhile
    features: bool = False  # whether their pooled features are there as well
