"""Single frames as a page shows them."""

from __future__ import annotations

import base64
from pathlib import Path

import cv2
import numpy as np

from dtkd.data import video


def middle_frame(path: str | Path) -> np.ndarray:
    """Of a video: uint8 (H, W, 3), RGB. Raises VideoError (see ``video.read``)."""
    return video.read(path, [video.info(path).frames // 2])[0]


def jpeg(frame: np.ndarray, side: int) -> str:
    """A frame (H, W, 3), RGB, as a small JPEG, base64; its shorter side has so many pixels at most."""
    scale = min(1.0, side / min(frame.shape[:2]))
    if scale < 1:
        frame = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 80])
    return base64.b64encode(jpeg.tobytes()).decode("ascii")
