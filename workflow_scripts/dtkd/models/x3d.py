"""X3D (Feichtenhofer, 2020) as pytorchvideo has it."""

from torch import nn

from dtkd.models.pytorchvideo_models import hub


def x3d_s(num_classes: int, dropout: float) -> nn.Module:
    """The hub's, but that the head gives logits in eval mode too, and pools whatever size it is given.

    SiLU is torch's own Swish: pytorchvideo's uses what torch deprecates.
    """
    net = hub.x3d_s(model_num_class=num_classes, dropout_rate=dropout, head_activation=None, inner_act=nn.SiLU)
    net.blocks[-1].pool.pool = nn.AdaptiveAvgPool3d(1)
    return net
