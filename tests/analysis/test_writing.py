"""What is written of a table as CSV, Markdown and LaTeX."""

import csv
import doctest
import re

import pandas as pd
import pytest
from table_rows import markdown, row_of_imitation, rows_of_baselines, rows_of_students, split_of, written

from dtkd.analysis.figures import base as figures
from dtkd.analysis.tables import writing
from dtkd.analysis.tables.crossvalidation import crossvalidation
from dtkd.analysis.tables.table1 import table1
from dtkd.analysis.tables.table3 import table3
from dtkd.analysis.tables.table5 import table5
from dtkd.analysis.tables.table6 import table6
from dtkd.data import published


@pytest.fixture
def imitation(tmp_path):
    return row_of_imitation(tmp_path)


@pytest.fixture
def study(tmp_path):
    return rows_of_students(tmp_path)


@pytest.fixture
def baselines(tmp_path):
    return rows_of_baselines(tmp_path)


def latex(text):
    lines = [line.strip() for line in text.splitlines() if line.rstrip().endswith(r"\\")]
    head, *rows = [[cell.strip() for cell in line.removesuffix(r"\\").split(" & ")] for line in lines]
    return head, rows


def test_csv_has_every_column_by_its_code_name(study, tmp_path):
    rows = list(csv.DictReader(written(table5(study), tmp_path / "out")["csv"].splitlines()))
    assert rows[0] == {
        "dataset": "ucf101", "model": "U1", "method": "baseline", "LT": "", "FT": "", "S_alpha": "", "KD_T": "",
        "KD_alpha": "", "variant": "", "top1": "50.00", "top5": "75.00", "top1_last": "50.00", "top5_last": "50.00",
        "gain": "", "gain_low": "", "gain_high": "", "p": "", "p_holm": "", "paper_top1": "95.14",
        "paper_top5": "99.68", "diff_top1": "-45.14", "diff_top5": "-24.68",
        "test_videos": "8", "chance": "12.50", "smallest_gain": "80.15",
    }  # fmt: skip
    assert rows[1] == {
        "dataset": "ucf101", "model": "SU4", "method": "dtkd", "LT": "True", "FT": "True", "S_alpha": "0.3",
        "KD_T": "2", "KD_alpha": "0.4", "variant": "", "top1": "75.00", "top5": "87.50", "top1_last": "0.00",
        "top5_last": "0.00",
        "gain": "+25.00", "gain_low": "-25.00", "gain_high": "+75.00", "p": "0.625", "p_holm": "1",
        "paper_top1": "96.06", "paper_top5": "99.74", "diff_top1": "-21.06", "diff_top5": "-12.24",
        "test_videos": "8", "chance": "12.50", "smallest_gain": "80.15",
    }  # fmt: skip
    assert [row["S_alpha"] for row in rows] == ["", "0.3", "", "", "0.3"]


def test_markdown_and_latex_hold_the_same_cells_under_readable_heads(study, tmp_path):
    texts = written(table5(study), tmp_path / "out")
    head, rows = markdown(texts["md"])
    assert head == [
        "Dataset", "Model", "Method", "LT", "FT", "S_α", "KD_T", "KD_α", "Top-1 (%)", "Top-5 (%)",
        "Top-1, last epoch (%)", "Top-5, last epoch (%)", "Gain [95 % CI]", "p", "p (Holm)",
        "paper top-1", "paper top-5", "difference top-1", "difference top-5",
    ]  # fmt: skip
    assert rows[1][head.index("Gain [95 % CI]")] == "+25.00 [-25.00, +75.00]"
    assert rows[0][head.index("Gain [95 % CI]")] == ""
    tex_head, tex_rows = latex(texts["tex"])
    assert tex_head[5:9] == [r"$S_\alpha$", "$KD_T$", r"$KD_\alpha$", r"Top-1 (\%)"]
    plain = [[cell.replace("$", "").replace(r"\ ", " ") for cell in row] for row in tex_rows]
    assert plain == rows


def test_latex_is_balanced_and_escaped(study, tmp_path):
    rows = [row | {"dataset": "demo_ucf", "model": f"{row['model']}_x"} for row in study[:2]]
    text = written(table5(rows), tmp_path / "out")["tex"]
    assert r"demo\_ucf & U1\_x" in text
    for symbol in ("toprule", "midrule", "bottomrule", "begin{table}", "end{table}", "begin{tabular}", "end{tabular}"):
        assert text.count(f"\\{symbol}") == 1, symbol
    assert r"\label{tab:table5}" in text
    assert r"95 \% bootstrap" in text
    body = text.split("\n", 1)[1]  # after the comment that names the packages
    assert body.replace(r"\{", "").count("{") == body.replace(r"\}", "").count("}")
    outside = re.sub(r"\$[^$]*\$|\\[%_$&#]", "", body)
    assert not re.search(r"[_^#$<±]", outside.replace("\\ifdim\\width>", ""))
    assert [line.count(" & ") for line in body.splitlines() if line.endswith(r"\\")] == [14] * 3  # every row is as wide


def test_columns_without_values_are_left_out_for_readers_only(study, tmp_path):
    texts = written(table5([row | {"dataset": f"demo_{row['dataset']}"} for row in study]), tmp_path / "out")
    assert "paper" not in texts["md"] + texts["tex"]
    assert texts["csv"].splitlines()[0].endswith("diff_top1,diff_top5,test_videos,chance,smallest_gain")


def test_several_seeds_are_merged_for_readers_and_apart_in_csv(baselines, tmp_path):
    texts = written(table3(baselines), tmp_path / "out")
    rows = list(csv.DictReader(texts["csv"].splitlines()))
    assert [(row["top1"], row["top1_std"]) for row in (rows[0], rows[3])] == [("62.50", "17.68"), ("0.00", "")]
    head, cells = markdown(texts["md"])
    assert [row[head.index("Top-1 (%)")] for row in cells] == ["62.50 ± 17.68", "25.00 ± 0.00", "87.50 ± 17.68", "0.00"]
    assert "std" not in texts["md"]
    assert r"$62.50 \pm 17.68$" in texts["tex"]
    assert cells[3][head.index("Trainable (M)")] == "0.23"
    assert "over seeds" in texts["md"].splitlines()[0]


def test_crossvalidations_paper_is_merged_too(baselines, tmp_path):
    head, cells = markdown(written(crossvalidation(baselines), tmp_path / "out")["md"])
    assert dict(zip(head, cells[0], strict=True))["paper top-1"] == "95.76 ± 0.69"
    assert dict(zip(head, cells[0], strict=True))["Models"] == "U1, U2, U3"


def test_a_deviation_has_the_means_decimals(imitation, tmp_path):
    row, _, splits, indexes = imitation
    head, cells = markdown(written(table6([row], splits, indexes), tmp_path / "out")["md"])
    for teacher in ("St-T", "Dy-T"):
        mean, deviation = cells[0][head.index(f"KL(S ‖ {teacher})")].split(" ± ")
        assert len(mean.partition(".")[2]) == len(deviation.partition(".")[2]) >= 2
    assert cells[0][head.index("SM")] == ""


def test_statistics_keep_their_own_names(tmp_path):
    """A "std" is Table 1's column, no deviation over seeds of another."""
    classes = {name: ("static" if n < 9 else "dynamic", 1.0 + n) for n, name in enumerate(published.classes("ucf101"))}
    head, cells = markdown(written(table1({"ucf101": split_of(classes)}), tmp_path / "out")["md"])
    assert head == ["Dataset", "Subset", "Classes", "Q1", "Mean", "STD", "IQR", "paper Q1", "paper mean", "paper STD",
                    "paper IQR", "difference Q1", "difference mean", "difference STD", "difference IQR"]  # fmt: skip
    assert cells[0][3:5] == ["26.000", "51.000"]
    assert cells[0][7] == "0.508"
    assert cells[0][11] == "+25.492"


NAMES = ["$_$", "US$5 or US$10", "a_b^c", "{x}", r"\alpha", "50 % & more", "#1", "<b>bold</b>", "~tilde|pipe", "`code`",
         "[link](x)", "*star*", "_em_ __bold__", "a--b---c", "&lt;", r"back\\", "'q' \"Q\"", "007", "None"]  # fmt: skip


def test_names_are_never_markup(tmp_path):
    table = pd.DataFrame({"dataset": "demo_ucf", "model": NAMES, "top1": 1.0})
    table.attrs = {"name": "made_up", "caption": "Made up."}
    texts = written(table, tmp_path)
    assert [row["model"] for row in csv.DictReader(texts["csv"].splitlines())] == NAMES
    assert figures.read_table(tmp_path / "table.csv")["model"].tolist() == NAMES

    lines = texts["md"].splitlines()[4:]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)(?:\\\\)*\|", line)[1:-1]] for line in lines]
    assert {row[0] for row in cells} == {"demo_ucf"}  # within a word it is no markup, and stays legible
    for (_, cell, _), name in zip(cells, NAMES, strict=True):
        assert re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", cell) == name  # as CommonMark takes backslashes away
        bare = re.sub(r"\\[!-/:-@\[-`{-~]|(?<=[a-z])_(?=[a-z])", "", cell)
        assert not re.search(r"[\\`*_\[\]<>|&$~^]", bare), cell

    words = {r"\textbackslash{}": "\\", r"\textasciicircum{}": "^", r"\textasciitilde{}": "~", r"\textbar{}": "|",
             r"\textless{}": "<", r"\textgreater{}": ">", r"\textquotesingle{}": "'", r"\textasciigrave{}": "`",
             r"\symbol{34}": '"', "-{}": "-"}  # fmt: skip
    words |= {f"\\{character}": character for character in "&%$#_{}"}
    known = re.compile("|".join(map(re.escape, words)))
    for line, name in zip(texts["tex"].splitlines()[10:-4], NAMES, strict=True):
        cell = re.fullmatch(r"demo\\_ucf & (.*) & \$1.00\$ \\\\", line)[1].removeprefix("{}")
        assert known.sub(lambda found: words[found[0]], cell) == name
        assert not re.search(r"[\\&%$#_{}~^|<>'`\"]|--", known.sub(lambda found: "x", cell))


def test_a_row_does_not_begin_with_an_option_of_the_last_one_in_latex(tmp_path):
    table = pd.DataFrame({"dataset": ["[2cm]", "*"], "top1": 1.0})
    table.attrs = {"name": "made_up", "caption": "Made up."}
    rows = written(table, tmp_path)["tex"].splitlines()[10:12]
    assert [row[:4] for row in rows] == ["{}[2", "{}* "]


def test_a_name_of_two_lines_stays_in_its_cell(tmp_path):
    table = pd.DataFrame({"dataset": ["a\n\n| b |"], "top1": 1.0})
    table.attrs = {"name": "made_up", "caption": "Made up."}
    texts = written(table, tmp_path)
    assert r"| a  \| b \|" in texts["md"].splitlines()[-1]
    assert r"a  \textbar{} b \textbar{} & $1.00$ \\" in texts["tex"].splitlines()


def test_examples_in_docstrings():
    assert doctest.testmod(writing).failed == 0
    assert doctest.testmod(writing).attempted > 1


def test_small_p_and_significant_digits(tmp_path):
    row = {"p": 0.00012345, "p_holm": 0.012345, "SM": 26.2, "SIR": 170.6199, "kl_static_teacher": 0.0971234,
           "diff_SIR": -12345.6}  # fmt: skip
    table = pd.DataFrame([row])
    table.attrs = {"name": "made_up", "caption": "Made up."}
    texts = written(table, tmp_path)
    assert texts["csv"].splitlines()[1] == "0.000123,0.0123,26.20,170.6,0.09712,-12350"
    assert markdown(texts["md"])[1] == [["<0.001", "0.0123", "26.20", "170.6", "0.09712", "-12350"]]
    assert latex(texts["tex"])[1] == [["$<0.001$", "$0.0123$", "$26.20$", "$170.6$", "$0.09712$", "$-12350$"]]


def test_the_same_predictions_give_the_same_bytes(study, tmp_path):
    assert written(table5(study), tmp_path / "one") == written(table5(study), tmp_path / "two")
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["table.csv", "table.md", "table.tex"]
