"""The section `split`: which classes are static, and which dynamic."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from dtkd.common.errors import DtkdError
from dtkd.common.fields import Name, Section

Measure = Literal["mean", "std", "q50", "q75", "q90", "q99", "camera", "residual", "median", "centre", "moving"]


class Split(Section):
    """Which classes are the first teacher's (called static) and which the second's (dynamic)."""

    source: Literal["flow", "published", "listed", "random"] = Field(
        "flow",
        description="What makes a class static. `flow`: little motion (Eq. 1). `published`: the paper's own lists, "
        "for `ucf101` and `hmdb51`. `listed`: the classes that `static` names. `random`: drawn at random, as many as "
        "`flow` would make by the same `quantile`: the control of what motion has to do with it.",
    )
    measure: Measure = Field(
        "mean",
        description="The number of a video's flow by which classes are ranked (with another `source` than `flow`: "
        "which Table 1, Figures 1 and 2 show), in pixels a frame. Of each pair of frames: the mean, standard "
        "deviation or a quantile (`q50` to `q99`) of the magnitude over all pixels; `centre`: the mean over the "
        "middle half of rows and columns; `camera`: the mean of the camera's part, which is the shift, zoom and roll "
        "that most of the frame shares; `residual`: the mean of the rest; `moving`: the mean of the rest over those "
        "pixels where it is more than 0.5. `median`: the median of the pairs' means. Where the camera moves: "
        "`residual`; where what acts is small in the frame: `moving`; where scenes have bystanders: `centre`.",
    )
    over_time: Literal["mean", "max", "q90", "share"] = Field(
        "mean",
        description="How the pairs' values become the video's: mean, maximum, 90 % quantile, or the share of the time "
        "in which they are above 0.5 pixels a frame (with `flow.unit: second`, 12.5 pixels a second). `q90` where an "
        "action is short in its video; `share` where it lasts longer in some classes.",
    )
    over: Literal["all", "train"] = Field(
        "all", description="Whose videos decide: all, or only the training videos of list 1."
    )
    quantile: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.25,
        description="`flow`: the threshold among the class means (Eq. 1: Q1). `random`: with `boundary`, how many "
        "classes become static.",
    )
    value: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        None,
        description="`flow`: the threshold itself, in pixels a frame, in place of the quantile. Set it to use the "
        "threshold of another data set.",
    )
    boundary: Literal["inclusive", "strict"] = Field(
        "inclusive", description="`flow`, `random`: whether a class on the threshold is static (decisions, row 1)."
    )
    static: dict[Name, Annotated[list[str], Field(min_length=1)]] = Field(
        {},
        description="`listed`: data set → the first teacher's classes; the rest are the second's. Two or more on both "
        "sides, as a teacher of one class has nothing to tell.",
    )
    seed: Annotated[int, Field(ge=0)] = Field(0, description="`random`: seed of the draw.")

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
