"""The sections `model` and `clip`: the network, and the frames that it sees; what of them a row has of its own."""

from __future__ import annotations

import hashlib
import re
from pathlib import PurePosixPath
from typing import Annotated, Literal

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


Weights = Annotated[PathText, AfterValidator(_weights)]
Dropout = Annotated[float, Field(ge=0, lt=1)]


def weights_word(choice: str) -> str:
    """What a network starts from, in a run's name; paths that end alike differ in it."""
    if choice in WEIGHTS:
        return f"weights_{choice}"
    return f"weights_{PurePosixPath(choice).stem}_{hashlib.sha256(choice.encode()).hexdigest()[:6]}"


class Model(Section):
    """The network of students, teachers and baselines, and what it starts from."""

    backbone: Backbone = Field(
        description="The network (networks). Where the GPU is small: `slowfast_r50_8x8`; where there "
        "is none: `slowfast_small`. `plugins` may add others."
    )
    weights: Weights = Field(
        description="What trainings start from. `kinetics400`, `imagenet`: published weights, where there are some "
        "(networks); `pretrain`: what the section `pretrain` makes; `none`: random; `hf:owner/name`: weights on the "
        "Hugging Face hub; else the path of a state dict of `backbone`, as PyTorch, Lightning, DeepSpeed or Hugging "
        "Face's libraries save it (then, and with a hub's, rows with another backbone need `weights` of their own)."
    )
    weights_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = Field(
        None,
        description="SHA-256 that the weights' file of `backbone` must have, 64 hexadecimal digits. Without it the "
        "first download is trusted.",
    )
    dropout: Dropout = Field(0.5, description="Dropout before the head. Less for small networks.")


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
    crop: Count | None = Field(
        None,
        description="In a clip of a row's own: the side in pixels to which the square of `augment` is scaled for its "
        "network; `null`: `augment.crop`.",
    )

    @model_validator(mode="after")
    def _is_by_frames_or_by_time(self) -> Clip:
        if (self.rate is None) == (self.fps is None):
            problem = "both are given" if self.rate else "neither is given"
            raise ValueError(f"rate, fps: {problem}; set one of the two (the other to null)")
        return self

    def side(self, crop: int) -> int:
        """The side in pixels of the square that the network sees, where `augment.crop` is ``crop``."""
        return self.crop or crop

    @property
    def span(self) -> tuple[str, float]:
        """How much of a video a clip is of: so many frames, or seconds."""
        return ("frames", self.frames * self.rate) if self.rate else ("seconds", self.frames / (self.fps or 1))

    def __str__(self) -> str:
        times = f"{self.frames}x{self.rate}" if self.fps is None else f"{self.frames}at{self.fps:g}fps"
        return times if self.crop is None else f"{times}-{self.crop}px"


class OwnNetwork(Section):
    """What of its network a row has of its own."""

    backbone: Backbone | None = Field(None, description="Another network; `null`: `model.backbone`.")
    weights: Weights | None = Field(None, description="Another start, as `model.weights`; `null`: that one.")
    dropout: Dropout | None = Field(None, description="Another dropout before the head; `null`: `model.dropout`.")
    clip: Clip | None = Field(
        None,
        description="Another clip, with the keys of `clip` and `crop`, the side of its squares; `null`: the study's. "
        "In training, students and teachers see the windows that the study's `clip` and `augment` draw, each at its "
        "own frames and size (smaller students).",
    )
    pixels: Literal["study", "published"] | None = Field(
        None,
        description="What clips are normalised with. `published`: the mean and deviation of the network's published "
        "recipe; `null` or `study`: those of the study's training videos.",
    )

    def words(self) -> list[str]:
        """What tells it from the study's, in a run's name, but for the backbone."""
        found = [str(self.clip) if self.clip else None, weights_word(self.weights) if self.weights else None]
        found += [None if self.dropout is None else f"dropout{self.dropout:g}"]
        found += [f"{self.pixels}_pixels" if self.pixels else None]
        return [word for word in found if word]


STUDYS_OWN = OwnNetwork()
"""That of a row that has nothing of its own."""
