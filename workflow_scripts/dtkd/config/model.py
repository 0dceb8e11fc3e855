"""The sections `model` and `clip`: the network, and the frames that it sees."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from dtkd.config.fields import Count, PathText, Section, place

WEIGHTS = ("kinetics400", "pretrain", "none")  # what `model.weights` may be beside a path
Backbone = Literal["slowfast_r101_16x8", "slowfast_r101_8x8", "slowfast_r50_8x8", "slowfast_small", "slowfast_tiny"]
OWN_BACKBONES = {"slowfast_small", "slowfast_tiny"}  # the project's, of which nobody has published weights


def _weights(choice: str) -> str:
    """A path in its one spelling, unless it is one of the words."""
    path = choice if choice in WEIGHTS else place(choice)
    if path != choice and path in WEIGHTS:
        raise ValueError(f": a file called like one of the choices; rename it (got {choice!r})")
    return path


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
