"""Networks by name: `names`, `entry` (what a network takes, its head, its weights), `build`, and `register` one more.

What the config reads of a network is here and in `entries`; torch is imported where one is built.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from dtkd.common.published import Published
from dtkd.models.entries import NETWORKS, Head, Input, Network

__all__ = ["Head", "Input", "Network", "Published", "build", "entry", "names", "register"]


def names() -> list[str]:
    """The names of all networks, those of plug-ins last."""
    return NETWORKS.names()


def entry(name: str) -> Network:
    """What is known of a network without building it. Raises DtkdError for an unknown name."""
    return NETWORKS[name]


def register(name: str, network: Network) -> None:
    """Add a network, which `model.backbone` can then name. Raises DtkdError for a name that is taken or no name."""
    NETWORKS.add(name, network)


def build(name: str, num_classes: int, dropout: float = 0.5, **options: Any) -> Any:
    """Build the network ``name``, a `backbones.VideoModel`, with a head of ``num_classes`` and new weights from torch's
    random state.

    ``dropout`` in [0, 1) is the head's. ``options`` are the builder's own: slowfast_small has ``width``.

    Raises:
        DtkdError: an unknown name, option or value.
    """
    # by its name: scripts whose environment lacks torch read entries, and a search of their imports ends here
    return import_module("dtkd.models.backbones").build(name, num_classes, dropout, **options)
