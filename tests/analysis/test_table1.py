"""Table 1: the statistics of the classes' flow beside the paper's."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from table_rows import SPLIT, split_of

from dtkd.analysis.tables.table1 import table1
from dtkd.common.errors import DtkdError
from dtkd.data import published
from dtkd.motion import subsets


@pytest.mark.parametrize(("source", "said"), [
    ("flow", ""),
    ("listed", "; static: the classes that the study lists"),
    ("random", "; static: classes drawn at random"),
])  # fmt: skip
def test_captions_say_whose_subsets_they_are(source, said):
    split = split_of({"walk": ("static", 1.0), "run": ("dynamic", 2.0)}, {"source": source})
    caption = table1({"mine": split}).attrs["caption"]
    assert caption == f"Mean optical flow of the classes of each subset (pixels/frame){said}."


def test_table1_beside_the_papers():
    random = np.random.default_rng(0)
    means = dict(zip(published.classes("hmdb51"), random.uniform(0.3, 3, 51), strict=True))
    flow = pd.DataFrame({"mean": pd.Series(means), "std": 0.1, "videos": 3})
    split = subsets.published_split("hmdb51", means, flow)
    table = table1({"mine": SPLIT, "hmdb51": split})
    assert table["subset"].tolist() == ["overall", "dynamic", "static"] * 2
    assert table["classes"].tolist() == [4, 2, 2, 51, 38, 13]
    assert table.loc[0, ["q1", "mean", "std", "iqr"]].tolist() == pytest.approx(
        [0.65, 1.55, np.std([2, 0.5, 3, 0.7], ddof=1), 2.25 - 0.65]
    )
    static = [means[name] for name in published.static_classes("hmdb51")]
    assert table.loc[5, "mean"] == pytest.approx(np.mean(static))
    assert table.loc[5, "iqr"] == pytest.approx(stats.iqr(static))
    assert table.loc[5, "std"] == pytest.approx(np.std(static, ddof=1))
    assert table.loc[3:, ["paper_q1", "paper_mean", "paper_std", "paper_iqr"]].to_numpy().tolist() == [
        [0.688, 1.160, 0.598, 0.837], [0.934, 1.369, 0.551, 0.743], [0.495, 0.548, 0.110, 0.157]
    ]  # fmt: skip
    for name in ("q1", "mean", "std", "iqr"):
        assert table.loc[:2, f"diff_{name}"].isna().all()
        np.testing.assert_allclose(table.loc[3:, f"diff_{name}"], (table[name] - table[f"paper_{name}"])[3:])


def test_table1_of_another_measure_has_no_counterpart_and_without_means_there_is_none():
    classes = {name: ("static" if n < 9 else "dynamic", 1.0 + n) for n, name in enumerate(published.classes("ucf101"))}
    assert table1({"ucf101": split_of(classes)})["paper_q1"].tolist() == [0.508, 0.531, 0.280]
    for other in ({"measure": "q90"}, {"unit": "second"}, {"over_time": "max"}):
        assert table1({"ucf101": split_of(classes, other)})["paper_q1"].isna().all()
    with pytest.raises(DtkdError, match=r"^hmdb51: .* no mean flow for class brush_hair"):
        table1({"hmdb51": subsets.published_split("hmdb51", published.classes("hmdb51"))})
