"""The optical flow algorithms that there are, and what each needs of a machine.

As of networks (`dtkd.models.entries`), entries name functions as "package.module:name": the config reads entries, and
imports neither OpenCV nor torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from dtkd.common.published import TORCHVISION, Published
from dtkd.common.registry import Registry


@dataclass(frozen=True)
class FlowAlgorithm:
    """An algorithm by name."""

    function: str | Callable[..., Any]
    """``function()``, or its "module:name", gives a `flow.FlowFunction` and is called once a video. That of a network
    is called with ``weights``, a file of its parameters, and ``device``: auto, cpu or cuda."""
    network: bool = False
    """Whether it needs torch and weights."""
    weights: Published | None = None
    """A network's published weights; without any, `flow.weights` has to name a file."""
    gpu: Literal["never", "may", "must"] = "never"
    """Whether it uses a GPU: where there is one (may), or not without (must)."""
    slow: bool = False
    """Whether a pair of frames takes a core more than a tenth of a second, so that a plan measures few."""


ALGORITHMS: Registry[FlowAlgorithm] = Registry("flow algorithm")


def names() -> list[str]:
    """The names of all algorithms, those of plug-ins last."""
    return ALGORITHMS.names()


def entry(name: str) -> FlowAlgorithm:
    """What is known of an algorithm. Raises DtkdError for an unknown name."""
    return ALGORITHMS[name]


def register(name: str, algorithm: FlowAlgorithm) -> None:
    """Add an algorithm, which `flow.algorithm` can then name. Raises DtkdError for a name that is taken or no name."""
    ALGORITHMS.add(name, algorithm)


register("farneback", FlowAlgorithm("dtkd.motion.flow:farneback"))
register("dis_fast", FlowAlgorithm("dtkd.motion.flow:dis_fast"))
register("dis_medium", FlowAlgorithm("dtkd.motion.flow:dis_medium"))
register("tvl1", FlowAlgorithm("dtkd.motion.flow:tvl1", slow=True))
register("farneback_cuda", FlowAlgorithm("dtkd.motion.flow:farneback_cuda", gpu="must"))
for _name, _file in (("raft_small", "raft_small_C_T_V2-01064c6d"), ("raft_large", "raft_large_C_T_SKHT_V2-ff5fadd5")):
    _published = Published(f"{TORCHVISION}/{_file}.pth", _file.rpartition("-")[2])
    register(_name, FlowAlgorithm(f"dtkd.motion.raft:{_name}", network=True, weights=_published, gpu="may"))
