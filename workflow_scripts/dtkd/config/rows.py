"""The sections `baselines` and `students`: the rows of the tables."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from dtkd.config.fields import Count, Fraction, Name, Positive, Section
from dtkd.config.model import Backbone, Clip
from dtkd.config.training import Outputs


class Baseline(Section):
    """A plain fine-tuning, which students are compared with.

    Each list that students have needs a baseline with the study's backbone and clip and without `frozen`: the first of
    these is what its students are compared with.
    """

    list: Count = Field(
        1, description="The list to train and test on. A row for each list gives the cross-validation and Figure 5."
    )
    frozen: bool = Field(False, description="Only the head trains: what the start weights alone are worth.")
    backbone: Backbone | None = Field(None, description="Another network, to compare; `null`: `model.backbone`.")
    clip: Clip | None = Field(
        None, description="Another clip, to compare, with the keys of `clip`; `null`: the study's."
    )


class Student(Section):
    """One student: the paper's hyperparameters (Eqs. 2 to 13), or plain distillation from one teacher to compare.

    Teachers need no rows: there are two for each list, seed, `LT` and `teacher_outputs`. The teacher of a student by
    plain distillation is a baseline.
    """

    method: Literal["dtkd", "bskd", "kd"] = Field(
        "dtkd",
        description="`dtkd`: the paper's method. `bskd`: each sample is taught by the teacher of its class's subset "
        "alone. `kd`: plain distillation, all samples by one teacher of all classes; it has no `LT` and no `FT`.",
    )
    teacher: Name | None = Field(
        None,
        description="`kd`: the row of `baselines` that teaches, of the same list and clip, with any backbone; `null`: "
        "the baseline that students are compared with. Set it to have a larger network teach.",
    )
    LT: bool = Field(True, description="Locked teachers: of the teachers, only the heads were trained.")
    FT: bool = Field(
        True,
        description="Frozen teachers: they stay as they are while the student learns. `false` costs the most time and "
        "memory.",
    )
    S_alpha: Fraction | None = Field(
        None,
        description="Share of a teacher's confidence in its score; the rest is its loss's (Eq. 8). `dtkd` needs it, "
        "the others have none.",
    )
    KD_T: Positive = Field(description="Temperature of the softened distributions (Eqs. 2, 3).")
    KD_alpha: Fraction = Field(
        description="Share of distillation in the loss; the rest is cross-entropy with the labels (Eq. 13)."
    )
    weighting: Literal["gated", "blend", "partition"] = Field(
        "gated",
        description="What becomes of the weight of the teacher whose subset a sample does not belong to. `gated`: Eq. "
        "9, then zero. `blend`: Eq. 9 as it is. `partition`: 1 for the own teacher, 0 for the other (decisions, row "
        "6).",
    )
    outside: Literal["confidence", "zero"] = Field(
        "confidence",
        description="What a teacher scores on a sample outside its subset: `S_alpha` × its confidence, or 1 − "
        "`S_alpha` (decisions, row 6). `weighting: partition` reads no score.",
    )
    unfrozen: Literal["own", "joint"] = Field(
        "own",
        description="With `FT: false`: teachers learn from their own loss, or from the student's as well (decisions, "
        "row 10).",
    )
    teacher_outputs: Outputs | None = Field(
        None, description="The classes that its two teachers can predict; `null`: as `teachers.outputs`."
    )
    list: Count = Field(1, description="The list to train and test on; there has to be a baseline of that list.")

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
