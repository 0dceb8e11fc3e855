"""What a check of a data set has to say: findings in plain words, each with its remedy, and their files."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dtkd.common.files import atomic, write_json

LEVELS = ("error", "warning", "note")
"""error: results will be wrong; warning: they may well be worth less than they look; note: good to know."""


@dataclass(frozen=True)
class Finding:
    """One thing that a user should know of a data set before anything trains."""

    level: str
    what: str
    """What was found, in numbers."""
    why: str
    """Why it matters."""
    remedy: str
    """What to do about it."""
    config: str = ""
    """The lines of config (YAML) that do it; empty where no setting does."""
    rows: tuple[Mapping[str, str], ...] = ()
    """Where it was found: rows of a table, all with the same keys."""
    check: str = ""
    """The check's name, which the registry enters."""


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """The most serious first; of one level in the order in which they came."""
    return sorted(findings, key=lambda finding: LEVELS.index(finding.level))


def pressing(findings: Iterable[Finding]) -> list[Finding]:
    """Those that have to be seen before any result: errors and warnings."""
    return [finding for finding in findings if finding.level != "note"]


def counted(findings: Sequence[Finding]) -> str:
    """How many there are of each level.

    >>> counted([Finding("note", "", "", ""), Finding("error", "", "", "")])
    '1 error, no warnings, 1 note'
    """
    number = Counter(finding.level for finding in findings)
    return ", ".join(f"{number[level] or 'no'} {level}{'' if number[level] == 1 else 's'}" for level in LEVELS)


def write(path: str | Path, dataset: str, settings: Mapping[str, Any], findings: Iterable[Finding]) -> None:
    """A `check.json`: the data set's name, the settings by which it was checked, and the findings."""
    write_json(path, {"dataset": dataset, "settings": settings, "findings": [asdict(each) for each in findings]})


def read(path: str | Path) -> tuple[str, dict[str, Any], list[Finding]]:
    """(data set, settings, findings) of a `check.json`."""
    content = json.loads(Path(path).read_text(encoding="utf-8"))
    found = [Finding(**{**each, "rows": tuple(each["rows"])}) for each in content["findings"]]
    return content["dataset"], content["settings"], found


def write_csv(path: str | Path, findings: Iterable[Finding]) -> None:
    """A row a finding: level, check, what, why, remedy, config."""
    columns = ("level", "check", "what", "why", "remedy", "config")
    with atomic(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows([getattr(finding, column) for column in columns] for finding in findings)
