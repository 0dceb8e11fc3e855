"""What an interrupted training goes on from: its whole state after the last finished epoch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from dtkd.models.weights import save_tensors

FORMAT = 2  # of a resume file; raised when that changes, so that an older one is left alone


def save(path: Path, fingerprint: Mapping[str, Any], state: Mapping[str, Any]) -> None:
    save_tensors(path, {"format": FORMAT, "fingerprint": dict(fingerprint), **state})


def load(path: Path, fingerprint: Mapping[str, Any]) -> dict[str, Any] | None:
    """The state to go on from, or None where there is none or it belongs to other settings or inputs."""
    if not path.exists():
        return None
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a broken resume file costs time, never the run
        print(f"{path}: not readable ({type(error).__name__}), training starts over")
        return None
    same = isinstance(saved, dict) and saved.get("format") == FORMAT and saved.get("fingerprint") == fingerprint
    return saved if same else None


def copy_of(network: nn.Module) -> dict[str, Tensor]:
    """A network's weights as they are now, on the CPU."""
    return {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}
