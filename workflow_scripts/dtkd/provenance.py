"""`run.json`: what made an artefact."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "torchvision", "pytorchvideo", "opencv-contrib-python", "numpy", "pandas", "pyarrow", "snakemake")


def sha256(path: str | Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def record(settings: dict[str, Any], inputs: dict[str, str], device: str) -> dict[str, Any]:
    """Settings, input hashes, versions and machine of a run, as plain values for JSON."""
    return {
        "settings": settings,
        "inputs": {name: {"path": str(path), "sha256": sha256(path)} for name, path in inputs.items()},
        "versions": {"python": platform.python_version()} | {name: metadata.version(name) for name in PACKAGES},
        "git": _git(),
        "device": device,
    }


def _git() -> dict[str, Any] | None:
    """The commit of the code and whether it was changed since; None where the code is no git checkout."""
    here = Path(__file__).parent
    try:
        commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=here, capture_output=True, text=True, check=True)
        status = subprocess.run(["git", "status", "--porcelain"], cwd=here, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return {"commit": commit.stdout.strip(), "changed": bool(status.stdout.strip())}
