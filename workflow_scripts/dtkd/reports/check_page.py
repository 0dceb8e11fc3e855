"""What a check writes: a page of a data set's findings, of what the network sees of it and of its numbers; and files.

As the report, the page needs no other file and no network, and its template escapes every value.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import jinja2
import numpy as np

from dtkd.checks import findings, group_lists, window_figure
from dtkd.checks.card import Card
from dtkd.checks.findings import Finding, counted
from dtkd.checks.registry import run
from dtkd.checks.wording import percent
from dtkd.common.files import atomic
from dtkd.data.pictures import jpeg, middle_frame
from dtkd.reports.page import TEMPLATES, shown_duration

ROWS = 40
"""Rows of a finding's table that the page shows."""
PICTURED = 8
"""Pairs of videos of a finding that are shown."""


@dataclass(frozen=True)
class Fact:
    name: str
    value: str


def facts(card: Card) -> list[Fact]:
    """What a data set is, in numbers."""
    lengths = card.durations[np.isfinite(card.durations)]
    sizes = sorted({(info.width, info.height) for info in card.infos}, key=lambda size: size[0] * size[1])
    rates = sorted({round(info.fps, 2) for info in card.infos if info.fps})
    found = [
        Fact("videos", f"{len(card.index)} in {len(card.classes)} classes"),
        Fact("videos that cannot be used", str(len(card.problems))),
        Fact("length in all", shown_duration(float(lengths.sum())) if len(lengths) else "unknown"),
        Fact("length of a video", _range([f"{value:.1f} s" for value in np.quantile(lengths, (0, 0.5, 1))])
             if len(lengths) else "unknown"),
        Fact("frames of a video", _range(map(str, np.quantile([info.frames for info in card.infos], (0, 0.5, 1))
                                             .astype(int)))),
        Fact("frames per second", _few([f"{rate:g}" for rate in rates])),
        Fact("frame sizes", _few([f"{width}×{height}" for width, height in sizes])),
    ]  # fmt: skip
    for column in card.lists:
        sides = card.index[column].value_counts()
        said, guessed = card.chance(column)
        found.append(
            Fact(
                column.replace("list", "list "),
                f"{sides.get('train', 0)} videos to train on, {sides.get('test', 0)} to test on; chance level "
                f"{100 * said:.1f} % (always the largest class), {100 * guessed:.1f} % (guessing)",
            )
        )
    return found


def _range(values: Any) -> str:
    least, middle, most = values
    return least if least == most else f"{least} to {most}, median {middle}"


def _few(values: Sequence[str]) -> str:
    if len(values) <= 3:
        return ", ".join(values) or "unknown"
    return f"{values[0]} to {values[-1]} ({len(values)} different ones)"


def class_rows(card: Card) -> list[dict[str, str]]:
    """A row a class: how many videos, of what length, rate and size, and what the test crop has of their motion."""
    seen: dict[str, list[float]] = {}
    for view in card.views:
        if np.isfinite(view.test):
            seen.setdefault(card.index["class"][view.number], []).append(view.test)
    rows = []
    for name in card.classes:
        own = np.flatnonzero(card.index["class"] == name)
        infos = [card.infos[number] for number in own]
        row = {"class": name, "videos": str(len(own))}
        for column in card.lists:
            sides = card.index[column].iloc[own].value_counts()
            row[column.replace("list", "list ")] = f"{sides.get('train', 0)} + {sides.get('test', 0)}"
        row |= {
            "seconds": f"{np.nanmedian(card.durations[own]):.1f}" if np.isfinite(card.durations[own]).any() else "–",
            "frames/s": f"{median(info.fps for info in infos):.4g}",
            "frame": f"{median(info.width for info in infos):.0f}×{median(info.height for info in infos):.0f}",
            "motion in the test crop": percent(float(np.mean(seen[name]))) if name in seen else "–",
        }
        rows.append(row)
    return rows


def figure(card: Card) -> str | None:
    """The windows on whole frames, PNG, base64; None where nothing moves in any video."""
    entries = window_figure.shown(card.views, list(card.index["class"]))
    if not entries:
        return None
    file = io.BytesIO()
    window_figure.draw(entries, card.settings.augment.crop).savefig(file, format="png", dpi=170)
    return base64.b64encode(file.getvalue()).decode("ascii")


def write(card: Card, commands: Sequence[str]) -> list[Finding]:
    """Do all checks, and write `check.html`, `check.json`, `check.csv` and proposed lists into the card's folder.

    ``commands`` make the flow tables that some checks need, and the check again. Returns the findings, the most serious
    first.
    """
    found, undone = run(card)
    if not card.proposal_in_use:  # else the study reads that file
        proposes = any(group_lists.FILE in finding.config for finding in found)
        group_lists.write(card.folder, card.proposal[0] if proposes else None)
    text = page(card, found, undone, commands)
    with atomic(card.folder / "check.html") as file:
        file.write_text(text, encoding="utf-8")
    findings.write_csv(card.folder / "check.csv", found)
    findings.write(card.folder / "check.json", card.name, card.settings.plain, found)
    return found


def _pictured(card: Card, finding: Finding) -> list[Mapping[str, str]]:
    """The finding's rows that are pairs of videos, with small pictures."""
    pairs = [row for row in finding.rows if {"video", "other"} <= row.keys()][:PICTURED]
    return [{**row, **{f"{key}_picture": jpeg(middle_frame(card.root / row[key]), 72) for key in ("video", "other")}}
            for row in pairs]  # fmt: skip


def page(card: Card, found: Sequence[Finding], undone: Sequence[str], commands: Sequence[str]) -> str:
    """The page as HTML; ``commands`` make the missing flow tables and run the ``undone`` checks that need them."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("check.html.j2").render(
        name=card.name,
        settings=card.settings,
        counted=counted(found),
        findings=[
            {"finding": finding, "rows": finding.rows[:ROWS], "more": max(0, len(finding.rows) - ROWS),
             "pictures": _pictured(card, finding)}
            for finding in found
        ],
        undone=undone,
        commands=commands,
        facts=facts(card),
        classes=class_rows(card),
        figure=figure(card),
        views=len(card.views),
        proposal=card.proposal[1] if any(group_lists.FILE in finding.config for finding in found) else None,
        file=group_lists.FILE,
    )  # fmt: skip
