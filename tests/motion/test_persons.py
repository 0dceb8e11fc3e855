"""Motion of persons: known boxes give known numbers. A stub finds them; the network itself has random weights."""

import json
import sys

import cv2
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from test_flow import rewritten, state, texture

from dtkd.analysis.figures import motion_measures
from dtkd.common.errors import DtkdError
from dtkd.common.published import Published
from dtkd.data import video
from dtkd.models import weights as model_weights
from dtkd.motion import fasterrcnn, flow, persons, stability, subsets
from dtkd.motion.detectors import DETECTOR, PERSON_MEASURES
from dtkd.motion.flow import Settings

WIDTH, HEIGHT = 160, 120
TOP, BOTTOM, LEFT, SIDE = 30, 90, 20, 40  # of the one who moves, at the first frame: 40 wide, 60 tall


def walk(path, count=7, person=2, background=-1, shown=None):
    """A bright rectangle that moves ``person`` pixels a frame over a background that moves ``background``.

    In the frames of which ``shown`` is false, the rectangle has gone.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    scene, own = texture(0, 260, HEIGHT) // 3, 190 + texture(1, SIDE, BOTTOM - TOP) // 4
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, (WIDTH, HEIGHT))
    writer.set(cv2.VIDEOWRITER_PROP_QUALITY, 100)
    for number in range(count):
        start = 50 - background * number
        frame = scene[:, start : start + WIDTH].copy()
        if shown is None or shown(number):
            at = LEFT + person * number
            frame[TOP:BOTTOM, at : at + SIDE] = own
        writer.write(cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR))
    writer.release()
    return path


class Bright(torch.nn.Module):
    """In place of the network: a person is what is bright. A dim one has half the score, and there is a bright dog."""

    def forward(self, pictures):
        self.asked = [*getattr(self, "asked", []), len(pictures)]
        return [self.answer(picture) for picture in pictures]

    def answer(self, picture):
        rows, columns = torch.nonzero(picture[0] > 0.6, as_tuple=True)
        if len(rows) < 1000:
            box = torch.zeros(0, 4)
        else:
            edges = [torch.quantile(line.float(), q) for q in (0.005, 0.995) for line in (columns, rows)]
            box = torch.stack(edges)[None]
        whole = torch.tensor([[0.0, 0.0, picture.shape[2], picture.shape[1]]])
        return {
            "boxes": torch.cat([box, whole, whole]),
            "scores": torch.tensor([0.9] * len(box) + [0.4, 0.99]),
            "labels": torch.tensor([1] * len(box) + [1, 18]),
        }


@pytest.fixture
def bright(monkeypatch, tmp_path):
    """The stub, and a file of weights for it."""
    network = Bright()
    monkeypatch.setattr(fasterrcnn, "_network", lambda weights, device: (network, torch.device("cpu")))
    (tmp_path / "stub.pth").write_bytes(b"a stub has none")
    network.weights = str(tmp_path / "stub.pth")
    return network


@pytest.fixture(scope="module")
def random_weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "random.pth"
    torch.manual_seed(0)
    fasterrcnn.save_untrained(path)
    return str(path)


# One pair


def test_motion_is_over_the_boxes_and_in_heights_of_whom_they_show():
    """One 0.5 of 100 tall moves 4 pixels, one 0.2 tall 2; the rest of the frame, at 9, does not count."""
    field = np.full((100, 200, 2), (9, 0), np.float32)
    field[20:70, 20:60] = (0, 4)
    field[60:80, 150:170] = (2, 0)
    large, small = (0.1, 0.2, 0.3, 0.7), (0.75, 0.6, 0.85, 0.8)
    assert persons.of_pair(field, np.float32([large])) == pytest.approx((4, 100 * 4 / 50))
    assert persons.of_pair(field, np.float32([small])) == pytest.approx((2, 100 * 2 / 20))
    areas = 2000, 400
    both = (4 * 2000 + 2 * 400) / sum(areas), 100 * (4 / 50 * 2000 + 2 / 20 * 400) / sum(areas)
    for boxes in ([large, small], [small, large]):
        assert persons.of_pair(field, np.float32(boxes)) == pytest.approx(both)


def test_where_boxes_overlap_a_pixel_counts_once_and_is_the_tallers():
    field = np.full((100, 100, 2), (3, 4), np.float32)
    boxes = [(0.0, 0.0, 1.0, 1.0), (0.2, 0.2, 0.4, 0.3)]
    for some in (boxes, boxes[::-1]):
        assert persons.of_pair(field, np.float32(some)) == pytest.approx((5, 100 * 5 / 100))


def test_nobody_has_no_number():
    found = persons.of_pair(np.ones((10, 10, 2), np.float32), np.empty((0, 4), np.float32))
    assert np.isnan(found).all()


# A video


def test_a_persons_motion_is_not_the_backgrounds(bright, tmp_path):
    path = walk(tmp_path / "a.avi")
    table = flow.video_flow(path, person_weights=bright.weights)
    assert table["persons"].tolist() == [1] * 6
    np.testing.assert_allclose(table["person"], 2, atol=0.3)  # the box's edges are not the person's
    np.testing.assert_allclose(table["person_height"] / 100 * (BOTTOM - TOP), table["person"], rtol=0.05)
    assert (table["mean"] < 1.5).all(), "most of the frame moves by one"


def test_other_columns_are_those_of_a_table_without_persons(bright, tmp_path):
    path = walk(tmp_path / "a.avi")
    plain, table = flow.video_flow(path), flow.video_flow(path, person_weights=bright.weights)
    assert [name for name in table if name not in plain] == ["persons", *PERSON_MEASURES]
    pd.testing.assert_frame_equal(table[plain.columns], plain)


def test_heights_are_the_same_at_every_working_size_and_distance(bright, tmp_path):
    path = walk(tmp_path / "a.avi")
    whole, half = (flow.video_flow(path, short_side=side, person_weights=bright.weights) for side in (None, 60))
    assert half["person"].mean() == pytest.approx(whole["person"].mean() / 2, rel=0.1)
    assert half["person_height"].mean() == pytest.approx(whole["person_height"].mean(), rel=0.1)


def test_steps_are_pixels_a_frame_and_looks_are_at_pairs(bright, tmp_path):
    path = walk(tmp_path / "a.avi", count=13)
    table = flow.video_flow(path, step=2, person_weights=bright.weights)
    assert len(table) == 6
    np.testing.assert_allclose(table["person"], 2, atol=0.3)
    assert len(bright.asked) == 7, "the first frame of every pair, and the last"


@pytest.mark.parametrize(("every", "expected"), [
    (1, [1, 1, 1, 0, 0, 0, 0, 0, 0]),
    (3, [1, 1, 0, 0, 0, 0, 0, 0, 0]),  # looks at 0, 3, 6 and 9: pair 2 is nearer to 3
    (20, [1] * 9),
])  # fmt: skip
def test_every_pair_has_the_boxes_of_the_nearest_look(bright, tmp_path, every, expected):
    path = walk(tmp_path / "a.avi", count=10, shown=lambda number: number < 3)
    table = flow.video_flow(path, person_weights=bright.weights, person_every=every)
    assert table["persons"].tolist() == expected
    assert table["person"].isna().tolist() == [not found for found in expected]
    assert len(bright.asked) == -(-10 // every)


def test_the_threshold_and_the_class_decide_who_is_a_person(bright, tmp_path):
    """At 0.3 the stub's dim person, who is all of the frame, counts too; its dog never does."""
    path = walk(tmp_path / "a.avi", count=3)
    for threshold, count in ((0.95, 0), (0.5, 1), (0.3, 2)):
        table = flow.video_flow(path, person_weights=bright.weights, person_threshold=threshold)
        assert table["persons"].tolist() == [count] * 2


def test_frames_are_looked_at_in_batches_on_a_gpu(bright, tmp_path, monkeypatch):
    path = walk(tmp_path / "a.avi", count=11)
    one_by_one = fasterrcnn.boxes(path, bright.weights)
    bright.asked.clear()
    monkeypatch.setitem(fasterrcnn.BATCH, "cpu", 4)
    np.testing.assert_allclose(fasterrcnn.boxes(path, bright.weights), one_by_one)
    assert bright.asked == [4, 4, 3]


def test_colour_frames_are_the_grey_ones(tmp_path):
    path = walk(tmp_path / "a.avi", count=4)
    for side, step in ((None, 1), (60, 2)):
        grey, colour = (list(frames(path, side, step)) for frames in (video.grey_frames, video.bgr_frames))
        assert len(grey) == len(colour) == 4 // step
        for one, other in zip(grey, colour, strict=True):
            assert other.shape == (*one.shape, 3)
            assert np.abs(cv2.cvtColor(other, cv2.COLOR_BGR2GRAY).astype(int) - one).max() <= 2


# A class


def some(tmp_path, **videos):
    return [
        (name, walk(tmp_path / "videos" / f"{name}.avi", count=5, **about), tmp_path / "flow" / f"{name}.parquet")
        for name, about in videos.items()
    ]


def test_a_summary_is_over_the_pairs_with_persons(bright, tmp_path):
    videos = some(tmp_path, all={}, half={"shown": lambda number: number < 2}, none={"shown": lambda number: False})
    settings = Settings(measure="person", person_weights=bright.weights)
    table = flow.class_flow(videos, settings).set_index("video")
    assert list(table.columns) == [name for name in [*flow.SUMMARY, *flow.PERSON_SUMMARY] if name != "video"]
    assert table["with_person"].tolist() == [1, 0.5, 0]
    assert table[PERSON_MEASURES].isna().any(axis=1).tolist() == [False, False, True]
    stored = pq.read_table(videos[1][2])["person"].to_numpy()
    assert table.loc["half", "person"] == pytest.approx(stored[:2].mean())
    a_second = flow.class_flow(videos, Settings(measure="person", unit="second", person_weights=bright.weights))
    np.testing.assert_allclose(a_second["person"], 25 * table["person"], rtol=1e-5)


def test_tables_are_made_again_where_persons_are_first_asked_for_and_then_kept(bright, tmp_path):
    videos = some(tmp_path, a={}, b={"person": 3})
    plain = flow.class_flow(videos, Settings())
    before, content = state(videos), [out.read_bytes() for _, _, out in videos]

    asks = Settings(measure="person", person_weights=bright.weights)
    with_persons = flow.class_flow(videos, asks)
    assert rewritten(before, state(videos)) == {"a", "b"}
    before = state(videos)
    pd.testing.assert_frame_equal(flow.class_flow(videos, asks), with_persons)
    pd.testing.assert_frame_equal(flow.class_flow(videos, Settings()), plain)
    assert rewritten(before, state(videos)) == set(), "a table with persons has all that one without has"

    for changed in ({"person_every": 2}, {"person_threshold": 0.4}):
        flow.class_flow(videos, Settings(measure="person", person_weights=bright.weights, **changed))
        assert rewritten(before, state(videos)) == {"a", "b"}
        before = state(videos)

    for _, _, out in videos:
        out.unlink()
    flow.class_flow(videos, Settings())
    assert [out.read_bytes() for _, _, out in videos] == content, "of studies without persons, byte for byte"


def test_a_table_says_who_found_the_persons(bright, tmp_path):
    [(_, path, out)] = some(tmp_path, a={})
    flow.write_video_flow(path, out, Settings(person_weights=bright.weights, person_every=2))
    metadata = json.loads(pq.read_schema(out).metadata[b"dtkd.flow"])
    assert metadata["settings"] == {"algorithm": "farneback", "step": 1, "short_side": None}
    weights = metadata["persons"].pop("weights")
    assert metadata["persons"] == {"detector": DETECTOR.name, "every": 2, "threshold": 0.5}
    assert weights == model_weights.verify(bright.weights)


def test_persons_need_a_detector():
    with pytest.raises(DtkdError, match="flow measure person_height needs a detector of persons: name a file"):
        Settings(measure="person_height")
    with pytest.raises(DtkdError, match="persons every 0 pairs are not possible: choose"):
        Settings(person_weights="x", person_every=0)


# The split


def tables(**shares):
    """Class -> its flow table, of a share of frames with a person in each video; motion is a tenth of the number."""
    made = {}
    for number, (name, own) in enumerate(shares.items(), start=1):
        motion = [number / 10 if share else np.nan for share in own]
        made[name] = pd.DataFrame({"video": [f"v{k}" for k in range(len(own))], "person": motion, "with_person": own})
        made[name].attrs["unit"] = "second"
    return made


RULE = {"source": "flow", "measure": "person", "over": "all", "quantile": 0.5, "boundary": "inclusive"}


def test_a_video_without_a_person_stops_the_split_by_its_name():
    own = tables(run=[1, 0, 0.2], sit=[0, 1], walk=[1])
    with pytest.raises(DtkdError) as error:
        subsets.counted(own, RULE | {"on_no_person": "fail"})
    assert str(error.value) == (
        "split.measure: person: no person was found in 2 of 6 videos (run/v1, sit/v0), which so have no motion of "
        "persons: lower flow.persons.threshold, choose a split.measure that needs no person, such as moving, or set "
        "split.on_no_person: skip, by which a class's mean is over its other videos."
    )
    with pytest.raises(DtkdError, match="no person was found in 2 of 6 videos"):
        stability.of_classes(own, RULE | {"on_no_person": "fail"})


def test_such_videos_are_left_out_if_the_study_says_so():
    own, rule = tables(run=[1, 0, 0.2], sit=[0, 1], walk=[1]), RULE | {"on_no_person": "skip"}
    means = subsets.class_means(subsets.counted(own, rule), "person")
    assert means["videos"].tolist() == [2, 1, 1]
    assert means["mean"].tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert means.attrs["unit"] == "second"
    assert stability.of_classes(own, rule)["mean"].tolist() == means["mean"].tolist()


def test_a_class_without_any_person_is_an_error_in_any_case():
    with pytest.raises(DtkdError, match=r"no person was found in any video of sit: .* or leave the class out\.$"):
        subsets.counted(tables(run=[1], sit=[0, 0]), RULE | {"on_no_person": "skip"})


def test_other_measures_take_no_notice_of_persons():
    own = {"run": pd.DataFrame({"video": ["a"], "mean": [1.0]})}
    assert subsets.counted(own, {"measure": "mean"}) is own


@pytest.mark.parametrize(("measure", "unit"), [("person", "person, pixels/second"),
                                               ("person_height", "person_height, % of height/second")])  # fmt: skip
def test_motion_is_named_by_what_it_is_in(measure, unit):
    own = tables(run=[1], sit=[1])
    for table in own.values():
        table["person_height"] = table["person"] / 50
    split = subsets.split(subsets.class_means(own, measure), 0.5)
    assert subsets.motion_unit([split]) == unit


# The network


def test_the_weights_are_torchvisions():
    published = fasterrcnn.detection.FasterRCNN_MobileNet_V3_Large_320_FPN_Weights.DEFAULT
    assert DETECTOR.weights.url == published.url
    assert DETECTOR.weights.url.endswith(f"-{DETECTOR.weights.sha256}.pth")
    assert published.meta["categories"][fasterrcnn.PERSON] == "person"


def test_random_weights_go_the_whole_way(random_weights, tmp_path):
    """No persons are in noise's answers, but with any score enough there are boxes, within the frame."""
    path = walk(tmp_path / "a.avi", count=3)
    table = flow.video_flow(path, person_weights=random_weights)
    assert table["persons"].tolist() == [0, 0]
    found = fasterrcnn.boxes(path, random_weights, "cpu", threshold=0)
    assert len(found) == 3
    for some in found:
        assert some.dtype == np.float32
        assert some.shape[1:] == (4,)
        assert ((some >= 0) & (some <= 1)).all()
        assert (some[:, :2] <= some[:, 2:]).all()
    again = fasterrcnn.boxes(path, random_weights, "cpu", threshold=0)
    for one, other in zip(found, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_frames_come_to_the_network_as_torchvision_has_them(random_weights, tmp_path, monkeypatch):
    """RGB, 0 to 1, the shorter side 320."""
    seen = []
    network = lambda pictures: seen.extend(pictures) or [Bright().answer(one) for one in pictures]  # noqa: E731
    monkeypatch.setattr(fasterrcnn, "_network", lambda weights, device: (network, torch.device("cpu")))
    writer = cv2.VideoWriter(str(tmp_path / "red.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, (WIDTH, HEIGHT))
    writer.write(np.full((HEIGHT, WIDTH, 3), (0, 0, 200), np.uint8))
    writer.release()
    fasterrcnn.boxes(tmp_path / "red.avi", random_weights)
    [picture] = seen
    assert picture.shape == (3, 320, 427)
    np.testing.assert_allclose(picture.mean((1, 2)), [200 / 255, 0, 0], atol=0.02)


def test_weights_of_something_else_are_one_line_for_the_class(tmp_path, random_weights):
    torch.save({"x": torch.zeros(1)}, tmp_path / "other.pth")
    (tmp_path / "text.pth").write_text("no weights")
    videos = some(tmp_path, a={"person": 1})
    for name, problem in (("other", rf"does not hold the parameters of {DETECTOR.name}: give"), ("text", "is damaged"),
                          ("gone", r"cannot be read \(No such file")):  # fmt: skip
        with pytest.raises(DtkdError, match=rf"{name}\.pth {problem}") as error:
            flow.class_flow(videos, Settings(person_weights=str(tmp_path / f"{name}.pth")))
        assert "\n" not in str(error.value)
        assert "videos have no optical flow" not in str(error.value)


def test_a_download_that_is_not_the_published_file(tmp_path):
    """What was put there by hand, or came down a wire, begins with other digits."""
    path = tmp_path / f"{DETECTOR.name}.pth"
    path.write_bytes(b"something else")
    problem = rf"has SHA-256 \w{{64}}, but that of {DETECTOR.weights.url} begins with 907ea3f9: remove it"
    with pytest.raises(DtkdError, match=problem):
        model_weights.download(DETECTOR.weights, path)


def test_no_internet_says_what_to_do(tmp_path):
    nowhere = Published(DETECTOR.weights.url.replace("download.pytorch.org", "localhost:1"), DETECTOR.weights.sha256)
    with pytest.raises(DtkdError, match=rf"download https://localhost:1/.* and put it at {tmp_path}/here\.pth"):
        model_weights.download(nowhere, tmp_path / "here.pth", progress=False)
    assert not (tmp_path / "here.pth").exists()


def test_a_gpu_is_used_beside_an_algorithm_that_uses_one():
    for algorithm, device in (("dis_fast", "cpu"), ("raft_small", "auto")):
        assert Settings(algorithm, weights="x", person_weights="y").person_device == device


# The picture


def test_the_picture_has_the_persons_and_their_boxes():
    field = np.full((60, 80, 2), (2, 0), np.float32)
    boxes = np.float32([(0.25, 0.1, 0.5, 0.9)])
    *_, last = motion_measures.draw(np.zeros((60, 80, 3), np.uint8), field, boxes).axes
    assert last.get_title() == "persons"
    assert last.get_xlabel() == f"person 2.00\nperson_height {100 * 2 / 48:.2f}"
    [box] = last.patches
    assert (box.get_x(), box.get_y(), box.get_width(), box.get_height()) == pytest.approx((20, 6, 20, 48))
    shown = last.images[0].get_array()
    assert not (shown[10, 30] == shown[10, 60]).all(), "the flow is shown within the box alone"
    *_, last = motion_measures.draw(np.zeros((60, 80, 3), np.uint8), field, np.empty((0, 4), np.float32)).axes
    assert last.get_xlabel() == "none found"


def test_the_command_draws_them(bright, tmp_path, monkeypatch, capsys):
    path = walk(tmp_path / "a.avi")
    words = [path, tmp_path / "a.png", "--persons", bright.weights, "--frame", 4]
    monkeypatch.setattr(sys, "argv", ["motion", *map(str, words)])
    motion_measures.main()
    assert capsys.readouterr().out == f"{tmp_path}/a.png: frame 4\n"
    assert cv2.imread(str(tmp_path / "a.png")).shape[1] == 1400
