"""S3D (Xie et al., 2018) as torchvision has it."""

from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import video


class S3D(video.S3D):
    """torchvision's, for clips of any size, and with a linear layer where its classifier is a 1x1x1 convolution.

    The features are averaged before the layer, not the logits after it: as it is linear, that is the same.
    """

    def forward(self, clip: Tensor) -> Tensor:
        x = self.features(clip)
        window = [min(most, size) for most, size in zip((2, 7, 7), x.shape[2:], strict=True)]
        return self.classifier(functional.avg_pool3d(x, window, stride=1).mean((2, 3, 4)))


def s3d(num_classes: int, dropout: float) -> nn.Module:
    net = S3D(num_classes, dropout)
    net.classifier[1] = nn.Linear(1024, num_classes)
    return net
