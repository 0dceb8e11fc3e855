"""Optimisers, and the schedule of their learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from dtkd.config import Train
from dtkd.models import backbones
from dtkd.training.hardware import autocast


def _plain(kind: type[torch.optim.Optimizer]) -> type[torch.optim.Optimizer]:
    """The optimiser without the wrappers of its methods, which keep it out of what torch compiles.

    They import the compiler at their first call: a second and a half, and 250 MB, of every training. An optimiser is
    never compiled here (`train.compile` is of the network).
    """
    names = ("add_param_group", "load_state_dict", "state_dict", "zero_grad")
    methods = {name: getattr(kind, name).__wrapped__ for name in names}
    return type(kind.__name__, (kind,), methods | {"step": torch.no_grad()(kind.step.__wrapped__)})


SGD, AdamW = _plain(torch.optim.SGD), _plain(torch.optim.AdamW)

OPTIMISERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": lambda parameters, s: SGD(parameters, s.lr, s.momentum, weight_decay=s.weight_decay),
    "adamw": lambda parameters, s: AdamW(parameters, s.lr, weight_decay=s.weight_decay),
}


def learning_rate(settings: Train, progress: float) -> float:
    """The rate after ``progress`` epochs (a fraction within an epoch counts)."""
    if progress < settings.warmup_epochs:
        return settings.lr * (0.1 + 0.9 * progress / settings.warmup_epochs)
    if settings.schedule == "cosine":
        span = max(settings.epochs - settings.warmup_epochs, 1e-9)
        return settings.lr * 0.5 * (1 + math.cos(math.pi * min((progress - settings.warmup_epochs) / span, 1)))
    if settings.schedule == "step":
        return settings.lr * settings.gamma ** sum(progress >= at for at in settings.milestones)
    return settings.lr


class Optimiser:
    """What moves a network's weights: torch's optimiser, its schedule, and the scaling of half-precision gradients."""

    def __init__(self, network: nn.Module, settings: Train, device: torch.device, beside: nn.Module | None = None):
        """``beside`` is what trains with the network, and ends with its training."""
        self.network, self.settings, self.beside = network, settings, beside
        groups = backbones.parameter_groups(network, settings.layer_decay)
        if beside is not None:
            groups = [*(groups if isinstance(groups[0], dict) else [{"params": groups}]),
                      {"params": list(beside.parameters())}]  # fmt: skip
        self.optimiser = OPTIMISERS[settings.optimiser](groups, settings)
        self._rate = settings.lr
        self.scaler = torch.amp.GradScaler(device.type, enabled=autocast(settings.precision, device)[1])

    @property
    def rate(self) -> float:
        """The learning rate as it is now, of the head where layers differ."""
        return self._rate

    def set_progress(self, epochs: float) -> None:
        """Set the learning rate to that after so many epochs."""
        self._rate = learning_rate(self.settings, epochs)
        for group in self.optimiser.param_groups:
            group["lr"] = self._rate * group.get("lr_scale", 1.0)

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a part of a batch."""
        self.scaler.scale(loss).backward()

    def step(self) -> None:
        """Move the weights by the gradients, and take these away."""
        if self.settings.clip_grad_norm:
            self.scaler.unscale_(self.optimiser)
            every = [value for group in self.optimiser.param_groups for value in group["params"]]
            nn.utils.clip_grad_norm_(every, self.settings.clip_grad_norm)
        self.scaler.step(self.optimiser)
        self.scaler.update()
        self.optimiser.zero_grad(set_to_none=True)

    def state(self) -> dict[str, Any]:
        """What a run goes on from, the network's weights with it."""
        beside = {} if self.beside is None else {"beside": self.beside.state_dict()}
        return {"network": self.network.state_dict(), "optimiser": self.optimiser.state_dict(),
                "scaler": self.scaler.state_dict()} | beside  # fmt: skip

    def load_state(self, state: Mapping[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        if self.beside is not None:
            self.beside.load_state_dict(state["beside"])
        self.optimiser.load_state_dict(state["optimiser"])
        if state["scaler"]:  # empty where the run began with another precision, on another kind of GPU
            self.scaler.load_state_dict(state["scaler"])
