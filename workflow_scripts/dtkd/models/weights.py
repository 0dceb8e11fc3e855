"""Pretrained weights: fetched and checked, and read without running anything in them."""

import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dtkd.common.download import fetch, verify
from dtkd.common.errors import DtkdError
from dtkd.common.files import atomic
from dtkd.common.published import HUB, Published

# Under which keys training programs keep a network's parameters: published weights, this project's checkpoints,
# Lightning, PyTorch's tutorials, DeepSpeed. What wrappers put before all names: DistributedDataParallel, Lightning. And
# what they put anywhere into a name: torch.compile, FullyShardedDataParallel, activation checkpoints.
CONTAINERS = ("model_state", "model", "state_dict", "model_state_dict", "module", "net", "network")
PREFIXES = ("module.", "model.", "net.", "network.")
_WRAPPERS = re.compile(r"\b(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module|_forward_module)\.")
_REFUSED = re.compile(r"Unsupported global: GLOBAL (\S+) was not an allowed")  # torch's words


def download(published: Published, path: str | Path, sha256: str | None = None, **options: Any) -> Path:
    """Bring published weights to ``path`` and return it; ``sha256`` is what the user says that they must have.

    Raises DtkdError as ``download.fetch`` does (``options`` are its own), where the file is not the published one, or
    where a hub has no such weights.
    """
    if published.url.startswith(HUB) and not Path(path).exists():
        published = _on_hub().published(published.url.removeprefix(HUB))
    path = fetch(published.url, path, sha256, **options)
    digest = verify(path, sha256)
    if not digest.startswith(published.sha256):
        raise DtkdError(
            f"{path} has SHA-256 {digest}, but that of {published.url} begins with {published.sha256}: remove it and "
            "its .sha256, and it is fetched again; or name weights of your own in the config"
        )
    return path


def load_state_dict(path: str | Path, sha256: str | None = None, part: str | None = None) -> dict[str, Tensor]:
    """Read a network's parameters from ``path`` to the CPU, as names to tensors.

    The file may hold them bare or under a key of `CONTAINERS`, which may hold another; ``part`` names another key, such
    as "last" (the last epoch of this project's checkpoints). What DistributedDataParallel, torch.compile and the like
    put into all names is taken away. It is checked first against ``sha256`` and the record that ``fetch`` made, if any.
    Only tensors and plain values are read: a file that would run code is refused. It may be a safetensors file, and
    ``path`` a folder with one, as Hugging Face's libraries save them.

    Raises DtkdError for a file that is missing, altered, damaged, unsafe, or holds something else.
    """
    path = Path(path)
    if path.is_dir():
        path = _on_hub().in_folder(path)
    verify(path, sha256)
    state = _on_hub().read(path) if _is_safetensors(path) else load_safely(path)
    if part and isinstance(state, Mapping):
        state = state.get(part)
    return parameters_in(state, path)


def parameters_in(state: Any, path: str | Path) -> dict[str, Tensor]:
    """The parameters in what a file holds, as `load_state_dict` finds them; errors name ``path``."""
    for _ in CONTAINERS:  # one within another, but not for ever
        if isinstance(state, Mapping) and not _are_parameters(state):
            state = next((state[key] for key in CONTAINERS if isinstance(state.get(key), Mapping)), None)
    if not _are_parameters(state):
        raise DtkdError(
            f"{path} holds no network's parameters: give a file with tensors by name, bare or under one of "
            f"{', '.join(CONTAINERS)}"
        )
    return _unwrapped(state)


def _on_hub() -> Any:
    # by its name: jobs without a network's weights import this module, and their environments lack what it imports
    return import_module("dtkd.models.on_hub")


def _is_safetensors(path: Path) -> bool:
    """Whether a file begins as safetensors do, with the length of a header in JSON."""
    with path.open("rb") as file:
        start = file.read(10)
    return start[8:] == b'{"' and 0 < int.from_bytes(start[:8], "little") <= path.stat().st_size


def _are_parameters(state: Any) -> bool:
    """Whether it is what `nn.Module.state_dict` gives: tensors by name."""
    return isinstance(state, Mapping) and bool(state) and all(isinstance(value, Tensor) for value in state.values())


def _unwrapped(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors by the names that they have in the network itself, whatever it was wrapped in when it was saved."""
    state = {_WRAPPERS.sub("", name): value for name, value in state.items()}
    averaged = {name: value for name, value in state.items() if name != "n_averaged"}  # AveragedModel's, beside module.
    while prefix := next((word for word in PREFIXES if averaged and all(n.startswith(word) for n in averaged)), None):
        state = averaged = {name.removeprefix(prefix): value for name, value in averaged.items()}
    return state


def load_safely(path: str | Path, mapped: bool = False) -> Any:
    """Read tensors and plain values to the CPU; nothing in the file is run.

    ``mapped`` tensors stay on the disk until they are used.

    Raises DtkdError for a file that is damaged, or that would run code.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except Exception as error:  # damaged bytes can raise anything; all of it means that the file is not usable
        if found := _REFUSED.search(str(error)):
            raise DtkdError(
                f"{path} holds {found[1]}, more than tensors and plain values, and so is not safe to load: put its "
                "parameters alone into a file (torch.save(model.state_dict(), ...)), or have it from one you trust"
            ) from error
        raise DtkdError(
            f"{path} is damaged, or holds more than tensors and plain values and so is not safe to load "
            f"({type(error).__name__}): fetch it again from a source you trust, or remove it and have it made again"
        ) from error


def save_tensors(path: str | Path, value: Any) -> None:
    """`torch.save`, atomically, and through a file of Python's, whose errors say what is wrong with the disk."""
    with atomic(path) as temporary, temporary.open("wb") as file:
        torch.save(value, file)
