"""Hold a finished study's files and settings against the records of how they were made: `python -m dtkd.verify`."""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tqdm import tqdm

from dtkd.common import provenance
from dtkd.common.command import command
from dtkd.common.errors import DtkdError
from dtkd.operations import recorded_settings

SHOWN = 3  # of the artefacts that one changed file was made into


@dataclass
class Findings:
    """What of a study no longer matches its records, and what made it."""

    files: int = 0
    records: int = 0
    changed: list[str] = field(default_factory=list)
    commits: dict[str, int] = field(default_factory=dict)


def verify(results: str | Path, progress: Callable[[Iterable[Path]], Iterable[Path]] = iter) -> Findings:
    """Hash every file that a record below ``results`` names, and compare.

    Paths in the records are relative to the folder that Snakemake ran in: call it there. ``progress`` wraps the
    iteration over the files.

    Raises DtkdError if there is no record.
    """
    found = Findings()
    made: dict[Path, set[tuple[str, str]]] = defaultdict(set)  # file -> (hash, the rule that made it)
    used: dict[Path, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))  # file -> hash -> what it went into
    for path in sorted({*Path(results).rglob("run.json"), *Path(results).rglob("*.run.json")}):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            outputs, inputs = content.get("outputs", []), list(_files(content["inputs"]))
            for entry in outputs:
                made[Path(entry["path"])].add((entry["sha256"], content["rule"]))
            for entry in inputs:
                used[Path(entry["path"])][entry["sha256"]].add(_artefact(path))
            commit = _commit(content["git"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            found.changed.append(f"{path} is no record ({type(error).__name__}: {error})")
            continue
        if not outputs:
            found.changed.append(f"{path} has no hashes of what was made: it is of an earlier version")
        found.records += 1
        found.commits[commit] = found.commits.get(commit, 0) + 1
    if not found.records:
        raise DtkdError(
            f"{results}: holds no record (run.json) of a job that has ended: run the study first, or name its folder"
        )
    for path in progress(sorted({*made, *used})):
        found.files += 1
        try:
            actual = provenance.sha256(path)
        except OSError as error:
            by = ", ".join(sorted(rule for _, rule in made.get(path, ())))
            what = f"that {by} made" if by else f"from which {_list(set().union(*used[path].values()))} was made"
            found.changed.append(f"{path}, {what}, cannot be read ({error.strerror})")
            continue
        for expected, rule in sorted(made.get(path, ())):
            if expected != actual:
                found.changed.append(f"{path} has changed since {rule} made it")
        stale = set().union(*(artefacts for expected, artefacts in used[path].items() if expected != actual))
        if stale:
            found.changed.append(f"{path} has changed since {_list(stale)} {'was' if len(stale) == 1 else 'were'} made")
    return found


def other_settings(results: str | Path) -> list[recorded_settings.Artefact]:
    """What was made with other settings than the study had that `snakemake` was last given (``settings.json``).

    Raises DtkdError if there is no such file (studies with a folder of their own below ``results`` have theirs there),
    or one that cannot be read.
    """
    expected, files = [], sorted(Path(results).rglob("settings.json"))
    if not files:
        raise DtkdError(f"there is no {Path(results, 'settings.json')}, which snakemake writes when it starts")
    for file in files:
        try:
            expected += [recorded_settings.Expected(**each) for each in json.loads(file.read_text(encoding="utf-8"))]
        except (OSError, ValueError, TypeError) as error:
            raise DtkdError(f"{file} cannot be read ({type(error).__name__}: {error})") from None
    return [artefact for artefact in recorded_settings.artefacts(expected) if artefact.differences]


def _files(inputs: dict[str, Any]) -> Iterable[dict[str, str]]:
    for given in inputs.values():
        yield from given if isinstance(given, list) else [given]


def _artefact(record: Path) -> str:
    """What a record tells of: a folder, or the files of a stem."""
    return str(record.parent) if record.name == "run.json" else str(record).removesuffix(".run.json")


def _commit(git: dict[str, Any] | None) -> str:
    return f"{git['commit'][:12]}{', changed' if git['changed'] else ''}" if git else "no commit"


def _list(names: Iterable[str]) -> str:
    names = sorted(names)
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", nargs="?", default="results", help="the study's folder (default: results)")
    results = parser.parse_args().results
    with command():
        sys.exit(_run(results))


def _run(results: str) -> int:
    found = verify(results, lambda files: tqdm(files, desc="verify", unit="file", dynamic_ncols=True))
    now = _commit(provenance.git())
    for commit, count in sorted(found.commits.items(), key=lambda item: -item[1]):
        print(f"{count} of {found.records} artefacts were made by {commit}{' (this code)' if commit == now else ''}")
    print(*found.changed, sep="\n", end="\n" if found.changed else "")
    outcome, other = _count(len(found.changed), "does not match", "do not match"), []
    try:
        other = other_settings(results)
        for artefact in other:
            print(f"{artefact.path}: made with {', '.join(map(str, artefact.differences))}")
        outcome += "; settings: " + _count(len(other), "differs from the study's", "differ from the study's")
    except DtkdError as error:
        outcome += f"; settings are not compared: {error}"
    print(f"{found.files} files of {found.records} artefacts: {outcome}")
    return int(bool(found.changed or other))


def _count(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}" if number else "all match"
