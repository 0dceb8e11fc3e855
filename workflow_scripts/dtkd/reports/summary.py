"""The report's summary: what the best student of each list gains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dtkd.reports.tables import SUMMED, families
from dtkd.reports.words import is_number
from dtkd.training.metrics import NOISE


@dataclass(frozen=True)
class Finding:
    """The best student of a data set's list beside its baseline; numbers in per cent and points of top-1."""

    dataset: str
    baseline: str
    baseline_top1: float
    students: int
    student: str | None = None
    top1: float | None = None
    gain: float | None = None
    low: float | None = None  # the 95 % interval of the gain
    high: float | None = None
    p: float | None = None
    corrected: float | None = None  # p, adjusted for the number of students
    chosen: str | None = None  # the student that the figures look at, where it is another
    chosen_gain: float | None = None
    test_videos: float | None = None
    chance: float | None = None
    smallest_gain: float | None = None  # that so many test videos are likely to show

    @property
    def verdict(self) -> str:
        """What the gain is worth: better, flattered (better before the correction only), noise, none, or unknown."""
        if self.gain is None or self.gain <= 0:
            return "none"
        if self.p is None:
            return "unknown"
        if self.p >= NOISE:
            return "noise"
        return "flattered" if self.corrected is not None and self.corrected >= NOISE else "better"

    def place(self, value: float) -> float:
        """Where a gain is on a scale from 0 to 100 that is the same on both sides of no gain."""
        reach = max(1.0, *(abs(end) for end in (self.gain, self.low, self.high) if end is not None)) * 1.1
        return round(50 + 50 * value / reach, 2)


def findings(rows: Sequence[Mapping[str, str]], chosen: Mapping[str, str]) -> list[Finding]:
    """What Table 5 found for each list of a data set; ``chosen`` are the students that the figures look at."""
    return [
        _finding(rows[family[0]], [rows[number] for number in family[1:]], chosen.get(rows[family[0]]["dataset"]))
        for family in families(rows)
        if rows[family[0]]["method"] == "baseline"
    ]


def number(row: Mapping[str, str], key: str) -> float | None:
    return float(row[key]) if is_number(row.get(key, "")) else None


def _finding(baseline: Mapping[str, str], students: Sequence[Mapping[str, str]], chosen: str | None) -> Finding:
    plain = {"dataset": baseline["dataset"], "baseline": baseline["model"], "baseline_top1": number(baseline, "top1")}
    plain |= {key: number(baseline, key) for key in SUMMED}
    students = [row for row in students if number(row, "top1") is not None and row["method"] != "control"]
    if not students:
        return Finding(**plain, students=0)
    best = max(students, key=lambda row: number(row, "top1"))
    other = next((row for row in students if row["model"] == chosen != best["model"]), None)
    return Finding(
        **plain, students=len(students), student=best["model"], top1=number(best, "top1"), gain=number(best, "gain"),
        low=number(best, "gain_low"), high=number(best, "gain_high"), p=number(best, "p"),
        corrected=number(best, "p_holm"), chosen=other and other["model"], chosen_gain=other and number(other, "gain"),
    )  # fmt: skip
