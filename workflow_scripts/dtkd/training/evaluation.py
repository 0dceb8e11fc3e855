"""Test: logits of videos by one or several views of each."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from dtkd.common.progress import progress
from dtkd.config import Train
from dtkd.data.datasets import Videos
from dtkd.training.classifier import Classifier
from dtkd.training.frozen_features import CentreFeatures
from dtkd.training.hardware import Hardware, autocast
from dtkd.training.sampling import TestClips, loader
from dtkd.training.steps import TestSteps

Views = TestClips | TestSteps | CentreFeatures


def predictions(videos: Videos, logits: np.ndarray, logits_last: np.ndarray) -> pd.DataFrame:
    """The table of predictions: per test video its label and the logits by the selected and by the last epoch."""
    columns = {"logits": list(logits), "logits_last": list(logits_last)}
    return pd.DataFrame({"video": videos.names, "label": videos.labels, **columns})


@torch.inference_mode()
def predict(
    network: nn.Module, normalise: nn.Module, tests: Views, settings: Train, hardware: Hardware,
    average: str = "logits", label: str | None = None,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Logits (V, C) and labels (V,) of every test video, views averaged as logits or as softmax probabilities.

    ``network`` gives logits of normalised clips, and is put in eval mode. Averaged probabilities come back as their
    logarithms, so that a softmax of what is returned gives them again. Progress is shown under ``label``.
    """
    network.eval()
    cast, _ = autocast(settings.precision, hardware.device)
    data = loader(
        tests, batch_size=max(1, settings.batch_size // (tests.clips_per_video * tests.crops_per_clip)),
        workers=hardware.workers, pin=hardware.pin,
    )  # fmt: skip
    most = settings.micro_batch or settings.batch_size
    logits, labels = [], []
    for views, truth, _ in progress(data, desc=label, unit="batch", disable=label is None):
        with cast:
            logits.append(of_views(network, normalise, views, most, hardware.device, average).cpu())
        labels.append(truth)
    return torch.cat(logits).numpy(), torch.cat(labels).numpy()


def of_views(network, normalise: nn.Module, views: Tensor, most: int, device: torch.device, average: str) -> Tensor:
    """Logits (N, C) of videos by their views, uint8 (N, V, C, T, H, W), of which ``most`` are computed at a time."""
    videos, count = views.shape[:2]
    scores = torch.cat([network(normalise(chunk.to(device))).float() for chunk in views.flatten(0, 1).split(most)])
    scores = scores.view(videos, count, -1)
    if count > 1 and average == "softmax":  # in logarithms throughout: small probabilities keep their order
        return scores.log_softmax(-1).logsumexp(1) - math.log(count)
    return scores.mean(1)


def evaluate(
    classifier: Classifier, states: Mapping[str, Mapping[str, Tensor]], normalise: nn.Module, videos: Videos,
    views: Views, *, settings: Train, hardware: Hardware, average: str = "logits", label: str = "",
) -> pd.DataFrame:  # fmt: skip
    """The predictions of every video by its ``views``.

    ``states`` has the weights of ``classifier.model`` as a checkpoint has them: ``model``, the selected epoch's, and
    ``last``; those are what the classifier has in the end.
    """
    classifier.to(hardware.device)
    normalise.to(hardware.device)
    logits = []
    for part in ("model", "last"):
        classifier.model.load_state_dict(states[part])
        logits.append(predict(classifier, normalise, views, settings, hardware, average, label)[0])
    return predictions(videos, *logits)
