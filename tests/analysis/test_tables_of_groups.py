"""Tables of three groups of classes."""

import numpy as np
import pytest
from table_rows import BOTH, GROUPED, GROUPS, INDEX, ORDER, drawn, entropies, markdown, written

from dtkd.analysis.tables.table1 import table1
from dtkd.analysis.tables.table2 import table2
from dtkd.analysis.tables.table4 import table4
from dtkd.analysis.tables.table6 import table6
from dtkd.analysis.tables.teachers import teachers


@pytest.fixture
def three(tmp_path):
    """A student, its baseline and a teacher for each of three groups, two seeds each, and the labels of the videos."""
    labels = np.random.default_rng(3).integers(0, 4, 60).tolist()
    names = ("student", "baseline", *GROUPS)
    files = {name: [drawn(tmp_path / name / f"{seed}.parquet", labels, 4, 10 * n + seed) for seed in (0, 1)]
             for n, name in enumerate(names)}  # fmt: skip
    return files, [GROUPED["classes"][ORDER[label]]["subset"] for label in labels]


def test_each_of_three_groups_has_its_rows_of_tables_1_and_2(tmp_path):
    one, two = table1(BOTH), table2(dict.fromkeys(BOTH, INDEX), BOTH)
    assert one["subset"].tolist() == ["overall", "fast", "medium", "slow", "overall", "dynamic", "static"]
    assert one["classes"].tolist() == [4, 1, 1, 2, 4, 2, 2]
    assert one["mean"].tolist() == pytest.approx([1.55, 3, 2, 0.6, 1.55, 2.5, 0.6])
    first = two[(two["dataset"] == "three") & (two["list"] == 1)]
    assert first[["subset", "classes", "train", "test", "total"]].to_numpy().tolist() == [
        ["overall", 4, 8, 4, 12], ["fast", 1, 2, 1, 3], ["medium", 1, 2, 1, 3], ["slow", 2, 4, 2, 6]
    ]  # fmt: skip
    for name, table in (("one", one), ("two", two)):
        assert all(f"| {group} " in written(table, tmp_path / name)["md"] for group in GROUPS)


def test_each_of_three_teachers_is_tested_on_its_own_groups_videos(three):
    files, groups = three
    rows = [{"dataset": "three", "model": f"{group}-LT", "list": 1, "subset": group, "LT": True, "outputs": "full",
             "as_published": False, "predictions": files[group], "baseline": files["baseline"]}
            for group in reversed(GROUPS)]  # fmt: skip
    for make in (table4, teachers):
        table = make(rows, {"three": GROUPED}, {"three": INDEX})
        assert table["subset"].tolist() == ["fast", "medium", "slow"]
        assert table["videos"].tolist() == [groups.count(group) for group in reversed(GROUPS)]


def test_the_cross_teacher_of_three_groups_is_the_mean_of_two(three, tmp_path):
    files, groups = three
    row = {"model": "S1", "list": 1, "student": files["student"], "as_published": False, "kl": "forward", "floor": None}
    rows = [row | {"dataset": "three", "teachers": {group: files[group] for group in GROUPS}},
            row | {"dataset": "two", "teachers": {"static": files["slow"], "dynamic": files["fast"]}}]  # fmt: skip
    table = table6(rows, BOTH, dict.fromkeys(BOTH, INDEX))
    assert table["subset"].tolist() == ["overall", *GROUPS, "overall", "static", "dynamic"]
    for number, group in enumerate(GROUPS, start=1):
        kept = [n for n, own_group in enumerate(groups) if own_group == group]
        means = {name: np.array([entropies(*pair, "forward", None)[kept].mean()
                                 for pair in zip(files["student"], files[name], strict=True)])
                 for name in GROUPS}  # fmt: skip
        for name in GROUPS:
            assert table.loc[number, f"kl_{name}_teacher"] == pytest.approx(means[name].mean(), rel=1e-5)
        matched = means.pop(group)
        cross = sum(means.values()) / 2
        assert table.loc[number, "SM"] == pytest.approx((cross - matched).mean(), rel=1e-5)
        assert table.loc[number, "SIR"] == pytest.approx((cross / matched).mean(), rel=1e-5)
    assert table.loc[:3, ["kl_static_teacher", "kl_dynamic_teacher"]].isna().to_numpy().all()
    assert table.loc[4:, [f"kl_{group}_teacher" for group in GROUPS]].isna().to_numpy().all()
    head, _ = markdown(written(table, tmp_path / "out")["md"])
    teachers = [f"KL(S ‖ {name}-T)" for name in ("slow", "medium", "fast", "St", "Dy")]
    assert head[5:] == [*teachers, "SM", "SIR"]
    assert "from each teacher: " in table.attrs["caption"]
