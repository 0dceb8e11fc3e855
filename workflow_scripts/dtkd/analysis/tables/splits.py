"""What tables ask of how a split was made."""

from __future__ import annotations

from collections.abc import Mapping

from dtkd.analysis.tables.rows import Row
from dtkd.data.groups import SUBSETS, group_names


def as_the_papers(split: Row) -> bool:
    """Whether the subsets are meant to be the paper's (`config.Split.as_the_papers`)."""
    criterion = split["criterion"]
    return criterion["source"] == "published" or (criterion["source"] == "flow" and criterion.get("quantile") == 0.25)


def origin(splits: Mapping[str, Row]) -> str:
    """What a caption says of subsets that are neither the flow's nor the paper's."""
    found = {(split["criterion"]["source"], group_names(split) == SUBSETS) for split in splits.values()}
    said = {
        ("listed", True): "; static: the classes that the study lists",
        ("random", True): "; static: classes drawn at random",
        ("listed", False): "; groups: as the study lists their classes",
        ("random", False): "; groups: classes drawn at random",
    }
    return "".join(said.get(kind, "") for kind in sorted(found))
