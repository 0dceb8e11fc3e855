"""The sections `model` and `clip`: the network, and the frames that it sees."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from dtkd.common.fields import Count, NameIn, PathText, Section
from dtkd.common.published import HUB
from dtkd.config.places import place
from dtkd.models.entries import NETWORKS

PUBLISHED = ("kinetics400", "imagenet")  # weights that entries of networks have
WEIGHTS = (*PUBLISHED, "pretrain", "none")  # what `model.weights` may be beside a path
HUB_NAME = r"[\w.-]+/[\w.-]+"
Backbone = Annotated[str, NameIn(NETWORKS)]


def _weights(choice: str) -> str:
    """A path in its one spelling, unless it is one of the words or a name on a hub."""
    if choice.startswith(HUB):
        if not re.fullmatch(HUB_NAME, choice.removeprefix(HUB)):
            raise ValueError(f": after {HUB} stands the name of a repository, owner/name (got {choice!r})")
        return choice
    path = choice if choice in WEIGHTS else place(choice)
    if path != choice and path in WEIGHTS:
        raise ValueError(f": a file called like one of the choices; rename it (got {choice!r})")
    return path


class Model(Section):
    """The network of students, teachers and baselines, and what it starts from."""

    backbone: Backbone = Field(
        description="The network (networks). Where the GPU is small: `slowfast_r50_8x8`; where there "
        "is none: `slowfast_small`. `plugins` may add others."
    )
    weights: Annotated[PathText, AfterValidator(_weights)] = Field(
        description="What trainings start from. `kinetics400`, `imagenet`: published weights, where there are some "
        "(networks); `pretrain`: what the section `pretrain` makes; `none`: random; `hf:owner/name`: weights on the "
        "Hugging Face hub; else the path of a state dict of `backbone`, as PyTorch, Lightning, DeepSpeed or Hugging "
        "Face's libraries save it. Of the last two, no baseline may have another backbone: `U5: null`."
    )
    weights_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = Field(
        None,
        description="SHA-256 that the weights' file of `backbone` must have, 64 hexadecimal digits. Without it the "
        "first download is trusted.",
    )
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.5, description="Dropout before the head. Less for small networks."
    )


class Clip(Section):
    """Which frames a network sees.

    A video that is shorter than the window (`frames` × `rate` frames, or `frames` / `fps` seconds) is spread over its
    whole length.
    """

    frames: Count = Field(
        description="Frames that a network sees at once. Each backbone takes some numbers alone (networks). 64 for a "
        "16x8 one, 32 for an 8x8 one; fewer where memory is short."
    )
    rate: Count | None = Field(
        None, description="Every how many source frames one is taken. Give `rate` or `fps`, not both."
    )
    fps: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        None,
        description="Frames taken a second, by the videos' own times: the same seconds for every camera, and right "
        "for variable frame rates. Over a section that has `rate`: `{rate: null, fps: 10}`.",
    )

    @model_validator(mode="after")
    def _is_by_frames_or_by_time(self) -> Clip:
        if (self.rate is None) == (self.fps is None):
            problem = "both are given" if self.rate else "neither is given"
            raise ValueError(f"rate, fps: {problem}; set one of the two (the other to null)")
        return self

    def __str__(self) -> str:
        return f"{self.frames}x{self.rate}" if self.fps is None else f"{self.frames}at{self.fps:g}fps"
