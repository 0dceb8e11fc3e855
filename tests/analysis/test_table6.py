"""Table 6: the student's distance from its teachers, by SciPy's numbers and the paper's."""

import re

import numpy as np
import pandas as pd
import pytest
from table_rows import INDEX, SPLIT, entropies, own, row_of_imitation, written

from dtkd.analysis.tables.table6 import table6
from dtkd.common.errors import DtkdError
from dtkd.data import published


@pytest.fixture
def imitation(tmp_path):
    return row_of_imitation(tmp_path)


@pytest.mark.parametrize(("kl", "floor", "said"), [
    ("forward", None, ": Σ T (log T − log S). SM"),
    ("reverse", 1e-12, ": Σ S (log S − log T); a teacher's probability is at least 1e-12. SM"),
    ("reverse", 1e-3, ": Σ S (log S − log T); a teacher's probability is at least 0.001. SM"),
])  # fmt: skip
def test_table6_against_scipy(imitation, kl, floor, said):
    row, labels, splits, indexes = imitation
    table = table6([row | {"kl": kl, "floor": floor}], splits, indexes).set_index("subset")
    assert said in table.attrs["caption"]
    assert list(table.index) == ["overall", "static", "dynamic"]
    for subset in table.index:
        kept = [n for n, label in enumerate(labels) if subset in ("overall", own(label))]
        assert table.loc[subset, "videos"] == len(kept)
        means = {
            name: np.array(
                [entropies(*pair, kl, floor)[kept].mean() for pair in zip(row["student"], files, strict=True)]
            )
            for name, files in row["teachers"].items()
        }
        for teacher, seeds in means.items():
            assert table.loc[subset, f"kl_{teacher}_teacher"] == pytest.approx(seeds.mean(), rel=1e-5)
            assert table.loc[subset, f"kl_{teacher}_teacher_std"] == pytest.approx(seeds.std(ddof=1), rel=1e-4)
        if subset == "overall":
            assert table.loc[subset, ["SM", "SIR", "SM_std", "SIR_std"]].isna().all()
        else:
            matched, cross = means.pop(subset), means.popitem()[1]
            assert table.loc[subset, "SM"] == pytest.approx((cross - matched).mean(), rel=1e-5)
            assert table.loc[subset, "SIR"] == pytest.approx((cross / matched).mean(), rel=1e-5)
            assert table.loc[subset, "SIR_std"] == pytest.approx((cross / matched).std(ddof=1), rel=1e-4)
            assert cross.mean() > matched.mean()


def test_overall_is_the_mean_of_the_subsets_weighted_by_videos(imitation):
    row, _, splits, indexes = imitation
    overall, *parts = table6([row], splits, indexes).to_dict("records")
    for name in ("kl_static_teacher", "kl_dynamic_teacher"):
        weighted = np.average([part[name] for part in parts], weights=[part["videos"] for part in parts])
        assert overall[name] == pytest.approx(weighted, rel=1e-9)


@pytest.mark.parametrize("dataset", ["ucf101", "hmdb51"])
def test_the_papers_own_overall_is_such_a_mean_too(dataset):
    kl = published.table(6).query("dataset == @dataset").set_index("subset")
    videos = published.table(2).query("dataset == @dataset and list == 1").set_index("subset")["test"]
    for name in ("kl_static_teacher", "kl_dynamic_teacher"):
        weighted = np.average(kl.loc[["static", "dynamic"], name], weights=videos[["static", "dynamic"]])
        assert kl.loc["overall", name] == pytest.approx(weighted, abs=0.011)  # two printed decimals


def test_table6_of_the_papers_students(imitation):
    row, _, _, _ = imitation
    rows = [row | {"dataset": "ucf101", "model": "SU12"}, row | {"dataset": "hmdb51", "model": "SH3"}]
    both = [dict.fromkeys(("ucf101", "hmdb51"), value) for value in (SPLIT, INDEX)]
    table, printed = table6(rows, *both), published.table(6)
    pairs = {"kl_static_teacher": "kl_static_teacher", "kl_dynamic_teacher": "kl_dynamic_teacher",
             "SM": "selectivity_margin", "SIR": "selective_imitation_ratio"}  # fmt: skip
    for name, theirs in pairs.items():
        np.testing.assert_array_equal(table[f"paper_{name}"], printed[theirs])
        np.testing.assert_allclose(table[f"diff_{name}"], table[name] - printed[theirs])
    assert table6([rows[0] | {"as_published": False}], *both)["paper_SM"].isna().all()
    assert table6([rows[0] | {"model": "SU11"}], *both)["paper_SM"].isna().all()


def test_a_student_that_is_its_teacher_has_an_infinite_ratio(imitation, tmp_path):
    row, _, splits, indexes = imitation
    twins = row["teachers"]["static"][:1]
    teachers = {"static": twins, "dynamic": row["teachers"]["dynamic"][:1]}
    table = table6([row | {"student": twins, "teachers": teachers}], splits, indexes)
    assert table["kl_static_teacher"].tolist() == [0, 0, 0]
    assert table["SIR"].tolist()[1] == np.inf
    texts = written(table, tmp_path / "out")
    assert "| inf |" in " ".join(texts["md"].split())
    assert r"$\infty$" in texts["tex"]


def test_table6_refuses_teachers_of_other_videos(imitation, tmp_path):
    row, labels, splits, indexes = imitation
    own_only = tmp_path / "own.parquet"
    pd.read_parquet(row["teachers"]["static"][1])[[own(label) == "static" for label in labels]].to_parquet(own_only)
    teachers = {**row["teachers"], "static": [row["teachers"]["static"][0], str(own_only)]}
    message = f"^{re.escape(str(own_only))}: its .* not the 50 of {re.escape(row['student'][0])}"
    with pytest.raises(DtkdError, match=message):
        table6([row | {"teachers": teachers}], splits, indexes)
