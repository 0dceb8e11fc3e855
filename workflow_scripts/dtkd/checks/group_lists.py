"""Lists that keep together what belongs together: a CSV file that a data set of `format: csv` can name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from dtkd.checks.name_groups import joined
from dtkd.common.errors import DtkdError
from dtkd.common.files import atomic
from dtkd.data.datasets import draw_lists

FILE = "lists_by_group.csv"


def proposed(
    paths: Sequence[str],
    classes: Sequence[str],
    signs: Mapping[str, Sequence[object]],
    lists: int,
    test_fraction: float,
    seed: int,
) -> tuple[pd.DataFrame, list[str]] | None:
    """(the lists, which signs they keep to), redrawn from groups; None where even one sign leaves nothing to draw.

    ``signs`` give, by their names and the surest first, a group to every video: videos that share one are put together.
    Where all signs put too much together for each class to be trained and tested on, the last ones are left out.

    The lists' columns: video, class, split, split2 ..., group, as `format: csv` reads them.
    """
    by_path = dict(zip(paths, classes, strict=True))
    names = list(signs)
    while names:
        numbers = joined(len(paths), (), [signs[name] for name in names])
        groups = {path: paths[number] for path, number in zip(paths, numbers, strict=True)}
        try:
            drawn = draw_lists(by_path, groups, lists, test_fraction, seed, "the groups found")
        except DtkdError:
            names.pop()
            continue
        order = {group: f"group{number}" for number, group in enumerate(dict.fromkeys(groups.values()), start=1)}
        table = pd.DataFrame({"video": paths, "class": classes})
        for number, tested in enumerate(drawn, start=1):
            table[f"split{number}" if number > 1 else "split"] = ["test" if path in tested else "train"
                                                                  for path in paths]  # fmt: skip
        return table.assign(group=[order[groups[path]] for path in paths]), names
    return None


def write(folder: str | Path, table: pd.DataFrame | None) -> None:
    """Write the lists to ``folder``, or remove those of an earlier check where there is nothing to propose now."""
    file = Path(folder) / FILE
    if table is None:
        file.unlink(missing_ok=True)
        return
    with atomic(file) as temporary:
        table.to_csv(temporary, index=False)
