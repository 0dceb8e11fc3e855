"""Tests of names that tell of scenes."""

import re

import pytest
from listed import REAL, put

from dtkd.common.errors import DtkdError
from dtkd.data.datasets import Source, check_scenes, index
from dtkd.data.scene_names import SCENES as KNOWN

SCENES = {
    "UCF101": "Run/v_Run_g{scene:02d}_c{clip:02d}.avi",
    "HMDB51": "kick/My_film_{scene}_kick_f_cm_np1_ri_med_{clip}.avi",
    "KTH": "boxing/person{scene:02d}_boxing_d{clip}_uncomp.avi",
    "clips cut from YouTube": "abseiling/0347Z-_XyP{scene}_{clip:06d}_{clip:06d}.mp4",
}


def named(known, scenes, clips):
    """Videos of two classes whose names are like those of a data set."""
    return [
        re.sub("Run|kick|boxing|abseiling", name, SCENES[known]).format(scene=scene, clip=clip)
        for name in ("Run", "jump") for scene in range(1, scenes + 1) for clip in range(1, clips + 1)
    ]  # fmt: skip


@pytest.mark.parametrize("known", SCENES)
@pytest.mark.parametrize("others", [[], ["Run/1.avi", "Run/2.avi", "Jump/2.avi", "Jump/3.avi"]])
def test_scenes_that_names_tell_of(known, others, tmp_path):
    """They are not parted without a word; with the pattern that is offered, each is on one side."""
    paths = [*named(known, 5, 3), *others]
    with pytest.raises(DtkdError) as caught:
        check_scenes("videos", paths)
    message = str(caught.value)
    assert message.startswith(f"videos: by their names, such as {paths[0]} (like those of {known}), 30 videos show a ")
    assert message.endswith("'`, or say `group_pattern: none` if they are none")
    put(tmp_path, dict.fromkeys(paths, "x"))
    videos = index(Source("folders", tmp_path, group_pattern=message.split("'")[1]))
    scenes = videos["path"].str.extract(r"(/v_\w+_g\d\d|My_film_\d_[A-Za-z]+|person\d\d|XyP\d)(?=_)")[0].dropna()
    assert len(scenes) == 30
    for column in ("list1", "list2", "list3"):
        assert (videos.loc[scenes.index].groupby(scenes)[column].nunique() == 1).all()
        assert set(videos[column]) == {"train", "test"}


@pytest.mark.parametrize("paths", [
    named("UCF101", 9, 1),  # one clip a scene
    ["a/1.avi", "a/2.avi"], ["a/talk_c1.avi", "a/talk_c2.avi"], ["a/g1_c1.avi", "a/g1_c2.avi"],
    ["a/my_film_1.avi", "a/my_film_2.avi"], ["a/person01_1.avi", "a/person01_2.avi"], ["a/000001_000002.mp4"] * 2,
])  # fmt: skip
def test_names_that_tell_nothing(paths):
    check_scenes("videos", paths)


@pytest.mark.skipif(not REAL.is_dir(), reason="the official lists are not here")
@pytest.mark.parametrize("known", ["UCF101", "HMDB51"])
def test_names_tell_what_the_official_lists_keep_together(known):
    scene, rest = KNOWN[known]
    read = Source(known.lower(), "nowhere", REAL / known.lower()).read()
    for entries in read.lists.values():
        sides = {}
        for path, (side, _, _) in entries.items():
            sides.setdefault((read.classes[path], re.search(f"/({scene}){rest}", path)[1]), set()).add(side)
        assert len(sides) > 1500
        assert all(len(own - {"unused"}) < 2 for own in sides.values())
