"""3-D residual networks: torchvision's (Tran et al., 2018), and those of pytorchvideo's hub.

Of the hub's, heads pool whatever size they are given, and give logits in eval mode too.
"""

from collections.abc import Callable

from torch import nn
from torchvision.models import video

from dtkd.models.heads import with_dropout
from dtkd.models.pytorchvideo_models import hub


def r3d_18(num_classes: int, dropout: float) -> nn.Module:
    return with_dropout(video.r3d_18(num_classes=num_classes), "fc", dropout)


def mc3_18(num_classes: int, dropout: float) -> nn.Module:
    return with_dropout(video.mc3_18(num_classes=num_classes), "fc", dropout)


def r2plus1d_18(num_classes: int, dropout: float) -> nn.Module:
    return with_dropout(video.r2plus1d_18(num_classes=num_classes), "fc", dropout)


def _of_hub(name: str) -> Callable[..., nn.Module]:
    """A builder with the settings of pytorchvideo's hub, but for the head."""

    def builder(num_classes: int, dropout: float) -> nn.Module:
        net = getattr(hub, name)(model_num_class=num_classes, head_pool=nn.AdaptiveAvgPool3d, head_activation=None)
        net.blocks[-1].dropout = nn.Dropout(dropout)  # the hub has rates of its own, and R(2+1)D takes no other
        return net

    return builder


slow_r50 = _of_hub("slow_r50")  # SlowFast's slow pathway alone (Feichtenhofer et al., 2019)
c2d_r50 = _of_hub("c2d_r50")  # 2-D convolutions, frame by frame, and a pooling over time (Wang et al., 2018)
i3d_r50 = _of_hub("i3d_r50")  # (Carreira & Zisserman, 2017)
csn_r101 = _of_hub("csn_r101")  # channel-separated (Tran et al., 2019)
r2plus1d_r50 = _of_hub("r2plus1d_r50")  # (Tran et al., 2018)
