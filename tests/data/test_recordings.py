"""Which videos are of one recording."""

import pandas as pd
import pytest

from dtkd.data import datasets
from dtkd.data.recordings import recordings


def index_of(*paths, **columns):
    return pd.DataFrame({"path": paths, **columns})


def test_official_names_tell():
    ucf = recordings(index_of("A/v_A_g01_c01.avi", "A/v_A_g01_c02.avi", "A/v_A_g02_c01.avi", "B/v_B_g01_c01.avi"))
    assert list(ucf.values()) == ["v_A_g01", "v_A_g01", "v_A_g02", "v_B_g01"]
    film = "clap/Film_clap_u_cm_np1_fr_bad_{}.avi"
    hmdb = recordings(index_of(film.format(0), film.format(1), "clap/odd.avi"))
    assert list(hmdb.values()) == ["Film_clap", "Film_clap", "clap/odd.avi"], "of which nothing is known is its own"


def test_a_column_counts_for_more_than_names():
    paths = ["A/v_A_g01_c01.avi", "A/v_A_g01_c02.avi"]
    assert list(recordings(index_of(*paths, group=paths)).values()) == paths
    assert list(recordings(index_of("a/1.avi", "a/2.avi")).values()) == ["a/1.avi", "a/2.avi"]


@pytest.fixture
def folders(tmp_path):
    for name in ("a/day1_1.avi", "a/day1_2.avi", "a/day2_1.avi", "b/day3_1.avi", "b/day4_1.avi"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def test_folders_have_the_groups_that_their_lists_are_drawn_by(folders):
    grouped = datasets.index(datasets.Source("folders", folders, group_pattern=r"(day\d+)", test_fraction=0.4))
    assert list(recordings(grouped).values()) == ["day1", "day1", "day2", "day3", "day4"]
    alone = datasets.index(datasets.Source("folders", folders, test_fraction=0.4))
    assert list(recordings(alone).values()) == list(alone["path"])


@pytest.mark.parametrize(("column", "found"), [
    ("group", ["day1", "day1", "a/day2_1.avi", "b/day3_1.avi", "b/day4_1.avi"]), ("note", None),
])  # fmt: skip
def test_a_csv_names_groups_or_does_not(folders, column, found):
    (folders / "lists.csv").write_text(
        f"video,class,split,{column}\na/day1_1.avi,a,train,day1\na/day1_2.avi,a,train,day1\na/day2_1.avi,a,test,\n"
        "b/day3_1.avi,b,train,\nb/day4_1.avi,b,test,\n"
    )
    index = datasets.index(datasets.Source("csv", folders, folders / "lists.csv"))
    assert ("group" in index) == (found is not None)
    assert list(recordings(index).values()) == (found or list(index["path"]))
