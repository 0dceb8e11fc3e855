"""Optimisers: torch's own, step by step, without its compiler."""

import copy
import subprocess
import sys

import pytest
import torch

from dtkd.config import Train
from dtkd.training import optimisation

STEPS = """
import sys
import torch
from dtkd.config import Train
from dtkd.models import backbones
from dtkd.training import networks, optimisation

settings = {"backbone": "slowfast_small", "dropout": 0.5, "frozen": False, "seed": 0, "clip": {"frames": 8, "rate": 1},
            "augment": {"crop": 32}}
sizes = networks.size(settings, 4, torch.device("cpu"))
network = backbones.build("slowfast_small", 4)
optimiser = optimisation.Optimiser(network, Train(epochs=1, batch_size=2, lr=0.1), torch.device("cpu"))
optimiser.backward(network(torch.rand(2, 3, 8, 32, 32)).sum())
optimiser.step()
optimiser.load_state(optimiser.state())
assert not {"torch._dynamo", "torchvision"} & set(sys.modules)

from torchvision.ops import RoIAlign
assert issubclass(RoIAlign, torch.nn.Module), "whoever needs torchvision gets all of it"
"""


def test_a_training_on_a_cpu_imports_neither_torchvision_nor_torchs_compiler():
    """They take more than all the rest of a short job."""
    done = subprocess.run([sys.executable, "-c", STEPS], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("name", "torchs"), [("sgd", torch.optim.SGD), ("adamw", torch.optim.AdamW)])
def test_steps_are_torchs(name, torchs):
    """Bit for bit, and from a state that torch's own has saved."""
    settings = Train(epochs=1, batch_size=2, lr=0.1, optimiser=name)
    given = {"momentum": settings.momentum} if name == "sgd" else {}
    torch.manual_seed(0)
    weights = [torch.rand(3, 2, requires_grad=True), torch.rand(2, requires_grad=True)]
    copies = [weight.detach().clone().requires_grad_() for weight in weights]
    ours = optimisation.OPTIMISERS[name]([{"params": weights}], settings)
    theirs = torchs(copies, settings.lr, weight_decay=settings.weight_decay, **given)
    for step in range(4):
        if step == 2:
            ours.load_state_dict(copy.deepcopy(theirs.state_dict()))
        for parameters, optimiser in ((weights, ours), (copies, theirs)):
            optimiser.zero_grad()
            (parameters[0] @ parameters[1]).square().sum().backward()
            optimiser.step()
        assert all(torch.equal(one, other) for one, other in zip(weights, copies, strict=True))
        assert weights[0].requires_grad
