"""`run.json`: what made an artefact.

Beside the outputs of every job lies a record of how they were made: ``<stem>.run.json`` where they share a stem
(`results/tables/table5.run.json` tells of table5.csv, .md and .tex), else ``run.json`` in their folder.
`dtkd.verify` reads them again. They are no outputs that the workflow knows of, except a training's.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from dtkd.common.files import write_json

PACKAGES = ("torch", "torchvision", "pytorchvideo", "opencv-contrib-python", "numpy", "pandas", "pyarrow", "snakemake")


def sha256(path: str | Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hashed(path: str | Path) -> dict[str, str]:
    return {"path": str(path), "sha256": sha256(path)}


def record(settings: dict[str, Any], inputs: dict[str, str], device: str) -> dict[str, Any]:
    """Settings, input hashes, versions and machine of a run, as plain values for JSON."""
    return {
        "settings": settings,
        "inputs": {name: hashed(path) for name, path in inputs.items()},
        "versions": {"python": platform.python_version()} | dict(_versions()),
        "git": git(),
        "device": device,
    }


def settings(file: str | Path, part: str = "settings") -> dict[str, Any]:
    """The settings that a record has; none where there is no record, or none that can be read.

    Of a training, ``part`` may be "computing": how it computed, which changes no result.
    """
    try:
        return dict(json.loads(Path(file).read_text(encoding="utf-8"))[part])
    except (OSError, ValueError, TypeError, KeyError):
        return {}


def place(outputs: Iterable[str | Path]) -> Path:
    """Where the record of a job with these outputs lies."""
    paths = [Path(output) for output in outputs]
    if len({(path.parent, path.stem) for path in paths}) == 1:
        return paths[0].with_name(f"{paths[0].stem}.run.json")
    return Path(os.path.commonpath([path.parent for path in paths])) / "run.json"


class Making:
    """One job's record, begun before its work (its inputs are hashed) and written after it (its outputs are)."""

    def __init__(
        self, rule: str, params: Mapping[str, Any], inputs: Mapping[str, str | list[str]], outputs: Iterable[str]
    ):
        self.outputs = list(outputs)
        self.file = place(self.outputs)
        self.began, self.clock = datetime.datetime.now(datetime.UTC), time.monotonic()
        self.content: dict[str, Any] = {"rule": rule}
        if str(self.file) not in self.outputs:  # a training writes its own
            files = {name: hashed(given) if isinstance(given, str) else list(map(hashed, given))
                     for name, given in inputs.items() if given}  # fmt: skip
            self.content |= record(dict(params), {}, "") | {"inputs": files}

    def write(self) -> None:
        """Write the record: to what a training's own holds already, add what is known of any job."""
        if str(self.file) in self.outputs:
            self.content |= json.loads(self.file.read_text(encoding="utf-8"))
        else:
            torch = sys.modules.get("torch")
            self.content["device"] = "cuda" if torch and torch.cuda.is_initialized() else "cpu"
        self.content["outputs"] = [hashed(path) for path in self.outputs if path != str(self.file)]
        self.content["started"] = self.began.isoformat(timespec="seconds")
        self.content["seconds"] = round(time.monotonic() - self.clock, 1)
        write_json(self.file, self.content)


def _versions() -> Iterable[tuple[str, str]]:
    """The versions of the packages that there are: an environment of Conda's has what its stage needs."""
    for name in PACKAGES:
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            continue


def git() -> dict[str, Any] | None:
    """The commit of the code and whether it was changed since; None where the code is no git checkout."""
    here = Path(__file__).parent
    try:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True)
        # files of one's own beside the code (an overlay, a list of answers) are no change of it
        changes = ["git", "status", "--porcelain", "--untracked-files=no"]
        status = subprocess.run(changes, cwd=here, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return {"commit": commit.stdout.strip(), "changed": bool(status.stdout.strip())}
