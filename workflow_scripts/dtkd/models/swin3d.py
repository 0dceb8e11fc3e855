"""Video Swin Transformer (Liu et al., 2022) as torchvision has it."""

from torch import nn
from torchvision.models import video

from dtkd.models.heads import with_dropout


def swin3d_t(num_classes: int, dropout: float) -> nn.Module:
    return with_dropout(video.swin3d_t(num_classes=num_classes), "head", dropout)


def swin3d_s(num_classes: int, dropout: float) -> nn.Module:
    return with_dropout(video.swin3d_s(num_classes=num_classes), "head", dropout)


def swin3d_b(num_classes: int, dropout: float) -> nn.Module:
    return with_dropout(video.swin3d_b(num_classes=num_classes), "head", dropout)
