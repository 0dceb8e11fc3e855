"""The section `augment`: how frames become the squares that networks see."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from dtkd.common.errors import DtkdError
from dtkd.common.fields import Count, Fraction, Section


class Augment(Section):
    """How a frame becomes the square that networks see.

    Training: RandomShortSideScale, RandomCrop, RandomHorizontalFlip. Test: a fixed short side and a centre crop, or
    with `fit: squash` and `letterbox` the whole frame.
    """

    short_side: tuple[Count, Count] = Field(
        description="Range in pixels from which the scaled shorter side is drawn in training (`squash`: both sides, "
        "`letterbox`: the longer side). From 256 to 320 with a crop of 256, a training clip loses up to a fifth of a "
        "side; `[256, 256]` loses nothing of the shorter one."
    )
    crop: Count = Field(
        description="Side in pixels of the square that networks see; at most the smaller of `short_side` and "
        "`test_short_side`. Smaller where memory is short."
    )
    test_short_side: Count = Field(
        description="The shorter side in pixels at test time, before the centre crop. `squash` and `letterbox` scale "
        "the whole frame to `crop` instead."
    )
    flip: Fraction = Field(
        0.5,
        description="Probability of RandomHorizontalFlip. `0` where left and right tell classes apart (`python -m "
        "dtkd.check` looks for such names).",
    )
    fit: Literal["crop", "squash", "letterbox"] = Field(
        "crop",
        description="How a frame becomes a square. `crop`: a square part of it. `squash`: all of it, its proportions "
        "lost. `letterbox`: all of it, with margins in the mean colour of the training videos, which networks see as "
        "zeros. Change it where what matters is not in the middle, or videos are wide.",
    )

    @property
    def settings(self) -> dict[str, Any]:
        """What clips depend on. (The fit is left out where it is the usual one, as before there was another.)"""
        return self.model_dump(mode="json", exclude={"fit"} if self.fit == "crop" else None)

    def check_crops(self, crops: int) -> None:
        """Raise DtkdError where there are to be several crops of a frame that one shows."""
        if crops > 1 and self.fit != "crop":
            raise DtkdError(f"{crops} crops lie along the longer side, and augment.fit: {self.fit} shows it all: set 1")

    @model_validator(mode="after")
    def _crop_fits(self) -> Augment:
        low, high = self.short_side
        if low > high:
            raise ValueError(f"short_side: the smallest side comes first, not [{low}, {high}]")
        smallest = min(low, self.test_short_side) if self.fit == "crop" else low
        if self.crop > smallest:
            raise ValueError(f"crop: {self.crop} does not fit in the smallest short side {smallest}")
        return self
