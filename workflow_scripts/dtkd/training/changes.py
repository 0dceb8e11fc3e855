"""Random changes of training clips: RandAugment of each, and mixtures of a batch's."""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from dtkd.config import Train
from dtkd.config.training import RandAugment


class ClipRandAugment(v2.RandAugment):
    """torchvision's RandAugment, drawn from a generator: clips are made in threads that share torch's global state."""

    def __init__(self, settings: RandAugment, fill: tuple[int, int, int]):
        super().__init__(settings.operations, settings.magnitude, fill=list(fill))

    def forward(self, clip: Tensor, generator: torch.Generator) -> Tensor:
        """A clip (3, T, H, W), uint8, after the same changes of all its frames."""
        frames = clip.transpose(0, 1)
        names = list(self._AUGMENTATION_SPACE)
        for _ in range(self.num_ops):
            name = names[int(torch.randint(len(names), (), generator=generator))]
            backwards = bool(torch.rand((), generator=generator) < 0.5)
            of_bins, signed = self._AUGMENTATION_SPACE[name]
            magnitudes = of_bins(self.num_magnitude_bins, *frames.shape[-2:])
            magnitude = 0.0 if magnitudes is None else float(magnitudes[self.magnitude])
            frames = self._apply_image_or_video_transform(
                frames, name, -magnitude if signed and backwards else magnitude, self.interpolation, self._fill
            )
        return frames.transpose(0, 1).contiguous()


class Mixing:
    """MixUp and CutMix of a batch, each sample with the one before; what is drawn is a function of a seed."""

    def __init__(self, settings: Train, classes: int):
        kinds = {v2.MixUp: settings.mixup, v2.CutMix: settings.cutmix}
        self.mix = v2.RandomChoice([kind(alpha=alpha, num_classes=classes) for kind, alpha in kinds.items() if alpha])

    def __call__(self, clips: Tensor, labels: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """Mixed clips (N, 3, T, H, W), float of 0..255, and the shares (N, C) of the classes in them."""
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)  # not torch.manual_seed, which sets the GPU's dropout as well
            mixed, shares = self.mix(tv_tensors.Video(clips.float()), labels)
        return mixed.as_subclass(Tensor), shares
