"""The sections `baselines` and `students`: the rows of the tables."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from dtkd.config.fields import Count, Fraction, Name, Positive, Section
from dtkd.config.model import Backbone, Clip
from dtkd.config.training import Outputs


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
