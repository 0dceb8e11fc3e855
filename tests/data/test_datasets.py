"""Tests of dtkd.data.datasets: what holds of every format."""

import os
import subprocess
import sys
from pathlib import Path

import official
import pytest
from listed import REAL

import dtkd
from dtkd.common.errors import DtkdError
from dtkd.data.datasets import Source, videos_by_class


def test_videos_by_class_reads_lists_only(ucf101, tmp_path):
    """The workflow's question needs no video, no pandas, and little time."""
    _, annotations = official.write_ucf101(tmp_path, create_videos=False)
    listed = videos_by_class(Source("ucf101", tmp_path / "nowhere", annotations))
    assert listed == videos_by_class(ucf101)
    assert sum(map(len, listed.values())) == 13320
    assert all(paths == sorted(paths) for paths in listed.values())
    assert list(listed) == list(official.ucf101_clips())
    code = (
        "import sys, time; from dtkd.data.datasets import Source, videos_by_class\n"
        f"source = Source('ucf101', 'nowhere', {str(annotations)!r})\n"
        "start = time.process_time(); videos_by_class(source); assert time.process_time() - start < 0.5\n"
        "assert not {'pandas', 'numpy', 'sklearn', 'torch', 'pydantic'} & set(sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(dtkd.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


@pytest.mark.skipif(not REAL.is_dir(), reason="the official lists are not here")
def test_fixture_is_the_official_lists(ucf101, hmdb51):
    names = sorted(path.name for path in Path(ucf101.annotations).iterdir())
    assert names == sorted(path.name for path in (REAL / "ucf101").iterdir())
    for name in names:
        assert (Path(ucf101.annotations) / name).read_bytes() == (REAL / "ucf101" / name).read_bytes()
    real = videos_by_class(Source("hmdb51", "nowhere", REAL / "hmdb51"))
    made_up = videos_by_class(hmdb51)
    assert list(real) == list(made_up)
    assert [len(paths) for paths in real.values()] == [len(paths) for paths in made_up.values()]


@pytest.mark.parametrize(("settings", "expected"), [
    ({"format": "ucf"}, "format: 'ucf' is unknown; choose one of ucf101, hmdb51, folders, csv"),
    ({"format": "csv"}, "annotations: format csv needs it: a CSV file"),
    ({"format": "folders", "annotations": "x"}, "annotations: format folders draws its own lists"),
    ({"format": "csv", "annotations": "x", "group_pattern": "(x)"}, "group_pattern: format csv has its own lists"),
    ({"format": "folders", "group_pattern": "x"}, "needs parentheses"),
    ({"format": "folders", "group_pattern": "(x"}, "is no regular expression"),
    ({"format": "folders", "lists": 0}, "lists: must be at least 1"),
    ({"format": "folders", "test_fraction": 1.0}, "test_fraction: must lie between 0 and 1"),
])  # fmt: skip
def test_source_refusals(settings, expected):
    with pytest.raises(DtkdError) as caught:
        Source(videos="videos", **settings)
    assert expected in str(caught.value)
