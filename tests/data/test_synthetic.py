"""The embedded demo: deterministic, in the real datasets' forms, and with flow that tells still from mobile."""

import dataclasses
import subprocess
import sys
import zlib
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from dtkd import config
from dtkd.common.errors import DtkdError
from dtkd.data import synthetic
from dtkd.data.synthetic import (
    ACTIONS,
    LISTS,
    Render,
    class_names,
    layout,
    list_files,
    list_names,
    render_class,
    render_video,
    write_lists,
)
from dtkd.operations import regime

VOCABULARIES = list(ACTIONS)


def mean_flow(video: np.ndarray) -> float:
    """Farneback, mean magnitude in pixels over all pixels and consecutive pairs."""
    grey = [cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) for frame in video]
    pairs = [cv2.calcOpticalFlowFarneback(a, b, None, 0.5, 3, 15, 3, 5, 1.2, 0) for a, b in pairwise(grey)]
    return float(np.mean(np.linalg.norm(pairs, axis=-1)))


def sides(render: Render, number: int) -> dict[str, int]:
    """Each video's side in list ``number``, 1 train, 2 test, 0 unused, read back from the list files' text."""
    texts, result = list_files(render), {}
    if render.vocabulary == "demo_hmdb":
        for name in class_names(render.vocabulary):
            for line in texts[f"{name}_test_split{number}.txt"].splitlines():
                video, side = line.split()
                result[f"{name}/{video}"] = int(side)
        return result
    for side, stem in ((1, "trainlist"), (2, "testlist")):
        for line in texts[f"{stem}0{number}.txt"].splitlines():
            result[line.split()[0]] = side
    return result


def groups(render: Render) -> dict[str, int]:
    """Each video's group: the layout is in order of group and clip."""
    return {path: i // render.clips_per_group for paths in layout(render).values() for i, path in enumerate(paths)}


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_same_video_whenever_rendered(vocabulary):
    render = Render(vocabulary, frames=4)
    name = class_names(vocabulary)[0]
    first = render_video(render, name, 2, 1)
    render_video(render, class_names(vocabulary)[1], 1, 2)
    synthetic._scene.cache_clear()
    assert first.shape == (4, 72, 96, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, render_video(render, name, 2, 1))
    for other in ((name, 2, 2), (name, 3, 1), (class_names(vocabulary)[1], 2, 1)):
        assert not np.array_equal(first, render_video(render, *other))
    assert not np.array_equal(first, render_video(dataclasses.replace(render, seed=1), name, 2, 1))


def test_same_video_in_another_process():
    code = (
        "import sys, zlib; from dtkd.data.synthetic import Render, render_video;"
        "print(zlib.crc32(render_video(Render('demo_ucf', frames=3), 'JumpRope', 1, 1).tobytes()))"
    )
    here = zlib.crc32(render_video(Render("demo_ucf", frames=3), "JumpRope", 1, 1).tobytes())
    there = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": "7"},
    )
    assert int(there.stdout) == here


def test_import_is_light():
    code = "import sys; from dtkd.data.synthetic import *; layout(Render('demo_ucf')); list_names(Render('demo_hmdb'));"
    code += "print(sorted({'numpy', 'cv2', 'torch', 'pandas'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(sys.path)}
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
def test_files_are_the_layout(vocabulary, tmp_path):
    render = Render(vocabulary, groups=3, clips_per_group=2, frames=7)
    name, ticks = class_names(vocabulary)[-1], []
    paths = render_class(render, name, tmp_path, ticks.append)
    assert ticks == [1] * 6
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == layout(render)[name]
    assert sorted(tmp_path.rglob("*.*")) == sorted(paths)
    for path, (group, clip) in zip(paths, [(g, c) for g in (1, 2, 3) for c in (1, 2)], strict=True):
        reader = cv2.VideoCapture(str(path))
        assert (reader.get(cv2.CAP_PROP_FRAME_COUNT), reader.get(cv2.CAP_PROP_FPS)) == (7, 25)
        frames = [frame for ok, frame in iter(reader.read, (False, None)) if ok]
        drawn = render_video(render, name, group, clip)
        assert np.shape(frames) == drawn.shape
        assert np.abs(np.array(frames, float) - drawn).mean() < 12  # what XVID loses
    before = paths[0].read_bytes()
    render_class(render, name, tmp_path)
    assert paths[0].read_bytes() == before


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
@pytest.mark.parametrize(("count", "clips"), [(8, 3), (3, 1), (4, 2), (25, 4)])
def test_lists_split_by_group(vocabulary, count, clips):
    render = Render(vocabulary, groups=count, clips_per_group=clips)
    group_of, tested = groups(render), []
    every = set(group_of)
    for number in LISTS:
        side = sides(render, number)
        assert set(side) == every
        by_group = {s: {group_of[path] for path in every if side[path] == s} for s in (1, 2)}
        assert not by_group[1] & by_group[2]
        for s in (1, 2):
            assert {path.split("/")[0] for path in every if side[path] == s} == set(class_names(vocabulary))
        tested.append(by_group[2])
    assert len(tested[0] | tested[1] | tested[2]) == sum(len(side) for side in tested)


@pytest.mark.parametrize("vocabulary", ["demo_ucf", "demo_hmdb", "demo_source"])
def test_names_of_lists_are_known_without_their_text(vocabulary):
    render = Render(vocabulary)
    assert list_names(render) == list(list_files(render))


def test_lists_look_like_the_real_ones(tmp_path):
    ucf = list_files(Render("demo_ucf"))
    assert ucf["classInd.txt"].startswith("1 ApplyLipstick\r\n2 BasketballDribble\r\n")
    assert ucf["testlist01.txt"].startswith("ApplyLipstick/v_ApplyLipstick_g01_c01.avi\r\n")
    assert ucf["trainlist01.txt"].startswith("ApplyLipstick/v_ApplyLipstick_g03_c01.avi 1\r\n")
    render = Render("demo_hmdb")
    hmdb = list_files(render)
    assert len(hmdb) == 3 * 12
    assert all(line[-3:] in (" 0 ", " 1 ", " 2 ") for text in hmdb.values() for line in text.split("\n")[:-1])
    assert {side for number in LISTS for side in sides(render, number).values()} == {0, 1, 2}
    paths = write_lists(render, tmp_path)
    assert {path.name: path.read_bytes().decode() for path in paths} == hmdb


def test_vocabularies_share_no_action():
    names = [name.lower().replace("_", "") for vocabulary in VOCABULARIES for name in class_names(vocabulary)]
    assert len(names) == len(set(names))
    assert [len(class_names(vocabulary)) for vocabulary in VOCABULARIES] == [16, 12, 50]


def test_the_demo_tests_as_many_videos_as_its_regime_wants():
    with open(Path(__file__).parents[2] / "config.yaml", encoding="utf-8") as file:
        study = config.read(yaml.safe_load(file))
    for dataset in study.use:
        for number in LISTS:
            tested = [video for video, side in sides(study.datasets[dataset].render, number).items() if side == 2]
            assert regime.VIDEOS.holds(len(tested))


def test_the_test_share_is_of_the_groups():
    def tested(share):
        render = Render("demo_ucf", groups=30, clips_per_group=2, test_share=share)
        return [list_files(render)[f"testlist0{number}.txt"].splitlines() for number in LISTS]

    assert [len(lines) for lines in tested(0.33)] == [16 * 10 * 2] * 3
    assert [len(lines) for lines in tested(0.07)] == [16 * 2 * 2] * 3
    assert len({line for lines in tested(1 / 3) for line in lines}) == 16 * 30 * 2  # no video is tested by two lists
    for share in (0, 0.34, -1):
        with pytest.raises(DtkdError, match="needs a test_share above 0 and up to 1/3"):
            tested(share)


@pytest.mark.parametrize(
    ("vocabulary", "still", "mobile"),
    [
        (
            "demo_ucf",
            ["ApplyLipstick", "PlayingFlute", "Typing", "WritingAtDesk"],
            ["Cartwheel", "JumpingJack", "JumpRope"],
        ),
        ("demo_hmdb", ["drink", "eat", "smoke"], ["jump", "run", "walk"]),
    ],
)
def test_still_classes_have_less_flow(vocabulary, still, mobile):
    render = Render(vocabulary, frames=16)
    flow = {
        name: np.mean([mean_flow(render_video(render, name, group, 1)) for group in (1, 2, 3, 4)])
        for name in still + mobile
    }
    assert 1.2 * max(flow[name] for name in still) < min(flow[name] for name in mobile)


@pytest.mark.parametrize(
    "wrong", [{"vocabulary": "demo"}, {"groups": 2}, {"frames": 1}, {"width": 95}, {"clips_per_group": 0}]
)
def test_bad_settings_are_named(wrong):
    with pytest.raises(DtkdError, match=str(next(iter(wrong.values())))):
        Render(**{"vocabulary": "demo_ucf", **wrong})


def test_unknown_class_is_named(tmp_path):
    with pytest.raises(DtkdError, match="Flying"):
        render_class(Render("demo_ucf"), "Flying", tmp_path)
