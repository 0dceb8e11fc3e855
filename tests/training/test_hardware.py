"""How networks are laid out in memory."""

import pytest
import torch

from dtkd import models
from dtkd.config import Train
from dtkd.training import hardware
from dtkd.training.normalise import Normalise


@pytest.mark.parametrize(("name", "layout"), [
    ("tsm-mobilenetv3_small_050", torch.channels_last), ("slowfast_tiny", torch.channels_last_3d),
])  # fmt: skip
def test_channels_last_lays_out_weights_of_images_and_of_clips(name, layout):
    """And what networks take; answers stay."""
    torch.manual_seed(0)
    model, normalise = models.build(name, 3).eval(), Normalise([0.4] * 3, [0.2] * 3)
    clips = torch.randint(256, (2, 3, 4, 32, 32), dtype=torch.uint8)
    with torch.no_grad():
        before = model(normalise(clips))
        settings = Train(epochs=1, batch_size=2, lr=0.1, channels_last=True)
        hardware.accelerate([model], normalise, settings, torch.device("cpu"))
        weights = [p for p in model.parameters() if p.dim() > 3]
        assert weights
        assert all(p.is_contiguous(memory_format=layout) for p in weights)
        assert normalise(clips).is_contiguous(memory_format=torch.channels_last_3d)
        torch.testing.assert_close(model(normalise(clips)), before, rtol=1e-4, atol=1e-5)
