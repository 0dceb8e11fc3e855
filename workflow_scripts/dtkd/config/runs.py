"""A training run: what it is of, and the folder that says so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath

from dtkd.config.model import Clip
from dtkd.config.rows import Student
from dtkd.config.training import Outputs


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
    def row(self) -> Student:
        """A student's settings."""
        assert self.student, f"a {self.role} is no student"
        return self.student

    @property
    def name(self) -> str:
        """The run's folder."""
        return f"{self.settings_name}-seed{self.seed}"

    @property
    def settings_name(self) -> str:
        """What tells it from the study's other runs, except for its seed."""
        parts: list[str | None]
        if self.role == "teacher":
            parts = [self.subset, "LT" if self.frozen else None, self.outputs]
        elif s := self.student:
            parts = [s.method]
            if s.method == "dtkd":
                parts += [f"S{s.S_alpha:g}"]
            parts += [f"T{s.KD_T:g}", f"A{s.KD_alpha:g}"]
            if self.teacher:
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
