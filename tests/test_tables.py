"""Table 5 from hand-made predictions: exact accuracies, gains, and the paper's numbers only beside their own rows."""

import csv

import numpy as np
import pandas as pd
import pytest

from dtkd import published, tables

SU4 = {"method": "dtkd", "LT": True, "FT": True, "S_alpha": 0.3, "KD_T": 2, "KD_alpha": 0.4}
SU13 = {"method": "bskd", "LT": True, "FT": True, "S_alpha": None, "KD_T": 2, "KD_alpha": 0.4}


def logits_of(ranks, classes=8):
    """Logits of samples of class 0 whose label has the given ranks, 0 the best."""
    rows = np.zeros((len(ranks), classes), np.float32)
    for row, rank in zip(rows, ranks, strict=True):
        row[1:] = -np.arange(1, classes)
        row[0] = -rank - 0.5
    return rows


def predictions(results, folder, ranks, last):
    path = results / folder / "predictions.parquet"
    path.parent.mkdir(parents=True)
    pd.DataFrame({
        "video": [f"a/{n}.avi" for n in range(len(ranks))], "label": [0] * len(ranks),
        "logits": list(logits_of(ranks)), "logits_last": list(logits_of(last)),
    }).to_parquet(path, index=False)  # fmt: skip


@pytest.fixture
def study(tmp_path):
    predictions(tmp_path, "u/base", [0, 0, 1, 4, 5, 6, 0, 0], [0, 0, 0, 0, 7, 7, 7, 7])  # 50, 75; 50, 50
    predictions(tmp_path, "u/su4", [0, 0, 0, 0, 0, 1, 0, 7], [7] * 8)  # 75, 87.5; 0, 0
    predictions(tmp_path, "u/su13", [0, 7, 7], [0, 0, 4])  # 33.3, 33.3; 66.7, 100
    predictions(tmp_path, "h/base", [0, 0, 0, 7], [0, 0, 0, 0])  # 75, 75; 100, 100
    predictions(tmp_path, "h/sh1", [0, 1, 1, 7], [1, 1, 1, 1])  # 25, 75; 0, 100
    rows = [
        {"dataset": "ucf101", "model": "U1", "method": "baseline", "predictions": "u/base/predictions.parquet"},
        {"dataset": "ucf101", "model": "SU4", "predictions": "u/su4/predictions.parquet", **SU4},
        {"dataset": "ucf101", "model": "SU13", "predictions": "u/su13/predictions.parquet", **SU13},
        {"dataset": "hmdb51", "model": "H1", "method": "baseline", "predictions": "h/base/predictions.parquet"},
        {"dataset": "hmdb51", "model": "SH1", "predictions": "h/sh1/predictions.parquet", **SU4, "KD_alpha": 0.2},
    ]
    return [{"list": 1, "as_published": True} | row for row in rows], tmp_path


def test_accuracies_of_the_selected_and_the_last_epoch(study):
    _, results = study
    found = tables.accuracies(results / "u/su4/predictions.parquet")
    assert found == {"top1": 75.0, "top5": 87.5, "top1_last": 0.0, "top5_last": 0.0}


def test_rows_gains_and_the_papers_numbers(study):
    table = tables.table5(*study)
    assert list(table.columns) == ["dataset", "model", *tables.HYPERPARAMETERS, "top1", "top5", "top1_last",
                                   "top5_last", "gain", "paper_top1", "paper_top5"]  # fmt: skip
    np.testing.assert_allclose(table["top1"], [50, 75, 100 / 3, 75, 25])
    np.testing.assert_allclose(table["top5"], [75, 87.5, 100 / 3, 75, 75])
    np.testing.assert_allclose(table["top1_last"], [50, 0, 200 / 3, 100, 0])
    np.testing.assert_allclose(table["top5_last"], [50, 0, 100, 100, 100])
    np.testing.assert_allclose(table["gain"], [np.nan, 25, 100 / 3 - 50, np.nan, -50])  # each dataset's own baseline
    np.testing.assert_allclose(table["paper_top1"], [95.14, 96.06, 91.70, 77.10, 78.87])
    np.testing.assert_allclose(table["paper_top5"], [99.68, 99.74, 99.15, 95.28, 95.41])


@pytest.mark.parametrize(
    "change",
    [{"S_alpha": 0.31}, {"KD_T": 3}, {"KD_alpha": 0.5}, {"LT": False}, {"FT": False}, {"model": "mine"},
     {"dataset": "demo_ucf"}, {"as_published": False}, {"method": "bskd", "S_alpha": None}],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_a_changed_row_has_no_counterpart_in_the_paper(study, change):
    rows, results = study
    table = tables.table5([rows[0], rows[1] | change], results)
    assert table["paper_top1"].isna().tolist() == [False, True]
    assert table["paper_top5"].isna().tolist() == [False, True]


def test_every_published_row_finds_itself(study):
    _, results = study
    shared = {"predictions": "u/base/predictions.parquet", "list": 1, "as_published": True}
    rows = [row | shared for row in published.table(5).to_dict("records")]
    rows += [row | shared | {"method": "baseline"} for row in
             published.table(3)[["dataset", "model"]].to_dict("records")]  # fmt: skip
    table = tables.table5(rows, results)
    expected = pd.concat([published.table(5), published.table(3)])
    np.testing.assert_array_equal(table["paper_top1"], expected["top1"])
    np.testing.assert_array_equal(table["paper_top5"], expected["top5"])


def written(study, folder):
    output = {kind: str(folder / f"table5.{kind}") for kind in ("csv", "md", "tex")}
    tables.write(tables.table5(*study), output)
    return {kind: (folder / f"table5.{kind}").read_text() for kind in output}


def test_csv_has_every_column_two_decimals_and_blanks(study, tmp_path):
    rows = list(csv.DictReader(written(study, tmp_path / "out")["csv"].splitlines()))
    assert rows[0] == {
        "dataset": "ucf101", "model": "U1", "method": "baseline", "LT": "", "FT": "", "S_alpha": "", "KD_T": "",
        "KD_alpha": "", "top1": "50.00", "top5": "75.00", "top1_last": "50.00", "top5_last": "50.00", "gain": "",
        "paper_top1": "95.14", "paper_top5": "99.68",
    }  # fmt: skip
    assert rows[1] == {
        "dataset": "ucf101", "model": "SU4", "method": "dtkd", "LT": "True", "FT": "True", "S_alpha": "0.3",
        "KD_T": "2", "KD_alpha": "0.4", "top1": "75.00", "top5": "87.50", "top1_last": "0.00", "top5_last": "0.00",
        "gain": "+25.00", "paper_top1": "96.06", "paper_top5": "99.74",
    }  # fmt: skip
    assert [row["S_alpha"] for row in rows] == ["", "0.3", "", "", "0.3"]
    assert [row["gain"] for row in rows] == ["", "+25.00", "-16.67", "", "-50.00"]


def test_markdown_and_latex_hold_the_same_cells(study, tmp_path):
    texts = written(study, tmp_path / "out")
    header, *rows = list(csv.reader(texts["csv"].splitlines()))
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in texts["md"].splitlines()]
    assert lines[0] == header
    assert lines[2:] == rows
    body = [line for line in texts["tex"].splitlines() if line.endswith(r"\\")]
    cells = [[cell.strip().removesuffix(r"\\").strip() for cell in line.split(" & ")] for line in body]
    assert cells[0] == [name.replace("_", r"\_") for name in header]
    assert cells[1:] == rows
    assert texts["tex"].startswith(r"\begin{tabular}")
    assert "_" not in texts["tex"].replace(r"\_", "")


def test_underscores_of_names_are_escaped_and_empty_columns_left_out(study, tmp_path):
    rows, results = study
    rows = [row | {"dataset": "demo_ucf", "model": f"{row['model']}_x"} for row in rows[:2]]
    texts = written((rows, results), tmp_path / "out")
    assert r"demo\_ucf & U1\_x" in texts["tex"]
    assert "demo_ucf | U1_x" in " ".join(texts["md"].split())
    assert "paper" not in texts["md"] + texts["tex"]
    assert texts["csv"].splitlines()[0].endswith("gain,paper_top1,paper_top5")


def test_the_same_predictions_give_the_same_bytes(study, tmp_path):
    assert written(study, tmp_path / "one") == written(study, tmp_path / "two")
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["table5.csv", "table5.md", "table5.tex"]
