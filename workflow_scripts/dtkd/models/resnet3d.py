"""3-D residual networks (Tran et al., 2018) as torchvision has them."""

from torch import nn
from torchvision.models import video

from dtkd.models.heads import with_dropout


def r3d_18(num_classes: int, dropout: float) -> nn.Module:
    return with_dropout(video.r3d_18(num_classes=num_classes), "fc", dropout)


def r2plus1d_18(num_classes: int, dropout: float) -> nn.Module:
    return with_dropout(video.r2plus1d_18(num_classes=num_classes), "fc", dropout)
