"""What became of the candidates of a search, as a table and as a figure."""

import json

from figure_data import legend, searched
from table_rows import rows_of_searches, rows_of_students

from dtkd.analysis.figures import searches as figure
from dtkd.analysis.tables.searches import searches
from dtkd.analysis.tables.table5 import table5


def test_every_candidate_has_a_row_that_says_where_it_was_out(tmp_path):
    table = searches(rows_of_searches(tmp_path))
    assert table["settings"].tolist() == ["KD_T 0", "KD_T 1", "KD_T 2", "KD_T 3"]
    assert table["epochs"].tolist() == [4, 2, 1, 0]
    assert table["rank"].tolist() == [1, 2, 3, 4]
    assert table["out"].tolist() == ["winner", "after epoch 2", "after epoch 1", "diverged"]
    assert table["hours"].tolist() == [0.04, 0.02, 0.01, 0]
    rungs = table[["val_top1_rung1", "val_top1_rung2", "val_top1_rung3"]]
    assert rungs.fillna(-1).to_numpy().tolist() == [[47, 48, 50], [49, 50, -1], [50, -1, -1], [-1, -1, -1]]
    assert table.attrs["notes"] == [
        "mine, tuned: 4 candidates, compared after 1 and 2 of 4 epochs; 7 epochs were trained, where all candidates to "
        "the end would have taken 16 (56 % saved)."
    ]


def test_table_5_has_the_settings_that_were_found(tmp_path):
    rows = rows_of_students(tmp_path)
    found = {"method": "kd", "KD_T": 8.0, "KD_alpha": 0.6}
    record = {"winner": "T8", "settings": {"search": {"candidates": {"T2": {}, "T8": {"student": found}}}}}
    (tmp_path / "run.json").write_text(json.dumps(record))
    unknown = dict.fromkeys(("method", "LT", "FT", "S_alpha", "KD_T", "KD_alpha"))
    rows[1] = rows[1] | unknown | {"variant": "best of 2", "winner": str(tmp_path / "run.json"), "as_published": False}
    row = table5(rows).iloc[1]
    assert row[["method", "KD_T", "KD_alpha", "variant"]].tolist() == ["kd", 8, 0.6, "best of 2: T8"]
    assert row[["LT", "S_alpha"]].isna().all(), "which kd does not look at"


def test_the_winners_line_goes_to_the_end_and_the_others_end_where_they_were_out(tmp_path):
    (axis,) = figure.searches({"d, tuned": searched()}).axes
    thick = [len(line.get_xdata()) for line in axis.lines if line.get_color() == figure.WINNER]
    assert thick == [6]
    ends = sorted(line.get_xdata()[0] for line in axis.lines if line.get_marker() == "x")
    assert ends == [1, 3, 6]
    assert legend(axis) == ["3 other candidates", "winner: KD_T 4"]
    rungs = [line.get_xdata() for line in axis.lines if line.get_color() == figure.RUNG]
    assert rungs == [[1, 1], [3, 3]]
    assert axis.get_ylabel() == "validation top-1 (%)"


def test_a_figure_of_what_rankings_say(tmp_path):
    (shown,) = figure.read(None, type("Params", (), {"shown": rows_of_searches(tmp_path)}))
    assert list(shown) == ["mine, tuned"]
    assert shown["mine, tuned"].rungs == [1, 2]
    assert {name: len(values) for name, values in shown["mine, tuned"].candidates.items()} == {
        "KD_T 0": 4, "KD_T 1": 2, "KD_T 2": 1, "KD_T 3": 0,
    }  # fmt: skip
    figure.searches(shown)
