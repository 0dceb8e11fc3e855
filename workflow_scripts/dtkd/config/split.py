"""The section `split`: which classes are static, and which dynamic."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from dtkd.common.errors import DtkdError
from dtkd.common.fields import Name, NameIn, Section
from dtkd.data.groups import SUBSETS, default_names
from dtkd.motion.detectors import PERSON_MEASURES
from dtkd.motion.thresholds import THRESHOLDS

Measure = Literal[
    "mean", "std", "q50", "q75", "q90", "q99", "camera", "residual", "median", "centre", "moving", "person",
    "person_height", "feature_change",
]  # fmt: skip
# What tables, rules and histories call something else; a history has the paper's st and dy for static and dynamic.
RESERVED = {"overall", "all", "teacher", "st", "dy"}
Threshold = Annotated[str, NameIn(THRESHOLDS)]


def _quantile(given: Any) -> float | list[float]:
    """A share of the classes, or several, ascending."""
    several = given if isinstance(given, list) else [given]
    for number in several:
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise ValueError(f": input should be a number, or a list of numbers (got {given!r})")
        if not 0 < number < 1:
            raise ValueError(f": input should be greater than 0 and less than 1 (got {number!r})")
    if not several or several != sorted(set(several)):
        raise ValueError(f": numbers of a list should ascend (got {given!r})")
    return [float(number) for number in given] if isinstance(given, list) else float(given)


_NUMBER = {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}
Quantile = Annotated[
    float | list[float],
    PlainValidator(_quantile),
    WithJsonSchema({"anyOf": [_NUMBER, {"type": "array", "items": _NUMBER}]}),
]


class Split(Section):
    """Which group each class belongs to: static or dynamic in the paper. Each group has a teacher of its own."""

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
        "pixels where it is more than 0.5. `median`: the median of the pairs' means. `person`: the mean over the "
        "pixels of the persons that a detector finds (`flow.persons`); `person_height`: the same in % of these "
        "persons' heights, whatever their distance. Where the camera moves: `residual`; where what acts is small in "
        "the frame: `moving`; where scenes have bystanders: `centre`; where other things than persons move: `person`; "
        "where some are filmed from nearby and some from afar: `person_height`. "
        "`feature_change` is of data sets of features: the mean absolute difference between neighbouring steps.",
    )
    over_time: Literal["mean", "max", "q90", "share"] = Field(
        "mean",
        description="How the pairs' values become the video's: mean, maximum, 90 % quantile, or the share of the time "
        "in which they are above 0.5 pixels a frame (with `flow.unit: second`, 12.5 pixels a second). `q90` where an "
        "action is short in its video; `share` where it lasts longer in some classes.",
    )
    on_no_person: Literal["fail", "skip"] = Field(
        "fail",
        description="`person`, `person_height`: what happens where no person is found in a video. `fail`: the study "
        "stops and names it. `skip`: its class's mean is over the class's other videos, and the log says so.",
    )
    over: Literal["all", "train"] = Field(
        "all", description="Whose videos decide: all, or only the training videos of list 1."
    )
    threshold: Threshold | None = Field(
        None,
        description="`flow`: how the threshold comes from the class means; `null`: `value` if that is given, else "
        "`quantile`. `gap`: the middle of the largest gap between neighbouring class means that leaves two classes on "
        "both sides. `otsu` and `kmeans`: at the two groups that differ most for their spread (the two criteria are "
        "one); `otsu` is the middle between the groups, of two classes or more each, `kmeans` that between their "
        "means. Of groups that these three find, one of a single class is refused.",
    )
    quantile: Quantile = Field(
        0.25,
        description="`flow`: the threshold among the class means (Eq. 1: Q1); an ascending list, such as `[0.25, "
        "0.75]`, makes a group more than it has numbers. `random`: with `boundary`, how many classes each group gets.",
    )
    names: Annotated[list[Name], Field(min_length=2)] | None = Field(
        None,
        description="`flow`, `random`: names of the groups, those with the least motion first; `null`: `static` and "
        "`dynamic`, of three `static`, `medium`, `dynamic`, of more `group1` and so on.",
    )
    value: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        None,
        description="`flow`: the threshold itself, in the measure's unit (pixels a frame), in place of the quantile. "
        "Set it to use the threshold of another data set.",
    )
    boundary: Literal["inclusive", "strict"] = Field(
        "inclusive", description="`flow`, `random`: whether a class on the threshold is static (decisions, row 1)."
    )
    static: dict[Name, Annotated[list[str], Field(min_length=1)]] = Field(
        {},
        description="`listed`: data set → the first teacher's classes; the rest are the second's. Two or more on both "
        "sides, as a teacher of one class has nothing to tell.",
    )
    groups: dict[Name, Annotated[dict[Name, Annotated[list[str], Field(min_length=1)]], Field(min_length=2)]] = Field(
        {},
        description="`listed`: data set → group → its classes, in place of `static`: any number of groups, with any "
        "names, of which each has a teacher. Every class is in one of them.",
    )
    seed: Annotated[int, Field(ge=0)] = Field(0, description="`random`: seed of the draw.")

    def settings(self, dataset: str, *more: str) -> dict[str, Any]:
        """What the source reads, and ``more``, for one dataset: a change of the rest makes nothing run again."""
        by = {self.number} if self.found_by == self.number else {"threshold", self.number}
        read = {
            "flow": {"measure", "over", "boundary", *(by - {None})},
            "published": set(),
            "listed": set(),
            "random": {"quantile", "boundary", "seed"},
        }
        settings = self.model_dump(include={"source", *read[self.source], *more})
        if "measure" in settings:
            settings |= {"over_time": self.over_time} if self.over_time != "mean" else {}
            settings |= {"on_no_person": self.on_no_person} if self.by_person else {}
        if self.names is not None and self.source in ("flow", "random"):
            settings["names"] = self.names
        if self.source != "listed":
            return settings
        if dataset in self.groups:  # their order is part of it, and YAML's maps have one
            return settings | {"groups": {name: sorted(set(own)) for name, own in self.groups[dataset].items()}}
        return settings | {"static": self.static_of(dataset)}

    @property
    def quantiles(self) -> list[float]:
        return self.quantile if isinstance(self.quantile, list) else [self.quantile]

    def group_names(self, dataset: str) -> tuple[str, ...]:
        """The groups of a data set's classes, each of which has a teacher; by motion the least first."""
        if self.source == "published":
            return SUBSETS
        if self.source == "listed":
            return tuple(self.groups.get(dataset, SUBSETS))
        return tuple(self.names or default_names(self.count))

    @property
    def by_quantile(self) -> bool:
        """Whether groups are made by quantiles, of which there may be several."""
        return self.source == "random" or (self.source == "flow" and self.number == "quantile")

    @property
    def count(self) -> int:
        """How many groups a threshold, or several quantiles, make."""
        return len(self.quantiles) + 1 if self.by_quantile else 2

    @property
    def found_by(self) -> str:
        """The threshold that is named, or else implied."""
        return self.threshold or ("quantile" if self.value is None else "value")

    @property
    def number(self) -> str | None:
        """The key that has the threshold's number, if it takes one."""
        return THRESHOLDS[self.found_by].number

    @property
    def by_person(self) -> bool:
        """Whether the measure is of persons, so that a detector has to find them."""
        return self.measure in PERSON_MEASURES

    @property
    def summary(self) -> dict[str, str]:
        """What classes' summaries of flow have to give, where that is not what they always gave."""
        later = {"measure": self.measure} if self.measure in ("centre", "moving") or self.by_person else {}
        return later | ({"over_time": self.over_time} if self.over_time != "mean" else {})

    @model_validator(mode="after")
    def _median_is_over_time(self) -> Split:
        if self.measure == "median" and self.over_time != "mean":
            raise ValueError(f"over_time: {self.over_time}: measure median is over time itself; set over_time: mean")
        return self

    @model_validator(mode="after")
    def _change_is_a_mean(self) -> Split:
        if self.measure == "feature_change" and self.over_time != "mean":
            raise ValueError(f"over_time: {self.over_time}: feature_change is a mean over time; set over_time: mean")
        return self

    @model_validator(mode="after")
    def _persons_are_measured(self) -> Split:
        if self.measure == "person_height" and self.over_time == "share":
            raise ValueError(
                "over_time: share: it counts time above 0.5 pixels a frame, and person_height is in % of heights; "
                "choose mean, max or q90"
            )
        if self.on_no_person != "fail" and not self.by_person:
            raise ValueError(f"on_no_person: measure {self.measure} needs no person; leave it out")
        return self

    @model_validator(mode="after")
    def _value_is_the_thresholds(self) -> Split:
        if self.number == "value" and self.value is None:
            raise ValueError("threshold: value is to be given; set split.value, in pixels a frame")
        if self.number != "value" and self.value is not None:
            raise ValueError(f"value: threshold {self.found_by} reads none; leave one of the two out")
        return self

    @model_validator(mode="after")
    def _groups_have_names(self) -> Split:
        if isinstance(self.quantile, list) and not self.by_quantile:
            by = f"threshold {self.found_by}" if self.source == "flow" else f"source {self.source}"
            raise ValueError(f"quantile: {by} reads no list of them; leave it out")
        if self.names is not None and self.source not in ("flow", "random"):
            raise ValueError(f"names: source {self.source} names its groups itself; leave them out")
        if len(names := self.group_names("")) != len(set(names)):
            raise ValueError(f"names: {self.names} has a name twice; each group has its own")
        if self.names is not None and len(self.names) != self.count:
            raise ValueError(f"names: there are {len(self.names)}, but {self.count} groups; give one for each")
        for name in {*names, *(name for own in self.groups.values() for name in own)} & RESERVED:
            raise ValueError(f"names, groups: {name!r} has a meaning of its own in tables; choose another name")
        return self

    def static_of(self, dataset: str) -> list[str]:
        """The classes that are listed for a dataset, each once; DtkdError if there are none."""
        if dataset not in self.static:
            raise DtkdError(f"config: split.static.{dataset}: required by split.source: listed; list some classes")
        return sorted(set(self.static[dataset]))

    @property
    def as_the_papers(self) -> bool:
        """Whether subsets are meant to be the paper's: its lists, or classes up to the first quartile of their flow."""
        by_quartile = self.source == "flow" and self.found_by == "quantile" and self.quantiles == [0.25]
        return by_quartile or self.source == "published"
