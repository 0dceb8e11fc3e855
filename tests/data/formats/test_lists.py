"""Tests of what holds of any list: it is read, or refused in a line."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from listed import put

from dtkd.common.errors import DtkdError
from dtkd.data.datasets import Source, videos_by_class

LINES = st.lists(
    st.one_of(
        st.text(max_size=20),
        st.tuples(
            st.sampled_from(["Run/", "Jump/", "run/", "../", "/", "", "Run\\"]),
            st.sampled_from(["a", "b c", "..", "v\u2028", "é", " x", "{cls}", "<r>", "\x85", "$(x)", "a" * 300]),
            st.sampled_from([".avi", ".MP4", "", "/x.avi"]),
            st.sampled_from(["", " 1", " 2", "\t2 ", " 0", " 1 ", ",Run,train", ",Jump,test", '"']),
        ).map("".join),
    ),
    max_size=6,
)


@pytest.mark.parametrize("format", ["ucf101", "hmdb51", "csv"])
@given(lines=LINES, tail=st.booleans(), ending=st.sampled_from(["\n", "\r\n", "\r"]), data=st.binary(max_size=8))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_list_is_read_or_refused(format, lines, tail, ending, data, tmp_path):
    """Either DtkdError, or videos that the text names, inside the root, each under one class."""
    text = ending.join(lines) + (ending if tail else "")
    raw = text.encode() + (data if len(lines) == 1 else b"")
    good = {
        "ucf101": (
            "trainlist01.txt",
            {"classInd.txt": "1 Run\n2 Jump\n", "testlist01.txt": "Run/t.avi\nJump/t.avi\n"},
            b"Run/t2.avi 1\nJump/t2.avi 2\n",
        ),
        "hmdb51": ("Run_test_split1.txt", {"Jump_test_split1.txt": "t.avi 1\nt2.avi 2\n"}, b"t.avi 1\nt2.avi 2\n"),
        "csv": ("list.csv", {}, b"video,class,split\nr.avi,Run,train\ns.avi,Run,test\n"),
    }
    name, others, start = good[format]
    put(tmp_path, {**others, name: start + raw})
    source = Source(format, "videos", tmp_path / name if format == "csv" else tmp_path)
    classes, problem = {}, ""
    try:
        classes = videos_by_class(source)
    except DtkdError as error:
        problem = str(error)
    assert "\n" not in problem
    paths = [path for paths in classes.values() for path in paths]
    assert len(paths) == len(set(paths))
    for path in paths:
        assert not os.path.isabs(path)
        assert os.path.normpath(path) == path
        assert path.split("/")[0] != ".."
        assert path.isprintable()
        assert not set(path) & set("{}<>")
        everything = (start + raw).decode("utf-8-sig") + "".join(others.values())
        assert path.partition("/")[2 if format == "hmdb51" else 0] in everything
