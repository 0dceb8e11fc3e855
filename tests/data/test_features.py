"""Files of features: what is read, what is refused in a line that names the file, and what is measured of them."""

import pickle

import numpy as np
import pandas as pd
import pytest
from listed import put, refusal

from dtkd.common.errors import DtkdError
from dtkd.data import features
from dtkd.data.datasets import Source, groups, index, videos_by_class
from dtkd.data.unlisted import passed_over
from dtkd.data.video import VideoError
from dtkd.data.videos import Videos
from dtkd.motion import subsets

SOUND = np.arange(12, dtype=np.float16).reshape(4, 3)


def saved(path, array, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, array, **options)
    return path


@pytest.mark.parametrize("dtype", features.FLOATS)
def test_features_are_read_as_they_are(dtype, tmp_path):
    found = features.read(saved(tmp_path / "a.npy", SOUND.astype(dtype)))
    assert found.dtype == dtype
    assert (found == SOUND).all()
    info = features.inspected(tmp_path / "a.npy")
    assert (info.steps, info.dimension, info.feature_change) == (4, 3, 3.0)


class Trap:
    """What would run code where a file is unpickled."""

    def __reduce__(self):
        return exec, ("raise AssertionError('unpickled')",)


def _with(value):
    array = SOUND.copy()
    array[2, 1] = value
    return array


@pytest.mark.parametrize(("array", "expected"), [
    (np.array([Trap()], dtype=object), "holds Python objects, which could run code as they are read; save"),
    (_with(np.nan), "step 3 holds NaN or infinity; extract it again"),
    (_with(np.inf), "step 3 holds NaN or infinity"),
    (SOUND[:1], "has one step only, and there is no change in one"),
    (SOUND.astype(np.int64), "holds int64, and features are float16, float32, float64"),
    (SOUND.astype(np.complex64), "holds complex64, and features are"),
    (SOUND[None], "is of shape (1, 4, 3), and features are (T, D)"),
    (SOUND[0], "is of shape (3,), and features are (T, D)"),
    (SOUND[:, :0], "is of shape (4, 0), and features are (T, D)"),
])  # fmt: skip
def test_what_is_no_features_is_refused(array, expected, tmp_path):
    path = saved(tmp_path / "a.npy", array)
    with pytest.raises(VideoError) as caught:
        features.read(path)
    assert str(caught.value).startswith(f"{path}: {expected}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("content", "expected"), [
    (b"", "is empty"),
    (b"no array", "is cut off, or no .npy file; copy or extract it again"),
    (pickle.dumps(Trap()), "could run code"),
])  # fmt: skip
def test_what_is_no_file_of_numpys_is_refused(content, expected, tmp_path):
    (tmp_path / "a.npy").write_bytes(content)
    with pytest.raises(VideoError, match=expected if content[:1] != b"\x80" else "cut off, or no .npy"):
        features.read(tmp_path / "a.npy")


def test_a_file_that_is_cut_off(tmp_path):
    path = saved(tmp_path / "a.npy", SOUND)
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(VideoError, match="is cut off"):
        features.read(path)
    with pytest.raises(VideoError, match="cannot be read: No such file"):
        features.read(tmp_path / "none.npy")


def test_an_inspection_finds_all_that_are_no_use(tmp_path):
    """Also those of another D than most, and goes on with the rest."""
    for name, array in {"a": SOUND, "b": SOUND, "wide": np.ones((4, 5)), "broken": _with(np.nan)}.items():
        saved(tmp_path / f"{name}.npy", array)
    sound, reasons = features.inspect(tmp_path, ["a.npy", "b.npy", "wide.npy", "broken.npy"], threads=2)
    assert list(sound) == ["a.npy", "b.npy"]
    assert reasons == {
        "broken.npy": "step 3 holds NaN or infinity; extract it again",
        "wide.npy": "has 5 numbers a step, and most files have 3",
    }


def test_statistics_weigh_videos_alike(tmp_path):
    short, long = np.array([[0.0, 7], [2, 7]]), np.array([[5.0, 7]] * 6)
    paths = tuple(saved(tmp_path / f"{name}.npy", each) for name, each in (("short", short), ("long", long)))
    found = features.statistics(Videos(("s", "l"), paths, (0, 0)))
    both = np.concatenate([np.repeat(short, 3, axis=0), long])
    assert found == {"of": "features", "mean": [3.0, 7.0], "videos": 2,
                     "std": pytest.approx([both[:, 0].std(), 0.0], rel=1e-5)}  # fmt: skip
    with pytest.raises(DtkdError, match="have the same features"):
        features.statistics(Videos(("l",), paths[1:], (0,)))


# Lists


@pytest.fixture
def extracted(tmp_path):
    names = ["wave/1.npy", "wave/2.npy", "monday/1.npy", "monday/2.npy"]
    put(tmp_path, {f"features/{name}": "x" for name in names} | {
        "lists.csv": "video,class,split,group\nwave/1.mp4,wave,train,a\nwave/2.npy,wave,test,b\n"
                     "monday/1.avi,bow,train,a\nmonday/2.mp4,bow,test,c\n",
    })  # fmt: skip
    return Source("features", tmp_path / "features", tmp_path / "lists.csv")


def test_lists_name_videos_or_features(extracted):
    table = index(extracted)
    assert list(table["path"]) == ["monday/1.npy", "monday/2.npy", "wave/1.npy", "wave/2.npy"]
    assert list(table["list1"]) == ["train", "test", "train", "test"]
    assert list(table["group"]) == ["a", "c", "a", "b"]
    assert passed_over(extracted) is None
    put(extracted.videos, {"wave/3.npy": "x", "wave/3.mp4": "x"})
    assert "passes over 1 video that no list names, such as wave/3.npy" in passed_over(extracted)
    (extracted.videos / "wave/1.npy").unlink()
    assert "1 of 4 videos is missing: wave/1.npy; wave/1.npy is named in " in refusal(extracted)


def test_two_videos_have_no_features_in_common(extracted):
    text = extracted.annotations.read_text() + "wave/1.avi,wave,train,a\n"
    extracted.annotations.write_text(text)
    assert "several videos would have the features wave/1.npy" in refusal(extracted, videos_by_class)


@pytest.mark.parametrize("lists", ["small", "small_hmdb51"])
def test_lists_of_ucf101_and_hmdb51(lists, request):
    source = request.getfixturevalue(lists)
    own, of_videos = Source("features", source.videos, source.annotations), videos_by_class(source)
    assert videos_by_class(own) == {name: [p[:-4] + ".npy" for p in paths] for name, paths in of_videos.items()}


def test_scenes_of_ucf101_stay_known(small):
    path = "Run/v_Run_g01_c02.npy"
    assert groups(Source("features", "videos", small.annotations), [path]) == {path: "Run/v_Run_g01"}


def test_features_make_groups_by_their_change(tmp_path):
    """Through an index's column, of all videos or of list 1's training videos alone."""
    table = pd.DataFrame(
        [("a", "train", 1.0), ("a", "test", 3.0), ("b", "train", 2.0), ("b", "test", 2.0), ("c", "train", 9.0),
         ("c", "test", 1.0)], columns=["class", "list1", "feature_change"],
    )  # fmt: skip
    table["video"] = [f"{number}.npy" for number in table.index]
    means = {}
    for over in ("all", "train"):
        flows = subsets.read_flows([], table, {"measure": "feature_change", "over": over})
        means[over] = subsets.class_means(flows, "feature_change")["mean"].tolist()
    assert means == {"all": [2, 2, 5], "train": [1, 2, 9]}
