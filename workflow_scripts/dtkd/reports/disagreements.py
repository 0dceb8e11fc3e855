"""Student against baseline, video by video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dtkd.reports.words import by_dataset, is_number


def disagreements(rows: Sequence[Mapping[str, str]], pictures: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    """Per data set how many videos exactly one of the two got right, and of each side those that have a picture."""
    found = []
    for dataset, some in by_dataset(rows):
        sides = []
        for winner, loser in (("student", "baseline"), ("baseline", "student")):
            won = [row for row in some if row["right"] == winner]
            shown = [row | {"picture": pictures.get(dataset, {}).get(row["video"])} for row in won]
            shown = [_confident(row) for row in shown if row["picture"]]
            sides.append({"winner": winner, "loser": loser, "number": len(won), "rows": shown})
        found.append({"dataset": dataset, "list": some[0]["list"], "student": some[0]["student"],
                      "baseline": some[0]["baseline"], "sides": sides})  # fmt: skip
    return found


def _confident(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with confidences in per cent; of a model that diverged there is none."""
    per_cent = {
        key: f"{100 * float(row[key]):.0f} %" if is_number(row[key]) else "–"
        for key in ("student_confidence", "baseline_confidence")
    }
    return dict(row) | per_cent
