"""Weights on the Hugging Face hub: from a repository's name to an address and a checksum; and safetensors files."""

from pathlib import Path

from huggingface_hub import HfApi, hf_hub_url
from safetensors.torch import load_file
from torch import Tensor

from dtkd.common.errors import DtkdError
from dtkd.common.published import HUB, Published

FILES = ("model.safetensors", "pytorch_model.bin")
"""What files of weights are called in a repository or folder, the first that there is."""


def published(repository: str) -> Published:
    """The weights of ``repository`` ("owner/name") as they are now, with the checksum that the hub has of them.

    Raises DtkdError where the hub cannot be asked, or has no such weights.
    """
    by_hand = "or fetch it by other means and name its path in model.weights"
    try:
        found = HfApi().model_info(repository, files_metadata=True)
    except Exception as error:  # of the network's, the hub's, or its client's many kinds
        said = " ".join(str(error).split())[:200]
        raise DtkdError(
            f"{HUB}{repository}: huggingface.co could not be asked for it ({type(error).__name__}: {said}); look at "
            f"its name, try again, {by_hand}"
        ) from error
    files = {file.rfilename: file for file in found.siblings or []}
    name = next((name for name in FILES if name in files), None)
    if name is None:
        raise DtkdError(f"{HUB}{repository}: it has neither {' nor '.join(FILES)}; choose another, {by_hand}")
    large = files[name].lfs
    return Published(hf_hub_url(repository, name, revision=found.sha), large.sha256 if large else "")


def in_folder(folder: Path) -> Path:
    """The file of weights in a folder that holds a network as Hugging Face's libraries save it."""
    for name in FILES:
        if (folder / name).is_file():
            return folder / name
    raise DtkdError(f"{folder} has neither {' nor '.join(FILES)}: name a folder or a file of weights")


def read(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, by name. Raises DtkdError for a damaged one."""
    try:
        return load_file(path)
    except Exception as error:  # damaged bytes can raise anything
        raise DtkdError(f"{path} is damaged ({type(error).__name__}): fetch it again, or remove it") from error
