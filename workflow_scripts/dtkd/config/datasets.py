"""The section `datasets`: where videos and lists are."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from dtkd.common.errors import DtkdError
from dtkd.common.fields import Count, Name, Section
from dtkd.config.places import Place
from dtkd.data.datasets import Source
from dtkd.data.synthetic import Render

RENDER = {  # what the keys of `render` mean
    "vocabulary": "Which actions: `demo_ucf`, `demo_hmdb` or `demo_source`. It also gives the "
    "values of `noise`, `blur`, `contrast` and `jpeg` where these are `null`.",
    "groups": "Persons and scenes of each class, 3 or more.",
    "clips_per_group": "Videos of each group, 1 or more.",
    "test_share": "Share of the groups on the test side of each list, above 0 and up to 1/3. Less for a data set that "
    "is pretrained on.",
    "frames": "Frames of a video, 2 or more. More for a longer window of `clip`.",
    "fps": "Frames a second, 1 or more.",
    "width": "Width in pixels: even, 16 or more.",
    "height": "Height in pixels: even, 16 or more.",
    "seed": "Seed of the draw. Another one gives other persons, scenes and movements.",
    "nuisance": "Camera motion, clutter, other people, occluders, light: 0 is a studio, 2 is hard.",
    "variety": "How differently an action is done each time: 0 is always the same, 2 is hard.",
    "noise": "Sensor noise: standard deviation in grey levels of 255.",
    "blur": "Lens blur: standard deviation in pixels.",
    "contrast": "Contrast; 1 is full.",
    "jpeg": "Quality of an extra JPEG pass over each frame, 1 to 100; 0 is none.",
}


class Dataset(Section):
    """Where one data set's videos and lists are, or how the project renders them.

    `ucf101` and `hmdb51` are the names by which the paper's numbers and static classes are found (the numbers of those
    rows that have the paper's names and hyperparameters).
    """

    format: Literal["ucf101", "hmdb51", "folders", "csv", "features"] = Field(
        description="The form of the lists and folders. `folders`: one folder per class, and lists are drawn; `csv`: "
        "one table says it all; `features`: such a table, or lists of UCF101 or HMDB51, and in place of each video a "
        "`.npy` file, steps by numbers."
    )
    videos: Place = Field(
        description="Folder to which the lists' paths are relative; with `folders` it holds one folder per class. "
        "Another path makes everything run again. With `features`, the folder of these."
    )
    features_of: Name | None = Field(
        None,
        description="`features`: the data set, of the same classes, whose videos they are of, where these are there: "
        "its flow then makes the groups. `null`: `split.measure: feature_change` does, or groups are listed or random.",
    )
    annotations: Place | None = Field(
        None,
        description="Folder of the lists (`ucf101`, `hmdb51`) or the table (`csv`), for `features` either; `folders` "
        "has none.",
    )
    group_pattern: str | None = Field(
        None,
        description="`folders`: a regular expression on `<class>/<file>`. Its first group is what clips of one scene "
        "share; they stay on one side of a list. `none`: each clip is on its own. `null`: the same, but refused where "
        "names show scenes (such as `v_Run_g01_c02.avi`). Set it where clips are cut from longer videos or one person "
        "acts in several; `python -m dtkd.check` proposes one.",
    )
    lists: Count = Field(3, description="How many lists there are; `folders` draws that many.")
    test_fraction: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.3, description="`folders`: the share of each class's videos that is tested on."
    )
    split_seed: int = Field(0, description="`folders`: seed of the draw. Another one gives other lists.")
    render: Render | None = Field(None, description="The project renders the data set itself; `null` for real videos.")

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
