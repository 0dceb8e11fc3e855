"""RAFT (Teed and Deng, 2020) as torchvision has it: optical flow by a network, on a GPU where there is one."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torchvision.models import optical_flow

from dtkd.common.device import choose
from dtkd.common.errors import DtkdError
from dtkd.models.weights import load_state_dict

NETWORKS = {"raft_small": optical_flow.raft_small, "raft_large": optical_flow.raft_large}
SMALLEST, MULTIPLE = 128, 8
"""Pixels: what the network can see at all, and what its feature maps divide a side by."""


def flow_function(
    name: str, weights: str | Path, device: str = "auto"
) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    """A ``flow.FlowFunction``. The network learnt from colour and sees grey frames here, three times over.

    ``weights``: a file of its state dict. ``device``: auto (a GPU where there is one), cpu or cuda.

    Raises DtkdError where the weights cannot be used or ``device`` is not there.
    """
    network, place = _network(name, str(weights), device)

    @torch.inference_mode()
    def compute(previous: np.ndarray, following: np.ndarray) -> np.ndarray:
        height, width = previous.shape
        frames = torch.from_numpy(np.stack([previous, following])[:, None]).to(place)
        padding = [0, _missing(width), 0, _missing(height)]
        frames = functional.pad(frames / 127.5 - 1, padding, mode="replicate").expand(-1, 3, -1, -1)
        flow = network(frames[:1], frames[1:])[-1][0, :, :height, :width]
        return flow.permute(1, 2, 0).contiguous().cpu().numpy()

    return compute


raft_small, raft_large = (partial(flow_function, name) for name in NETWORKS)


def _missing(side: int) -> int:
    """The pixels that a side lacks."""
    return max(SMALLEST, -(-side // MULTIPLE) * MULTIPLE) - side


@lru_cache(maxsize=1)
def _network(name: str, weights: str, device: str) -> tuple[nn.Module, torch.device]:
    """The network, once a process; of two threads that ask at the same time, each may build it."""
    place = choose(device)
    network = NETWORKS[name]()
    try:
        network.load_state_dict(load_state_dict(weights))
    except RuntimeError as error:
        raise DtkdError(
            f"{weights} does not hold the parameters of {name}: give those of torchvision's, or another algorithm"
        ) from error
    return network.eval().to(place), place
