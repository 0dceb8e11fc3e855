"""The section `datasets`: where videos and lists are."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from dtkd.config.fields import Count, Place, Section
from dtkd.datasets import Source
from dtkd.errors import DtkdError
from dtkd.synthetic import Render


class Dataset(Section):
    """Where one dataset's videos and lists are, or how the project renders them."""

    format: Literal["ucf101", "hmdb51", "folders", "csv"]
    videos: Place = Field(description="folder that holds one folder of videos per class")
    annotations: Place | None = Field(None, description="folder of the lists (ucf101, hmdb51) or the CSV file")
    group_pattern: str | None = Field(
        None, description="folders: regex whose first group names a video's group; none: each is its own, by your word"
    )
    lists: Count = 3
    test_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.3
    split_seed: int = 0
    render: Render | None = Field(None, description="the project renders this dataset itself")

    @model_validator(mode="after")
    def _is_a_source(self) -> Dataset:
        try:
            self.source()
        except DtkdError as error:
            raise ValueError(str(error)) from None
        return self

    def source(self) -> Source:
        pattern = None if self.group_pattern == "none" else self.group_pattern
        return Source(self.format, self.videos, self.annotations, pattern, self.lists, self.test_fraction,
                      self.split_seed)  # fmt: skip

    @property
    def may_part_scenes(self) -> bool:
        """Whether lists are drawn by clip and nobody has said that they may: names should be looked at first."""
        return self.format == "folders" and self.group_pattern is None
