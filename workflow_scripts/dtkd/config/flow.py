"""The section `flow`: the optical flow of every video."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from dtkd.common.fields import Count, NameIn, Section
from dtkd.config.places import Place
from dtkd.motion.algorithms import ALGORITHMS, FlowAlgorithm

Algorithm = Annotated[str, NameIn(ALGORITHMS)]


class Persons(Section):
    """The detector of persons, which the measures `person` and `person_height` of `split` need.

    It is Faster R-CNN on MobileNetV3, trained on COCO. Where another measure is chosen, nobody is sought.
    """

    every: Count = Field(
        1,
        description="Every how many pairs of frames it looks for persons; each pair has the boxes of the nearest "
        "look. More where it takes too long: of 320×240 frames a look costs a core six times as much as a pair's flow.",
    )
    threshold: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.5,
        description="The detector's score from which on a box counts as a person. Lower finds more persons, and more "
        "that are none.",
    )
    weights: Place | None = Field(
        None, description="File of the detector's parameters; `null`: torchvision's, downloaded on first use."
    )

    @property
    def settings(self) -> dict[str, Any]:
        """What the columns of persons depend on, beside the content of the weights."""
        return {"person_every": self.every, "person_threshold": self.threshold}


class Flow(Section):
    """Optical flow of every video (the paper's Section 3.1)."""

    algorithm: Algorithm = Field(
        "farneback",
        description="The optical flow algorithm. The networks `raft_small` and `raft_large` use a GPU, and so does "
        "`farneback_cuda`, with an OpenCV built for it. Change it to see whether the split hangs on one algorithm. "
        "`plugins` may add others.",
    )
    step: Count = Field(
        1,
        description="Frames between the two of a pair; motion stays in pixels a frame. More where flow takes too long "
        "or motion is very slow.",
    )
    short_side: Annotated[int, Field(ge=16)] | None = Field(
        None,
        description="Working size: the shorter side in pixels; `null`: as the video is. Set it where videos are large "
        "or differ in size.",
    )
    unit: Literal["frame", "second"] = Field(
        "frame",
        description="Motion in pixels a frame (the paper's), or in pixels a second by the videos' own times, which is "
        "right where videos have different frame rates. A change of it computes no flow again.",
    )
    weights: Place | None = Field(
        None, description="`raft_*`: file of the network's parameters; `null`: torchvision's, downloaded on first use."
    )
    persons: Persons = Persons()

    @property
    def entry(self) -> FlowAlgorithm:
        """What is known of the algorithm."""
        return ALGORITHMS[self.algorithm]

    @property
    def settings(self) -> dict[str, Any]:
        """What a table depends on, beside the content of the weights. (The unit is left out where it is the usual one,
        as it was before there was another.)"""
        return self.model_dump(exclude={"weights", "persons", *["unit"] * (self.unit == "frame")})

    @model_validator(mode="after")
    def _weights_belong_to_a_network(self) -> Flow:
        if self.weights and not self.entry.network:
            raise ValueError(f"weights: {self.algorithm} has none; leave it out, or choose raft_small or raft_large")
        if self.entry.network and not self.weights and not self.entry.weights:
            raise ValueError(f"weights: required by {self.algorithm}, of which none are published")
        return self
