"""The section `split`: which classes are static, and which dynamic."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from dtkd.config.fields import Name, Section
from dtkd.errors import DtkdError


class Split(Section):
    """Which classes are static: by their flow (Eq. 1), as the paper has them, as `static` lists them, or by lot."""

    source: Literal["flow", "published", "listed", "random"] = "flow"
    measure: Literal["mean", "std", "q50", "q75", "q90", "q99", "camera", "residual", "median", "centre", "moving"] = (
        "mean"
    )
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
