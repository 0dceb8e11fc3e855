"""The section `augment`: how frames become the squares that networks see."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from dtkd.config.fields import Count, Fraction, Section
from dtkd.errors import DtkdError


class Augment(Section):
    """RandomShortSideScale, RandomCrop, RandomHorizontalFlip; at test time a fixed short side and a centre crop.

    Or the whole frame: squashed into a square of the drawn size, or scaled until its longer side has that size; in a
    test `crop` is the size.
    """

    short_side: tuple[Count, Count]
    crop: Count
    test_short_side: Count
    flip: Fraction = 0.5
    fit: Literal["crop", "squash", "letterbox"] = Field("crop", description="how a frame becomes a square")

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
