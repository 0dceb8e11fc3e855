"""Flow: known motions give known numbers; a class's folder is brought up to date by its changed videos only."""

import json
import os
import subprocess
import sys
import weakref
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from broken import encode

from dtkd.common.errors import DtkdError
from dtkd.data import video
from dtkd.motion import algorithms, flow
from dtkd.motion.flow import MEASURES, FrameStatistics, Settings

WIDTH, HEIGHT = 128, 96
SCRIPTS = str(Path(flow.__file__).parents[2])


def texture(seed=0, width=WIDTH + 80, height=HEIGHT + 80):
    noise = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2.5), None, 0, 255, cv2.NORM_MINMAX)


def panned(count, dx, dy=0.0, zoom=0.0, box=None):
    """Grey frames of a texture: the camera's shift and zoom per frame; ``box`` = (side, dx) is an object on its own."""
    background, own = texture(0), texture(1)
    frames = []
    for i in range(count):
        scale = (1 + zoom) ** i
        centre = ((WIDTH - 1) / 2, (HEIGHT - 1) / 2)
        matrix = np.float32([[scale, 0, centre[0] * (1 - scale) + dx * i - 40 * scale],
                             [0, scale, centre[1] * (1 - scale) + dy * i - 40 * scale]])  # fmt: skip
        frame = cv2.warpAffine(
            background, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
        )
        if box:
            side, speed = box
            left, top = round(20 + speed * i), 30
            frame[top : top + side, left : left + side] = own[:side, :side]
        frames.append(frame)
    return frames


def write(path, frames, fps=25.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), fps, (WIDTH, HEIGHT))
    writer.set(cv2.VIDEOWRITER_PROP_QUALITY, 100)
    for frame in frames:
        writer.write(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))
    writer.release()
    return path


@pytest.mark.parametrize(("algorithm", "tolerance"), [("farneback", 0.1), ("dis_fast", 0.1), ("dis_medium", 0.1),
                                                      ("tvl1", 0.1)])  # fmt: skip
def test_a_translation_has_its_magnitude_by_every_algorithm(tmp_path, algorithm, tolerance):
    table = flow.video_flow(write(tmp_path / "pan.avi", panned(3, 1.5, 2.0)), algorithm)
    assert table.columns.tolist() == ["pair", "time", "seconds", *MEASURES]
    assert table["pair"].tolist() == [0, 1]
    np.testing.assert_allclose(table["time"], [0, 0.04])
    np.testing.assert_allclose(table[["q50", "camera"]], 2.5, rtol=tolerance)
    assert (table["residual"] < 0.5).all()


@pytest.mark.parametrize("name", [
    name for name in algorithms.names() if algorithms.entry(name).gpu != "must" and not algorithms.entry(name).network
])  # fmt: skip
def test_every_algorithm_gives_a_field(name):
    field = Settings(name).function()(*panned(2, 1.0))
    assert field.shape == (HEIGHT, WIDTH, 2)
    assert field.dtype == np.float32


def test_an_algorithm_that_gives_another_field_is_told_so(monkeypatch, tmp_path):
    monkeypatch.setattr(algorithms.ALGORITHMS, "_entries", dict(algorithms.ALGORITHMS._entries))
    wide = algorithms.FlowAlgorithm(lambda: lambda previous, following: np.zeros((*previous.shape, 2)))
    algorithms.register("wide", wide)
    with pytest.raises(DtkdError, match=rf"wide gives float64 \({HEIGHT}, {WIDTH}, 2\) .* gives float32 \(H, W, 2\)"):
        flow.video_flow(write(tmp_path / "pan.avi", panned(2, 1.0)), "wide")


def test_units_with_a_step_and_with_scaled_frames(tmp_path):
    path = write(tmp_path / "pan.avi", panned(9, 2.0))
    every, skipping = flow.video_flow(path), flow.video_flow(path, step=2)
    assert (len(every), len(skipping)) == (8, 4)
    assert (every.attrs["frames"], skipping.attrs["frames"]) == (9, 9)
    np.testing.assert_allclose(skipping["time"], every["time"][::2])
    np.testing.assert_allclose(skipping["q50"], 2.0, rtol=0.1)
    np.testing.assert_allclose(flow.video_flow(path, short_side=HEIGHT // 2)["q50"], 1.0, rtol=0.1)


def test_camera_and_object_are_told_apart(tmp_path):
    def averages(name, **motion):
        return flow.video_flow(write(tmp_path / f"{name}.avi", panned(5, **motion)))[MEASURES].mean()

    still = averages("still", dx=0)
    walker = averages("walker", dx=0, box=(36, 3))
    pan = averages("pan", dx=3)
    both = averages("both", dx=3, box=(36, -2))
    zoom = averages("zoom", dx=0, zoom=0.03)
    assert still["mean"] < 0.02
    assert walker["camera"] < 0.1 < 0.3 < walker["residual"]
    assert pan["camera"] == pytest.approx(3, rel=0.1)
    assert pan["residual"] < 0.4
    assert both["camera"] == pytest.approx(3, rel=0.1)
    assert both["residual"] > 2 * pan["residual"]
    x, y = np.meshgrid(np.arange(WIDTH) - (WIDTH - 1) / 2, np.arange(HEIGHT) - (HEIGHT - 1) / 2)
    assert zoom["camera"] == pytest.approx(0.03 * np.hypot(x, y).mean(), rel=0.1)
    assert zoom["residual"] < 0.25 * zoom["camera"]


@pytest.mark.parametrize("shape", [(96, 128), (61, 47), (5, 400)])
def test_statistics_are_numpys(shape):
    field = np.random.default_rng(0).gamma(2, 1, (*shape, 2)).astype(np.float32)
    values = dict(zip(MEASURES, FrameStatistics(*shape)(field), strict=True))
    magnitude = np.hypot(field[..., 0], field[..., 1]).astype(np.float64)
    assert values["mean"] == pytest.approx(magnitude.mean(), rel=1e-5)
    assert values["std"] == pytest.approx(magnitude.std(), rel=1e-5)
    for name, q in flow.QUANTILES.items():
        assert values[name] == pytest.approx(np.quantile(magnitude, q), rel=1e-5)
    height, width = shape
    middle = magnitude[height // 4 : height - height // 4, width // 4 : width - width // 4]
    assert values["centre"] == pytest.approx(middle.mean(), rel=1e-5)


def test_camera_finds_a_similarity_exactly_beneath_a_moving_object():
    height, width = 60, 80
    x, y = np.meshgrid(np.arange(width) - (width - 1) / 2, np.arange(height) - (height - 1) / 2)
    u, v = 0.02 * x - 0.01 * y + 1.5, 0.01 * x + 0.02 * y - 0.5
    field = np.stack([u, v], -1).astype(np.float32)
    moving = field.copy()
    moving[10:40, 20:50] += np.float32([6, -4])  # a fifth of the frame
    for candidate in (field, moving):
        scale, shift = FrameStatistics(height, width).camera(candidate)
        assert scale == pytest.approx(0.02 + 0.01j, abs=1e-3)
        assert shift == pytest.approx(1.5 - 0.5j, abs=1e-2)
    values = dict(zip(MEASURES, FrameStatistics(height, width)(moving), strict=True))
    assert values["camera"] == pytest.approx(np.hypot(u, v).mean(), rel=0.05)
    assert values["residual"] == pytest.approx(np.hypot(6, 4) * 900 / (height * width), rel=0.05)
    assert values["moving"] == pytest.approx(np.hypot(6, 4), rel=0.01)  # however small it is


@pytest.mark.parametrize(("step", "moving"), [(1, (0.8 + 2) / 2), (2, 2.0), (5, 0.0)])
def test_what_moves_by_itself_by_more_than_half_a_pixel_a_frame(step, moving):
    """Displacements of 0.4, 0.8 and 2 pixels over ``step`` frames, of a twelfth of the frame each."""
    field = np.zeros((60, 80, 2), np.float32)
    for row, size in zip((0, 20, 40), (0.4, 0.8, 2), strict=True):
        field[row : row + 10, :40, 1] = size
    assert dict(zip(MEASURES, FrameStatistics(60, 80, step)(field), strict=True))["moving"] == pytest.approx(moving)


@pytest.mark.parametrize("shape", [(16, 16), (16, 47), (1, 1)])
def test_quantiles_of_values_that_repeat(shape):
    values = np.random.default_rng(1).integers(0, 3, shape).astype(np.float32)
    expected = np.quantile(values.astype(np.float64), list(flow.QUANTILES.values()))
    np.testing.assert_allclose(FrameStatistics(*shape).quantiles(values.copy().ravel()), expected, rtol=1e-6)


def test_the_camera_of_a_field_with_one_pixel_in_the_grid_is_a_shift():
    scale, shift = FrameStatistics(1, 1).camera(np.full((1, 1, 2), 3, np.float32))
    assert (scale, shift) == (0, pytest.approx(3 + 3j))


def test_no_motion_is_all_zeros():
    assert FrameStatistics(48, 64)(np.zeros((48, 64, 2), np.float32)) == (0.0,) * len(MEASURES)


def test_two_frames_at_a_time_whatever_the_length(tmp_path, monkeypatch):
    """And three where the next one is decoded; each of a flow's fields goes before the next comes."""
    alive, most, fields = set(), [], set()

    def tracked(array, kept):
        key = object()
        kept.add(key)
        weakref.finalize(array, kept.discard, key)
        return array

    def frames(path, short_side, step):
        for number in range(60):
            yield tracked(np.full((32, 32), number, np.uint8), alive)
        return video.VideoInfo(60, 25.0, 32, 32)

    def function(settings):
        def compute(previous, following):
            most.append((len(alive), len(fields)))
            return tracked(np.zeros((32, 32, 2), np.float32), fields)

        return compute

    monkeypatch.setattr(video, "grey_frames", frames)
    monkeypatch.setattr(Settings, "function", function)
    assert len(flow.video_flow(write(tmp_path / "any.avi", panned(1, 0)))) == 59
    assert max(most) <= (3, 1)


# Networks and GPUs


def test_farneback_on_a_gpu_needs_one(videos):
    if cv2.cuda.getCudaEnabledDeviceCount():
        pytest.skip("here is one")
    with pytest.raises(DtkdError, match=r"farneback_cuda needs an NVIDIA GPU .* choose farneback") as error:
        flow.class_flow(videos, Settings("farneback_cuda"))
    assert "videos have no optical flow" not in str(error.value)  # said once, not once a video


def test_farneback_on_a_gpu_uploads_computes_and_downloads(monkeypatch):
    """With a stand-in for OpenCV's CUDA module that computes on the CPU: same parameters, same field."""

    class Matrix:
        def upload(self, array):
            self.array = array.copy()

        def download(self):
            return self.array

    class Algorithm:
        def __init__(self, numLevels, pyrScale, fastPyramids, winSize, numIters, polyN, polySigma, flags):
            self.parameters = (pyrScale, numLevels, winSize, numIters, polyN, polySigma, flags)

        def calc(self, first, second, field):
            field.upload(cv2.calcOpticalFlowFarneback(first.array, second.array, None, *self.parameters))
            return field

    class Cuda:
        GpuMat, FarnebackOpticalFlow_create = Matrix, Algorithm
        getCudaEnabledDeviceCount = staticmethod(lambda: 1)

    monkeypatch.setattr(cv2, "cuda", Cuda)
    frames = panned(2, 1.5)
    fields = [Settings(name).function()(*frames) for name in ("farneback_cuda", "farneback")]
    np.testing.assert_array_equal(*fields)


def test_a_network_needs_weights_that_can_be_read(videos, tmp_path):
    with pytest.raises(DtkdError, match="raft_small has no weights"):
        Settings("raft_small")
    with pytest.raises(DtkdError, match=r"absent\.pth cannot be read") as error:
        flow.class_flow(videos, Settings("raft_small", weights=str(tmp_path / "absent.pth")))
    assert "videos have no optical flow" not in str(error.value)


def test_torch_stays_out_unless_a_network_is_named():
    code = "import sys; from dtkd.motion import flow; flow.Settings().function(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": SCRIPTS}).returncode == 0


@pytest.mark.parametrize("wrong", [
    {"algorithm": "magic"}, {"step": 0}, {"short_side": 4}, {"unit": "hour"}, {"measure": "speed"},
])  # fmt: skip
def test_settings_that_make_no_sense(wrong):
    with pytest.raises(DtkdError, match=rf"{next(iter(wrong))}.*choose"):
        Settings(**wrong)


def test_one_frame_is_too_few(tmp_path):
    with pytest.raises(video.VideoError, match=r"one\.avi: has 1 frame\(s\), too few"):
        flow.video_flow(write(tmp_path / "one.avi", panned(1, 0)))
    with pytest.raises(video.VideoError, match="smaller step"):
        flow.video_flow(write(tmp_path / "three.avi", panned(3, 0)), step=5)


def test_a_written_table_tells_where_it_came_from(tmp_path):
    path, out = write(tmp_path / "pan.avi", panned(4, 2.0)), tmp_path / "flow" / "pan.parquet"
    row = flow.write_video_flow(path, out, Settings(step=1))
    metadata = json.loads(pq.read_schema(out).metadata[b"dtkd.flow"])
    assert metadata["settings"] == {"algorithm": "farneback", "step": 1, "short_side": None}
    assert metadata["source"] == {"size": path.stat().st_size, "mtime_ns": path.stat().st_mtime_ns}
    table = pd.read_parquet(out)
    pd.testing.assert_frame_equal(table, flow.video_flow(path), check_flags=False)
    assert row["video"] == "pan"
    assert (row["frames"], row["pairs"]) == (4, 3)
    assert row["mean"] == pytest.approx(table["mean"].mean())
    assert row["median"] == pytest.approx(table["mean"].median())
    assert os.listdir(out.parent) == ["pan.parquet"]


# A class's folder


@pytest.fixture
def videos(tmp_path):
    speeds = {"a": 0.5, "b.1": 1.0, "c": 1.5}  # a dot in a name must survive
    return [
        (name, write(tmp_path / "videos" / f"{name}.avi", panned(4, speed)), tmp_path / "flow" / f"{name}.parquet")
        for name, speed in speeds.items()
    ]


def state(videos):
    """What a rewritten file would change."""
    return {name: (out.stat().st_ino, out.stat().st_mtime_ns) for name, _, out in videos if out.exists()}


def rewritten(before, after):
    return {name for name in after if after[name] != before.get(name)}


def test_class_flow_computes_what_changed_and_nothing_else(videos):
    settings = Settings()
    first = flow.class_flow(videos, settings)
    assert first.columns.tolist() == flow.SUMMARY
    assert first["video"].tolist() == ["a", "b.1", "c"]
    assert first["mean"].is_monotonic_increasing
    before = state(videos)

    pd.testing.assert_frame_equal(flow.class_flow(videos, settings), first)  # read back, to the last bit
    assert rewritten(before, state(videos)) == set()

    write(videos[1][1], panned(6, 3.0))  # another video
    os.utime(videos[2][1], ns=(1, 1))  # another mtime
    changed = flow.class_flow(videos, settings)
    assert rewritten(before, state(videos)) == {"b.1", "c"}
    assert changed["frames"].tolist() == [4, 6, 4]

    before = state(videos)
    videos[0][2].unlink()  # missing
    videos[1][2].write_bytes(videos[1][2].read_bytes()[:100])  # half
    pd.DataFrame({"mean": [1.0]}).to_parquet(videos[2][2])  # somebody else's
    pd.testing.assert_frame_equal(flow.class_flow(videos, settings), changed)
    assert rewritten(before, state(videos)) == {"a", "b.1", "c"}

    before = state(videos)
    flow.class_flow(videos, Settings(step=2))
    assert rewritten(before, state(videos)) == {"a", "b.1", "c"}


def test_class_flow_removes_videos_no_longer_listed(videos):
    flow.class_flow(videos, Settings())
    before, folder = state(videos), videos[0][2].parent
    (folder / ".a.999.partial.parquet").write_bytes(b"left by a killed run")
    left = flow.class_flow(videos[:2], Settings())
    assert left["video"].tolist() == ["a", "b.1"]
    assert sorted(os.listdir(folder)) == ["a.parquet", "b.1.parquet"]
    assert rewritten(before, state(videos)) == set()


def test_class_flow_does_the_good_videos_then_lists_every_bad_one(videos):
    flow.class_flow(videos[:1], Settings())
    paths = [path for _, path, _ in videos]
    paths[0].write_bytes(b"")
    paths[1].unlink()
    with pytest.raises(DtkdError, match=r"2 of 3 videos .*a\.avi: is empty.*b\.1\.avi: cannot be read") as error:
        flow.class_flow(videos, Settings())
    assert "\n" not in str(error.value)
    assert os.listdir(videos[0][2].parent) == ["c.parquet"]  # no outdated table, no half of one


def test_a_failed_write_leaves_what_was_there(videos, monkeypatch):
    flow.class_flow(videos, Settings())
    before = state(videos)

    def breaks(table, path, **options):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(flow.pq, "write_table", breaks)
    with pytest.raises(OSError, match="disk full"):
        flow.write_video_flow(videos[0][1], videos[0][2], Settings(step=2))
    assert state(videos) == before
    assert len(os.listdir(videos[0][2].parent)) == 3


def test_threads_and_progress(videos):
    seen = []

    def progress(iterable, total):
        for value in iterable:
            seen.append(total)
            yield value

    parallel = flow.class_flow(videos, Settings(), progress, threads=2)
    assert seen == [3, 3, 3]
    for _, _, out in videos:
        out.unlink()
    pd.testing.assert_frame_equal(flow.class_flow(videos, Settings()), parallel)
    flow.class_flow(videos, Settings(), progress)
    assert seen == [3, 3, 3]


def test_class_flow_refuses_paths_that_would_mix(videos, tmp_path):
    elsewhere = ("d", videos[0][1], tmp_path / "other" / "d.parquet")
    for wrong in ([], [videos[0], videos[0]], [videos[0], elsewhere]):
        with pytest.raises(ValueError, match="share one folder"):
            flow.class_flow(wrong, Settings())


# Over time


@pytest.mark.parametrize("unit", ["frame", "second"])
def test_a_videos_number_over_time(tmp_path, unit):
    """A camera that stands, pans slowly, then fast; a frame is shown for 40 ms, the last ones for 80."""
    shifts = np.cumsum([0, 0, 0.3, 0.3, 0.8, 0.8, 3])
    frames = [cv2.cvtColor(panned(2, shift)[1], cv2.COLOR_GRAY2RGB) for shift in shifts]
    path = encode(tmp_path / "a.mkv", "ffv1", "bgr0", frames, times=[0, 40, 80, 120, 160, 240, 320])
    table, out = flow.video_flow(path), tmp_path / "flow" / "a.parquet"
    per_second = unit == "second"
    values = table["mean"] / (table["seconds"] if per_second else 1)
    weights = table["seconds"] if per_second else np.ones(len(table))
    expected = {
        "mean": np.average(values, weights=weights), "max": values.max(), "q90": np.quantile(values, 0.9),
        "share": weights[values > (12.5 if per_second else 0.5)].sum() / weights.sum(),
    }  # fmt: skip
    # of 0, 0.3, 0.3, 0.8, 0.8 and 3 pixels a frame the last three, which are 20, 10 and 37.5 a second
    assert expected["share"] == pytest.approx(120 / 320 if per_second else 3 / 6)
    for over_time, number in expected.items():
        found = flow.class_flow([("a", path, out)], Settings(unit=unit, over_time=over_time))
        assert found.attrs == {"unit": unit, "over_time": over_time}
        assert found.loc[0, "mean"] == pytest.approx(number, rel=1e-5)
        assert found.loc[0, "median"] == pytest.approx(values.median(), rel=1e-5)
    assert len(set(expected.values())) == 4


def test_another_number_over_time_computes_no_flow_again(videos, monkeypatch):
    flow.class_flow(videos, Settings())
    before = state(videos)
    monkeypatch.setattr(Settings, "function", lambda self: None)
    flow.class_flow(videos, Settings(over_time="max", measure="moving"))
    assert rewritten(before, state(videos)) == set()


def test_a_table_that_lacks_a_measure_is_made_anew_only_where_it_is_asked_for(videos):
    """Tables of before there was one."""
    whole, later = flow.class_flow(videos, Settings()), ["centre", "moving"]
    for _, _, out in videos[:2]:
        table = pq.read_table(out)
        pq.write_table(table.drop_columns(later), out)
    before = state(videos)
    for measure in ("mean", "residual", "median"):
        found = flow.class_flow(videos, Settings(measure=measure))
        assert rewritten(before, state(videos)) == set()
        pd.testing.assert_frame_equal(found.drop(columns=later), whole.drop(columns=later))
        assert found["centre"].isna().tolist() == [True, True, False]
    pd.testing.assert_frame_equal(flow.class_flow(videos, Settings(measure="moving")), whole)
    assert rewritten(before, state(videos)) == {"a", "b.1"}


# Motion a second


def summary(path, unit, out):
    table = flow.class_flow([(path.name, path, out / path.stem / "a.parquet")], Settings(unit=unit))
    assert table.attrs["unit"] == unit
    return table.loc[0]


def test_motion_a_second_is_the_same_at_every_frame_rate(tmp_path):
    """A pan of 30 pixels a second, by two cameras; a frame of the slower one shows twice the motion."""
    fast = write(tmp_path / "fast.avi", panned(31, 1.0), fps=30.0)
    slow = write(tmp_path / "slow.avi", panned(16, 2.0), fps=15.0)
    for measure in ("mean", "q90", "median", "camera"):
        assert summary(fast, "second", tmp_path)[measure] == pytest.approx(30, rel=0.08)
        assert summary(slow, "second", tmp_path)[measure] == pytest.approx(30, rel=0.08)
    assert summary(fast, "frame", tmp_path)["mean"] == pytest.approx(1, rel=0.08)
    assert summary(slow, "frame", tmp_path)["mean"] == pytest.approx(2, rel=0.08)


def test_motion_a_second_goes_by_the_frames_own_times(tmp_path):
    """The same pan by a phone whose rate falls from 30 frames a second to 10."""
    times = [*np.arange(15) / 30, *(0.5 + np.arange(6) / 10)]
    images = [cv2.cvtColor(panned(2, 30 * time)[1], cv2.COLOR_GRAY2RGB) for time in times]
    path = encode(tmp_path / "phone.mp4", "libx264", images=images, times=[round(1000 * time) for time in times])
    assert summary(path, "second", tmp_path)["mean"] == pytest.approx(30, rel=0.08)
    table = flow.video_flow(path)
    np.testing.assert_allclose(table["time"], times[:-1], atol=1e-3)
    np.testing.assert_allclose(table["seconds"], np.diff(times), atol=1.1e-3)


def test_another_unit_computes_no_flow_again(tmp_path, monkeypatch):
    path = write(tmp_path / "a.avi", panned(5, 1.0))
    first = summary(path, "frame", tmp_path)["mean"]
    monkeypatch.setattr(Settings, "function", lambda self: None)
    assert summary(path, "second", tmp_path)["mean"] == pytest.approx(25 * first)


def test_motion_a_second_of_a_video_without_times_is_refused(tmp_path, monkeypatch):
    path = write(tmp_path / "a.avi", panned(5, 1.0))
    monkeypatch.setattr(video._Video, "info", lambda self: video.VideoInfo(5, 0.0, WIDTH, HEIGHT))
    with pytest.raises(DtkdError, match=r"a\.avi: has no times, and flow\.unit is second: set flow\.unit: frame"):
        summary(path, "second", tmp_path)
