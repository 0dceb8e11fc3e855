"""Video Swin Transformer (Liu et al., 2022) as torchvision has it."""

from typing import Any

from torch import nn
from torchvision.models import video

from dtkd.models.heads import with_dropout


def swin3d_t(num_classes: int, dropout: float) -> nn.Module:
    return with_dropout(video.swin3d_t(num_classes=num_classes), "head", dropout)


def groups(model: nn.Module) -> list[dict[str, Any]]:
    """Norms, biases and position tables have no weight decay, as in the published recipe."""
    free = [p for name, p in model.named_parameters() if p.dim() == 1 or name.endswith("relative_position_bias_table")]
    return [{"params": free, "weight_decay": 0.0}]
