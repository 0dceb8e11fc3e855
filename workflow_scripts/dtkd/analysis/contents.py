"""Which tables and figures there are (``contents.yaml``): what each is made of, and its words in the report.

Imported by the Snakefile, so it imports no torch, pandas or matplotlib.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # at every start: libyaml is five times as fast


@dataclass(frozen=True)
class Reads:
    """What a table or a figure is made of: inputs and parameters of its job."""

    runs: str | None = None  # the function of `shown_runs` that names runs and their files
    splits: str | None = None  # "split", the study's; "each" that teachers are of; "chosen", the chosen student's; or
    # "motion", the study's with the classes' flow in any case
    indexes: bool = False  # each data set's videos
    stability: bool = False  # how stable each split by flow is
    table: str | None = None  # another table
    setting: str | None = None  # of the study: see `SETTINGS` in rules/tables.smk
    published: str | None = None  # the paper's numbers beside a figure's (a table may read those of every table)


SECTIONS: list[dict[str, Any]] = yaml.load(Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8"), _LOADER)


def _made_of(kind: str) -> dict[str, Reads]:
    """Name -> what it is made of, of the tables or figures that are made by the rule of this name."""
    items = [item for section in SECTIONS for item in section["items"] if kind in item and "reads" in item]
    return {item[kind]: Reads(**item["reads"]) for item in items}


TABLES, FIGURES = _made_of("table"), _made_of("figure")
