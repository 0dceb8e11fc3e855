"""Pretrained weights, read without running anything in them; `download` fetches and checks them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dtkd.download import verify
from dtkd.errors import DtkdError
from dtkd.files import atomic


def load_state_dict(path: str | Path, sha256: str | None = None, part: str | None = None) -> dict[str, Tensor]:
    """Read a network's parameters from ``path`` to the CPU, as names to tensors.

    The file may hold them under "model_state" (published weights), under "model" (this project's checkpoints) or bare;
    ``part`` names another key, such as "last" (the last epoch of this project's checkpoints).
    It is checked first against ``sha256`` and the record that ``fetch`` made, if any. Only tensors and plain values are
    read: a file that would run code is refused.

    Raises DtkdError for a file that is missing, altered, damaged, unsafe, or holds something else.
    """
    path = Path(path)
    verify(path, sha256)
    content = load_safely(path)
    state = content
    for key in (part,) if part else ("model_state", "model"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            state = content[key]
            break
    if not isinstance(state, Mapping) or not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise DtkdError(
            f"{path} holds no network's parameters: give a file with tensors by name, bare or under "
            f'"model_state" or "model"'
        )
    return dict(state)


def load_safely(path: str | Path) -> Any:
    """Read tensors and plain values to the CPU; nothing in the file is run.

    Raises DtkdError for a file that is damaged, or that would run code.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged bytes can raise anything; all of it means that the file is not usable
        raise DtkdError(
            f"{path} is damaged, or holds more than tensors and plain values and so is not safe to load "
            f"({type(error).__name__}): fetch it again from a source you trust, or remove it and have it made anew"
        ) from error


def save_tensors(path: str | Path, value: Any) -> None:
    """`torch.save`, atomically, and through a file of Python's, whose errors say what is wrong with the disk."""
    with atomic(path) as temporary, temporary.open("wb") as file:
        torch.save(value, file)
