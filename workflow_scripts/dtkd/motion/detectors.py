"""The kept detector of persons, and the measures that need it.

As of `algorithms`, the function is named as "package.module:name": the config reads this, and imports no torch.
"""

from __future__ import annotations

from dataclasses import dataclass

from dtkd.common.published import TORCHVISION, Published

PERSON_MEASURES = ["person", "person_height"]
"""Measures of flow over persons alone (see `persons.of_pair`)."""


@dataclass(frozen=True)
class Detector:
    """A network that finds persons."""

    name: str
    boxes: str
    """Of a video to the boxes of its persons (`fasterrcnn.boxes`)."""
    ready: str
    """Raises DtkdError where the detector cannot run here (`fasterrcnn.ready`)."""
    weights: Published


# COCO weights. As light as SSDLite, and better (22.8 against 21.3 box mAP): it keeps the frame's shape, and so a
# person's, where SSDLite squashes frames to a square.
DETECTOR = Detector(
    "fasterrcnn_mobilenet_v3_large_320_fpn",
    "dtkd.motion.fasterrcnn:boxes",
    "dtkd.motion.fasterrcnn:ready",
    Published(f"{TORCHVISION}/fasterrcnn_mobilenet_v3_large_320_fpn-907ea3f9.pth", "907ea3f9"),
)
