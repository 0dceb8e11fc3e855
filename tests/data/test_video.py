"""Decoding: the right frames, and one clear line for every bad file."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from dtkd.data import video, video_info
from dtkd.data.video import VideoError

FRAMES, SIZE = 60, (96, 64)


def write(path, frames, fourcc="MJPG", fps=25.0):
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*fourcc), fps, (width, height))
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


def numbered(count=FRAMES):
    """Frames whose blue and red tell their number."""
    frames = np.zeros((count, SIZE[1], SIZE[0], 3), np.uint8)
    frames[..., 0] = 2 * np.arange(count)[:, None, None]
    frames[..., 2] = 255 - 3 * np.arange(count)[:, None, None]
    return frames


@pytest.fixture(params=[("MJPG", "avi"), ("XVID", "avi"), ("mp4v", "mp4")], ids=lambda kind: "-".join(kind))
def clip(request, tmp_path):
    fourcc, suffix = request.param
    return write(tmp_path / f"clip.{suffix}", numbered(), fourcc)


def halved(path):
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def test_scan(clip):
    counted = []

    def scanned():
        counted.append((yield from video.scan(clip)))

    assert list(scanned()) == list(range(1, FRAMES + 1))
    [info] = counted
    assert (info.frames, info.fps, info.width, info.height, info.times) == (FRAMES, 25.0, 96, 64, None)
    assert video.info(clip) == info


def test_info_follows_the_file(tmp_path):
    path = write(tmp_path / "a.avi", numbered(20))
    assert video.info(path).frames == 20
    write(path, numbered(30))
    assert video.info(path).frames == 30


@pytest.mark.parametrize("indices", [[0], [3, 4, 9], [5, 5, 5], [0, 30, 30, 59], [31], [32], [45, 50, 59], [59]])
def test_read_gives_the_frames_asked_for_in_rgb(clip, indices):
    frames = video.read(clip, indices)
    assert frames.shape == (len(indices), 64, 96, 3)
    assert frames.dtype == np.uint8
    red, blue = frames[..., 0].mean(axis=(1, 2)), frames[..., 2].mean(axis=(1, 2))
    np.testing.assert_allclose((255 - red) / 3, indices, atol=1.5)
    np.testing.assert_allclose(blue / 2, indices, atol=2)


def test_seeking_and_counting_agree_bit_for_bit(clip):
    everything = video.read(clip, range(FRAMES))
    for index in range(video_info.SEEK_FROM, FRAMES, 5):
        np.testing.assert_array_equal(video.read(clip, [index])[0], everything[index])


@pytest.mark.parametrize("indices", [[], [-1, 2], [4, 3]])
def test_read_refuses_impossible_indices(clip, indices):
    with pytest.raises(ValueError, match="ascending"):
        video.read(clip, indices)


@pytest.mark.parametrize("indices", [[60], [58, 59, 60], [10, 200]])
def test_read_past_the_end_is_the_callers_mistake(clip, indices):
    with pytest.raises(ValueError, match=rf"clip\.\w+: frame {indices[-1]} is asked for, and the video has 60 frames"):
        video.read(clip, indices)


@pytest.mark.parametrize("indices", [[10, 50], [50], [58, 59]])
def test_a_file_that_has_lost_frames_since_it_was_inspected(tmp_path, indices):
    path = write(tmp_path / "a.avi", numbered())
    known = video.info(path)
    write(path, numbered(30))
    with pytest.raises(VideoError, match=r"a\.avi: ends before frame 5., and had 60 frames when it was inspected"):
        video.read(path, indices, known)


def test_a_file_that_was_replaced_since_it_was_inspected_is_counted_through(tmp_path):
    """Its frames are elsewhere in time than was noted, so that a seek would find others."""
    path = write(tmp_path / "a.mp4", numbered(), "mp4v")
    known = video.info(path)
    assert known.keys
    write(path, numbered(), "mp4v", fps=10.0)
    np.testing.assert_array_equal(video.read(path, [40, 50], known), video.read(path, [40, 50]))


def test_a_file_without_its_last_frames_can_be_used(tmp_path):
    path = write(tmp_path / "short.avi", numbered())
    data = path.read_bytes()
    cut = data.rindex(b"00dc", 0, data.rindex(b"idx1"))  # the last two frames' data are lost, not their count
    path.write_bytes(data[: data.rindex(b"00dc", 0, cut)])
    assert sum(1 for _ in video.grey_frames(path)) == 58
    assert video.info(path).frames == 58
    assert video.read(path, range(58)).shape[0] == 58


def test_grey_frames(clip):
    frames = list(video.grey_frames(clip))
    assert len(frames) == FRAMES
    assert frames[0].shape == (64, 96)
    assert frames[0].dtype == np.uint8
    expected = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in video.read(clip, range(0, FRAMES, 7))]
    np.testing.assert_array_equal(list(video.grey_frames(clip, step=7)), expected)


@pytest.mark.parametrize(("short_side", "shape"), [(32, (32, 48)), (128, (128, 192)), (64, (64, 96))])
def test_grey_frames_scales_by_the_short_side(clip, short_side, shape):
    assert next(video.grey_frames(clip, short_side)).shape == shape


def test_grey_frames_returns_what_the_video_is(clip):
    def decoded():
        ends.append((yield from video.grey_frames(clip, step=8)))

    ends = []
    assert len(list(decoded())) == 8
    assert ends == [replace(video.info(clip), keys=())]


@pytest.mark.parametrize(("fourcc", "suffix"), [("MJPG", "avi"), ("XVID", "avi"), ("mp4v", "mp4")])
def test_half_a_file_is_refused(tmp_path, fourcc, suffix):
    path = halved(write(tmp_path / f"cut.{suffix}", numbered(), fourcc))
    with pytest.raises(VideoError, match=r"cut\.\w+: .*truncated") as error:
        list(video.grey_frames(path))
    assert "\n" not in str(error.value)


def bad_files(folder):
    (folder / "empty.avi").touch()
    (folder / "text.avi").write_text("not a video\n" * 500)
    whole = write(folder / "whole.avi", numbered()).read_bytes()
    (folder / "header.avi").write_bytes(whole[:300])
    (folder / "folder.avi").mkdir()
    return [folder / f"{name}.avi" for name in ("empty", "text", "header", "folder", "missing")]


def test_bad_files_give_one_line_and_silence(tmp_path, capfd):
    for path in bad_files(tmp_path):
        for use in (video.info, lambda path: video.read(path, [0]), lambda path: list(video.grey_frames(path))):
            with pytest.raises(VideoError) as error:
                use(path)
            assert str(error.value).startswith(f"{path}: ")
            assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")


def test_names_that_ffmpeg_or_a_shell_could_misread(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("http:clip.avi", "(Rad)Schlag_die_Bank!_%03d_&#.avi", "größe 1.avi"):
        write(tmp_path / "plain.avi", numbered(5)).rename(name)
        assert video.info(name).frames == 5


@pytest.mark.parametrize("size", [b"\x01" + b"\xff" * 6 + b"\xfe", b"\x08" + b"\xff" * 4])
def test_an_absurd_size_in_a_header_is_no_traceback(tmp_path, size):
    path = tmp_path / "a.mkv"
    path.write_bytes(b"\x1a\x45\xdf\xa3" + size + b"\x00" * 100)
    with pytest.raises(VideoError, match=r"a\.mkv: is not a video that FFmpeg can open"):
        video.info(path)


def test_absurd_times_give_an_absurd_rate_and_no_traceback():
    fps, times = video._timing(np.array([0.0, 1e9, 3e9]), [25.0], jumps=False)
    assert 0 < fps < 1e-8
    assert times == (0.0, 1e9, 3e9)
