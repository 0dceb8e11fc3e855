"""Table 2: the official lists have the paper's numbers."""

import official
import pytest
from table_rows import INDEX, SPLIT, split_of

from dtkd.analysis.tables.table2 import table2
from dtkd.common.errors import DtkdError
from dtkd.data import published
from dtkd.data.datasets import Source, index
from dtkd.motion import subsets


def test_table2_of_the_official_lists_is_the_papers_in_all_72_cells(tmp_path):
    sources = {"ucf101": Source("ucf101", *official.write_ucf101(tmp_path / "u")),
               "hmdb51": Source("hmdb51", *official.write_hmdb51(tmp_path / "h"))}  # fmt: skip
    indexes = {name: index(source) for name, source in sources.items()}
    splits = {name: subsets.published_split(name, published.classes(name)) for name in sources}
    table, paper, cells = table2(indexes, splits), published.table(2), ["classes", "train", "test", "total"]
    assert table[["dataset", "list", "subset", *cells]].to_numpy().tolist() == paper.to_numpy().tolist()
    for name in cells:
        assert table[f"paper_{name}"].tolist() == paper[name].tolist()
        assert table[f"diff_{name}"].tolist() == [0] * 18

    splits["ucf101"]["classes"]["Archery"]["subset"] = "dynamic"  # 145 videos, 41 of them in list 1's test
    changed = table2(indexes, splits)
    assert changed.loc[1, ["diff_classes", "diff_train", "diff_test", "diff_total"]].tolist() == [1, 104, 41, 145]


def test_table2_of_other_data():
    table = table2({"mine": INDEX}, {"mine": SPLIT})
    assert table[["list", "subset", "classes", "train", "test", "total"]].to_numpy().tolist() == [
        [1, "overall", 4, 8, 4, 12], [1, "dynamic", 2, 4, 2, 6], [1, "static", 2, 4, 2, 6],
        [2, "overall", 4, 12, 4, 16], [2, "dynamic", 2, 6, 2, 8], [2, "static", 2, 6, 2, 8],
    ]  # fmt: skip
    assert table.filter(regex="paper_|diff_").isna().to_numpy().all()
    with pytest.raises(DtkdError, match="different datasets"):
        table2({"mine": INDEX}, {"mine": split_of({"walk": ("static", 1.0)})})
