"""The section `flow`: the optical flow of every video."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from dtkd.config.fields import Count, Place, Section


class Flow(Section):
    """Optical flow of every video (paper, Section 3.1)."""

    algorithm: Literal["farneback", "dis_fast", "dis_medium", "tvl1", "farneback_cuda", "raft_small", "raft_large"] = (
        "farneback"
    )
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
