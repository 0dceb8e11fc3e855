"""Published weights: where they are, and what is known of their content."""

from dataclasses import dataclass

PYTORCHVIDEO = "https://dl.fbaipublicfiles.com/pytorchvideo/model_zoo/kinetics"
TORCHVISION = "https://download.pytorch.org/models"  # names of files end with the first digits of their SHA-256
HUB = "hf:"  # what goes before the name of a repository on the Hugging Face hub, where an address is asked for


@dataclass(frozen=True)
class Published:
    """A file of published weights."""

    url: str
    """Its address, or "hf:owner/name", of whose files the weights are one."""
    sha256: str = ""
    """Its SHA-256, or as much of the beginning as is published."""
