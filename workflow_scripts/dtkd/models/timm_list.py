"""timm's image networks by name, without timm: `timm.csv` has what the config needs to know of each.

The file is made by `python -m dtkd.models.list_timm` after a change of timm's version: timm imports torch, and the
config must not.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

LIST = Path(__file__).parent / "timm.csv"


@dataclass(frozen=True)
class Image:
    """What timm says of a network."""

    network: str
    family: str
    """timm's module that has it."""
    classifier: str
    """Its last layer."""
    crop: int
    """What its weights were made for, in pixels;"""
    fixed: bool
    """whether it takes nothing else."""
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    weights: str
    """The repository of its default weights on the Hugging Face hub; empty where there are none."""


@cache
def images() -> dict[str, Image]:
    """Every image network that has one classifier, by name."""
    with LIST.open(encoding="utf-8", newline="") as file:
        return {row["network"]: _read(row) for row in csv.DictReader(file)}


def _read(row: dict[str, str]) -> Image:
    return Image(
        row["network"], row["family"], row["classifier"], int(row["crop"]), row["fixed"] == "1", _values(row["mean"]),
        _values(row["std"]), row["weights"],
    )  # fmt: skip


def _values(text: str) -> tuple[float, float, float]:
    red, green, blue = map(float, text.split())
    return red, green, blue
