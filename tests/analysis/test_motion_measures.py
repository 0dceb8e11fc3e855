"""The picture of what measures of motion see: the camera's part, the rest, what moves."""

import sys

import cv2
import numpy as np
import pytest
from conftest import draw

from dtkd.analysis.figures import motion_measures
from dtkd.data import video
from dtkd.motion.flow import MEASURES, FrameStatistics


def field_with_an_object(height=60, width=80):
    """A camera's shift, zoom and roll, and a tenth of the frame that moves 6 pixels more."""
    x, y = np.meshgrid(np.arange(width) - (width - 1) / 2, np.arange(height) - (height - 1) / 2)
    camera = np.stack([0.02 * x - 0.01 * y + 1.5, 0.01 * x + 0.02 * y - 0.5], -1).astype(np.float32)
    field = camera.copy()
    field[10:34, 20:40, 0] += 6
    return field, camera


def test_the_cameras_part_is_the_fitted_motion_at_every_pixel():
    field, camera = field_with_an_object()
    found = motion_measures.camera_part(field, FrameStatistics(60, 80))
    np.testing.assert_allclose(found, camera, atol=0.01)


def test_panels_show_what_the_measures_are_of(monkeypatch):
    """The rest is the flow without the camera's part, and what moves is the object alone; numbers are the measures."""
    field, camera = field_with_an_object()
    shown = []
    coloured = motion_measures.coloured
    monkeypatch.setattr(motion_measures, "coloured", lambda flow, most: shown.append(flow) or coloured(flow, most))
    figure = motion_measures.draw(np.zeros((60, 80, 3), np.uint8), field)
    flow, cameras, rest, moves = shown
    np.testing.assert_array_equal(flow, field)
    np.testing.assert_allclose(rest, field - camera, atol=0.01)
    np.testing.assert_allclose(cameras + rest, field, atol=1e-5)
    assert (moves[10:34, 20:40] == rest[10:34, 20:40]).all()
    assert not moves[:10].any()
    words = "\n".join(axis.get_xlabel() for axis in figure.axes)
    values = dict(zip(MEASURES, FrameStatistics(60, 80)(field), strict=True))
    for measure in ("mean", "q90", "centre", "camera", "residual", "moving"):
        assert f"{measure} {values[measure]:.2f}" in words
    assert values["moving"] == pytest.approx(6, abs=0.02)


def command(monkeypatch, *words):
    monkeypatch.setattr(sys, "argv", ["motion", *map(str, words)])
    motion_measures.main()


def test_the_command_shows_the_liveliest_pair_or_the_one_that_is_named(tmp_path, monkeypatch, capsys):
    path = draw(tmp_path / "a.avi", frames=6)
    lively = int(np.argmax(motion_measures.flow.video_flow(path)["residual"]))
    for words, number in (((), lively), (("--frame", 4), 4)):
        command(monkeypatch, path, tmp_path / "a.png", *words)
        assert capsys.readouterr().out == f"{tmp_path}/a.png: frame {number}\n"
        assert cv2.imread(str(tmp_path / "a.png")).shape[1] == 1400
    command(monkeypatch, path, tmp_path / "a.pdf", "--frame", 0, "--short-side", 32)
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("number", [-1, 5, 900])
def test_a_frame_that_begins_no_pair_is_one_line(tmp_path, monkeypatch, number):
    path = draw(tmp_path / "a.avi", frames=6)
    assert video.info(path).frames == 6
    with pytest.raises(SystemExit, match=rf"--frame: {number}, and of .*a\.avi's 6 frames pairs begin at 0 to 4"):
        command(monkeypatch, path, tmp_path / "a.png", "--frame", number)
    assert not (tmp_path / "a.png").exists()


def test_a_video_that_cannot_be_read_and_a_picture_of_another_kind(tmp_path, monkeypatch, capsys):
    with pytest.raises(SystemExit, match=r"error: .*gone\.avi: cannot be read"):
        command(monkeypatch, tmp_path / "gone.avi", tmp_path / "a.png")
    with pytest.raises(SystemExit):
        command(monkeypatch, tmp_path / "gone.avi", tmp_path / "a.jpg")
    assert "a.jpg: the picture's name ends in .png or .pdf" in capsys.readouterr().err
