"""Students over the lists."""

import numpy as np
import pytest
from scipy import stats
from table_rows import SU4, logits_of, save

from dtkd.analysis.tables.students_over_lists import students_over_lists


def test_students_over_lists_know_videos_by_class_and_name(tmp_path):
    """Two classes have a 001.avi each: they are two videos, of which the student wins the first in both lists."""

    def predictions(name, right):
        logits = np.zeros((2, 8))
        for row, (label, correct) in enumerate(zip([0, 1], right, strict=True)):
            logits[row, label if correct else 7] = 1
        return [save(tmp_path / f"{name}.parquet", [0, 1], logits, videos=["001", "001"])]

    lists = [{"predictions": predictions(f"s{n}", [1, 0]), "baseline": predictions(f"b{n}", [0, 0])} for n in (1, 2)]
    row = {"dataset": "mine", "models": "S, S-2", "lists": "1, 2", **SU4, "of_lists": lists}
    [found] = students_over_lists([row]).to_dict("records")
    assert (found["videos"], found["gain"], found["p"]) == (2, 50, 1)


def test_students_over_lists_count_a_video_once(tmp_path):
    """Two lists share video b; the student wins a and b in the first, b in the second, and loses c in that."""

    def answers(name, videos, right):
        return [save(tmp_path / f"{name}.parquet", [0] * len(videos), logits_of(np.where(right, 0, 3)), videos=videos)]

    lists = [
        {"predictions": answers("s1", ["a", "b"], [1, 1]), "baseline": answers("b1", ["a", "b"], [0, 0])},
        {"predictions": answers("s2", ["b", "c", "d", "e"], [1, 0, 1, 0]),
         "baseline": answers("b2", ["b", "c", "d", "e"], [0, 1, 1, 0])},
    ]  # fmt: skip
    row = {"dataset": "mine", "models": "S, S-2", "lists": "1, 2", **SU4, "of_lists": lists}
    found, other = students_over_lists([row, row | {"models": "again"}]).to_dict("records")
    assert (found["videos"], found["top1"], found["baseline_top1"]) == (5, 75, 25)
    assert found["gain"] == pytest.approx((100 + 0) / 2)
    assert found["top1_std"] == pytest.approx(np.std([100, 50], ddof=1))
    assert found["p"] == pytest.approx(stats.permutation_test(  # a +1, b +2, c -1
        ([1, 2, -1],), np.mean, permutation_type="samples").pvalue)  # fmt: skip
    assert found["gain_low"] < found["gain"] < found["gain_high"]
    assert found["p_holm"] == other["p_holm"] == min(1, 2 * found["p"])
