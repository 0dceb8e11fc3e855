"""What heads of several families share."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class InFloat32(nn.Module):
    """Goes before the class of a head: under autocast, logits of 8 bits would tie, and a tie is a miss."""

    def forward(self, x: Tensor) -> Tensor:
        device = x.device.type
        if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
            with torch.autocast(device, enabled=False):
                return super().forward(x.float())
        return super().forward(x)


class Projection(nn.Linear):
    """A linear layer with dropout before it, for families that have none; names of parameters are the layer's."""

    dropout = 0.0

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(functional.dropout(x, self.dropout, self.training))


def with_dropout(net: nn.Module, name: str, dropout: float) -> nn.Module:
    """Give the linear layer ``name`` of ``net`` dropout, and return ``net``."""
    layer = net.get_submodule(name)
    layer.__class__ = Projection
    layer.dropout = dropout
    return net
