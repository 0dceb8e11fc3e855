"""Which videos are of one recording, as far as lists and names tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dtkd.data.datasets import scenes_in_names

if TYPE_CHECKING:
    import pandas as pd


def recordings(index: pd.DataFrame) -> dict[str, str]:
    """Path -> recording, of every video of an index (`videos.parquet`): the index's column ``group`` where it has one.

    Otherwise names of known kinds tell, such as UCF101's and HMDB51's: their clips of one group or film, within a
    class, share a recording. A video of which nothing is known is a recording of its own.
    """
    paths = list(index["path"])
    if "group" in index:
        return dict(zip(paths, index["group"], strict=True))
    found = scenes_in_names(paths)
    return {path: path for path in paths} | (found.scenes if found else {})
