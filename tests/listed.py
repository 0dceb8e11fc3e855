"""Small data sets of every format, which tests of lists share."""

from pathlib import Path

import official
import pytest

from dtkd.common.errors import DtkdError
from dtkd.data.datasets import Source, index

REAL = Path(__file__).parents[2] / "shared" / "annotations"


def put(root: Path, files: dict[str, str | bytes]) -> None:
    """Write small files, text as it is."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(text if isinstance(text, bytes) else text.encode())


def refusal(source: Source, function=index) -> str:
    """The one line a user gets."""
    with pytest.raises(DtkdError) as caught:
        function(source)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.fixture(scope="session")
def ucf101(tmp_path_factory):
    return Source("ucf101", *official.write_ucf101(tmp_path_factory.mktemp("ucf101")))


@pytest.fixture(scope="session")
def hmdb51(tmp_path_factory):
    return Source("hmdb51", *official.write_hmdb51(tmp_path_factory.mktemp("hmdb51")))


@pytest.fixture
def small(tmp_path):
    """Two classes with four videos each, one list, in the UCF101 format."""
    put(
        tmp_path,
        {
            **{f"videos/{name}/v {number}.avi": "x" for name in ("Jump", "Run") for number in range(4)},
            "lists/classInd.txt": "1 Run\n2 Jump\n",
            "lists/trainlist01.txt": "Run/v 0.avi 1\nRun/v 1.avi 1\nJump/v 0.avi 2\n",
            "lists/testlist01.txt": "Run/v 2.avi\nJump/v 2.avi\nJump/v 3.avi\n",
        },
    )
    return Source("ucf101", tmp_path / "videos", tmp_path / "lists")


@pytest.fixture
def small_hmdb51(tmp_path):
    put(
        tmp_path,
        {
            **{f"videos/{name}/{number} [x]!.avi": "x" for name in ("draw_sword", "sword") for number in range(3)},
            "lists/draw_sword_test_split1.txt": "0 [x]!.avi 1 \n1 [x]!.avi 2 \n2 [x]!.avi 0 \n",
            "lists/sword_test_split1.txt": "0 [x]!.avi 1 \r\n1 [x]!.avi 2 \r\n",
            "lists/class_list.txt": "anything",
        },
    )
    return Source("hmdb51", tmp_path / "videos", tmp_path / "lists")


@pytest.fixture
def table(tmp_path):
    names = ["wave/1.mp4", "wave/2.mp4", "wave/3.mp4", "monday/1.mp4", "monday/a, b.mp4"]
    put(
        tmp_path,
        {f"videos/{name}": "x" for name in names}
        | {
            "table.csv": (
                "\ufeffvideo, class, split, split3, note\r\n"
                "wave/1.mp4,wave,train,test,\r\n./wave/2.mp4, wave ,test,train,\r\n\r\n,,,,\r\n"
                "wave/3.mp4,wave,unused,train,?\r\n"
                'monday/1.mp4,bow,train,train,\r\n"monday/a, b.mp4",bow,test,test,\r\n'
            )
        },
    )
    return Source("csv", tmp_path / "videos", tmp_path / "table.csv")


@pytest.fixture
def folders(tmp_path):
    """3 classes of 10 people with 2 clips each, and things that are no videos."""
    clips = [f"p{person:02d}_{take}.MP4" for person in range(10) for take in (0, 1)]
    put(tmp_path, {f"{name}/{clip}": "x" for name in "cab" for clip in clips})
    put(tmp_path, {"a/.hidden.mp4": "x", "a/notes.txt": "x", ".git/x.mp4": "x", "readme.md": "x"})
    return tmp_path
