"""Successive halving (Jamieson & Talwalkar 2016): what is found of a search's candidates, and who goes on.

A search's folder has for each candidate `candidates/<name>/`: the state of its training, from which a later rung goes
on, while it may do so, and `history.json`, its epochs so far, which stays. So a candidate is never trained again for
what is known of it, whichever way the search is changed, and a state that is lost costs time alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dtkd.common import provenance
from dtkd.common.errors import DtkdError
from dtkd.common.files import write_json

Tried = Mapping[str, Any]
"""What is found of a candidate at a rung: ``candidate`` (None: nobody had the place), ``epochs`` (its history's rows)
and ``diverged`` (what ended it, or None)."""

NOBODY = {"epochs": [], "diverged": None}


def at_place(ranking: str | Path, place: int) -> str | None:
    """Who has a place, from 1, among those that go on; None where others have diverged."""
    on = json.loads(Path(ranking).read_text(encoding="utf-8"))["on"]
    return on[place - 1] if place <= len(on) else None


def inputs(given: Iterable[tuple[str, Any]], candidate: Mapping[str, Any]) -> dict[str, str]:
    """The input files of a candidate's training by the names that a student's have: ``given`` are those of its job."""
    every = {name: str(path) for name, path in given if path and name not in ("taught", "ranking")}
    return every | candidate["inputs"]


def state(folder: str | Path, candidate: str) -> Path:
    """Where the training of a candidate leaves its state; ``folder`` is the search's."""
    return Path(folder, "candidates", candidate, "resume.pt")


def fingerprint(settings: Mapping[str, Any], inputs: Mapping[str, str]) -> dict[str, Any]:
    """What a training is known by; ``inputs`` are its files by the rule's names."""
    return {"settings": dict(settings), "inputs": {name: provenance.hashed(path) for name, path in inputs.items()}}


def keep(
    state: Path, mark: Mapping[str, Any], epochs: Sequence[Mapping[str, Any]], over: bool, diverged: str | None
) -> None:
    """Write down a candidate's ``epochs``, beside its ``state``; ``over``: its patience has ended it."""
    content = {"fingerprint": mark, "epochs": epochs, "over": over, "diverged": diverged}
    write_json(_history(state), content)


def known(state: Path, mark: Mapping[str, Any], until: int) -> dict[str, Any] | None:
    """What is known of a candidate ``until`` an epoch: ``epochs`` and ``diverged``; None if it has to be trained."""
    try:
        kept = json.loads(_history(state).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if kept["fingerprint"] != json.loads(json.dumps(mark)):
        return None
    ended = len(kept["epochs"]) >= until or kept["over"] or kept["diverged"]
    diverged = kept["diverged"] if len(kept["epochs"]) < until else None
    return {"epochs": kept["epochs"][:until], "diverged": diverged} if ended else None


def _history(state: Path) -> Path:
    return state.with_name("history.json")


def ranking(tried: Sequence[Tried], after: int) -> dict[str, Any]:
    """Rank candidates, which come in the order of the ranking before (at first, of the grid).

    The best has the highest validation top-1 of its epochs so far: by that epoch it would be tested. Of equals the one
    with the higher top-5 there is better, then the one that was better before. Who has diverged is last.

    Returns:
        ``on``: the names of the first ``after``, who go on; ``ranking``: a row for each, the best first: candidate,
        top1 and top5 (per cent, None without an epoch), epoch (the best one's number), val_top1 (of each epoch),
        train_seconds (of all), diverged.

    Raises:
        DtkdError: all have diverged (says how).
    """
    rows = [_row(each) for each in tried if each["candidate"] is not None]
    rows.sort(key=lambda row: (row["diverged"] is not None, -(row["top1"] or 0), -(row["top5"] or 0)))
    sound = [row["candidate"] for row in rows if row["diverged"] is None]
    if not sound:
        raise DtkdError(f"the search has no candidate left, all have diverged; the first one: {rows[0]['diverged']}")
    return {"on": sound[:after], "ranking": rows}


def _row(tried: Tried) -> dict[str, Any]:
    epochs = tried["epochs"]
    best = max(epochs, key=lambda epoch: epoch["val_top1"], default={})  # the first of equals, as trainings select it
    return {
        "candidate": tried["candidate"],
        "top1": best.get("val_top1"),
        "top5": best.get("val_top5"),
        "epoch": best.get("epoch"),
        "val_top1": [epoch["val_top1"] for epoch in epochs],
        "train_seconds": sum(epoch["train_seconds"] for epoch in epochs),
        "diverged": tried["diverged"],
    }


def forget(folder: str | Path, on: Iterable[str]) -> None:
    """Remove the states of all candidates but those that go on; the winner's stays, for a grid that grows."""
    kept = {state(folder, name) for name in on}
    for file in Path(folder, "candidates").glob("*/resume.pt"):
        if file not in kept:
            file.unlink()
