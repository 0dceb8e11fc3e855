"""What the checks of a study's data sets say before its results."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dtkd.checks.findings import Finding, ordered, pressing, read


@dataclass
class Checked:
    """One data set: its errors and warnings, or that they are of other settings."""

    dataset: str
    page: str
    """Of the check, as a link from the report."""
    findings: list[Finding] = field(default_factory=list)
    outdated: bool = False


def of_data_sets(files: Iterable[str], settings: Mapping[str, Any]) -> list[Checked]:
    """The data sets that something pressing was found of; ``files`` are each one's `check.json`, `check_groups.json`.

    ``settings`` are those by which each data set should have been checked (`Study.checked`): a check by others, which
    `python -m dtkd.check` may have made, is named as outdated.
    """
    found: dict[str, Checked] = {}
    for file in files:
        dataset, used, some = read(file)
        own = found.setdefault(dataset, Checked(dataset, f"{Path(file).parent.name}/check.html"))
        if used != json.loads(json.dumps(settings[dataset])):
            own.outdated = True
        else:
            own.findings += pressing(some)
    for own in found.values():
        own.findings = ordered(own.findings)
    return [own for own in found.values() if own.findings or own.outdated]
