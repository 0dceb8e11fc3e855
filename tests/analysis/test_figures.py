"""All figures: readable text, groups and names of any kind, the same bytes for the same data."""

import re
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from figure_data import (
    BASELINE,
    FOUR,
    PAIR,
    SPLITS,
    check_readable,
    drawn_texts,
    grouped,
    history,
    legend,
    many,
    predictions,
    split,
    study,
    table_of_gains,
    table_of_teachers,
)
from matplotlib import font_manager
from matplotlib.colors import to_hex
from matplotlib.text import Text
from test_fonts import make_font

from dtkd.analysis import contents
from dtkd.analysis.figures import base
from dtkd.analysis.figures.class_gain import class_gain
from dtkd.analysis.figures.figure1 import figure1
from dtkd.analysis.figures.figure2 import figure2
from dtkd.analysis.figures.figure7 import figure7
from dtkd.analysis.figures.figure8 import figure8
from dtkd.analysis.figures.gains import gains
from dtkd.analysis.figures.teacher_weights import teacher_weights
from dtkd.analysis.figures.teachers import teachers
from dtkd.common.errors import DtkdWarning
from dtkd.data import published
from dtkd.data.groups import SUBSETS


@pytest.mark.parametrize(
    ("datasets", "classes", "seeds"), [(["my_videos"], 6, 1), (["ucf101", "hmdb51", "third"], 40, 3)]
)
def test_no_text_of_any_figure_touches_another(datasets, classes, seeds, monkeypatch):
    for name, figure in study(datasets, classes, seeds).items():
        check_readable(figure, monkeypatch)
        assert figure.get_size_inches()[0] in (3.5, 7)
        texts = [text.get_text() for text in figure.findobj(Text)]
        assert all(any(dataset in text for text in texts) for dataset in datasets), name


THREE = ("slow", "medium", "fast")


@pytest.mark.parametrize(("datasets", "classes", "seeds", "groups"), [
    (["one", "two"], 24, 2, THREE),
    (["one"], 12, 2, ("nearly_motionless_ones_of_all", "people.who.walk.about", "everything-that-is-fast")),
    (["one"], 28, 2, tuple(f"group{n}" for n in range(1, 8))),
])  # fmt: skip
def test_no_text_of_more_groups_touches_another(datasets, classes, seeds, groups, monkeypatch):
    for name, figure in study(datasets, classes, seeds, groups=groups).items():
        check_readable(figure, monkeypatch)
        assert figure.get_size_inches()[0] in (3.5, 7), name


def test_groups_of_any_number_are_told_apart_and_the_papers_two_look_as_always():
    found = base.looks([f"group{n}" for n in range(20)])
    assert len(set(found.values())) == 20
    assert all(look.colour not in [base.COLOURS[subset] for subset in SUBSETS] for look in found.values())
    mixed = base.looks(["static", "medium", "dynamic"])
    assert mixed == base.looks(SUBSETS) | {"medium": found["group0"]}


def test_each_group_has_one_colour_in_all_figures_and_is_left_out_of_none():
    drawn, style = study(["d"], 12, 1, groups=THREE), base.looks(THREE)
    colours = [style[group].colour for group in THREE]
    bars = drawn["figure1"].axes[0].containers
    assert [to_hex(each[0].get_facecolor()).upper() for each in bars] == colours
    assert legend(drawn["figure1"].axes[0])[:3] == [f"{group} (4)" for group in THREE]
    points = [line for line in drawn["figure2"].axes[0].lines if line.get_linestyle() == "None"]
    assert [line.get_color() for line in points] == colours
    (axis,) = drawn["teachers"].axes
    assert [label.get_text() for label in axis.get_xticklabels()] == [
        f"{group} classes\n{12 + 18 * n} test videos" for n, group in enumerate(THREE)
    ]
    edges = [to_hex(bars[0].get_edgecolor()).upper() for bars in axis.containers]
    assert edges == [colour for colour in colours for _ in range(3)]  # the baseline, and two teachers
    axis = drawn["figure7"].axes[0]
    assert [label.get_text().partition("\n")[0] for label in axis.get_xticklabels()] == ["top-1", "per-class", *THREE]
    assert [to_hex(bars[0].get_facecolor()).upper() for bars in axis.containers[7:]] == colours  # the student's
    assert [line.get_text().partition(",")[0] for line in drawn["figure8"].axes[0].get_legend().get_texts()] == [
        f"KL(S ‖ {group}-T)" for group in THREE
    ]
    assert legend(drawn["class_gain"].axes[0])[:3] == list(THREE)
    weights = drawn["teacher_weights"].axes
    assert [axis.get_ylabel() for axis in weights] == [f"mean w, {group}" for group in THREE]
    assert [axis.lines[0].get_color() for axis in weights] == colours


def test_datasets_of_one_study_may_have_different_groups(monkeypatch):
    splits = {"two": many(12), "three": grouped(many(12), THREE)}
    labels = np.repeat(np.arange(12), 2)
    pair = {name: [predictions(labels, labels, 12)] for name in ("U1", "SU12")}
    pairs = dict.fromkeys(splits, pair)
    groups = {"two": SUBSETS, "three": THREE}
    kl = {name: dict.fromkeys(own, np.arange(9.0)) for name, own in groups.items()}
    weights = {name: {"SU12": [history(groups=own)]} for name, own in groups.items()}
    figures = [
        figure1(splits), figure2(splits), figure7(pairs, splits),
        class_gain(pairs, splits), figure8(kl),
        teacher_weights(weights, dict.fromkeys(splits, "SU12")),
        teachers(pd.concat(table_of_teachers(name, groups=own) for name, own in groups.items())),
    ]  # fmt: skip
    for figure in figures:
        check_readable(figure, monkeypatch)
    counts = [len(axis.get_xticklabels()) for axis in figures[2].axes], [len(a.get_xticks()) for a in figures[-1].axes]
    assert counts == ([4, 5], [2, 3])
    assert len(figures[-2].axes) == 5


MARKUP = ["$_$", "US$5 or US$10", "a_b^c", "{x}", "\\alpha", "50 % & more", "#1", "<b>bold</b>", "~tilde|pipe", "_x_"]
CLASSES_IN = ("figure2", "class_gain", "confusion")  # the figures that name classes
MODELS_IN = {  # and those that name the baseline, the student, the third model of `study`
    "figure5": (0, 1, 2), "figure6": (0, 1, 2), "figure7": (0, 1), "class_gain": (0, 1), "confusion": (0, 1),
    "teacher_weights": (1,), "sensitivity": (0,), "gains": (0, 1),
}  # fmt: skip
SAVED = ("class_gain", "teacher_weights")  # the others are only drawn: a PDF takes half a second, for its fonts


def test_names_are_drawn_letter_by_letter_and_only_the_projects_formulas_are_formulas(tmp_path, monkeypatch):
    dataset, models = "$d_1$ & <x>", ("$U_1$", "S^{2}$\\frac$", "_x_")
    for name, figure in study([dataset], len(MARKUP), 1, names=MARKUP, models=models).items():
        if name in SAVED:
            base.save(figure, {kind: tmp_path / f"{name}.{kind}" for kind in ("png", "pdf")})
        drawn = drawn_texts(figure, monkeypatch)
        everything = "\n".join(text.get_text() for text in drawn)
        assert dataset in everything
        assert all(models[n] in everything for n in MODELS_IN.get(name, ())), name
        if name in CLASSES_IN:
            assert sum(each in everything for each in MARKUP) > 4, name
        formulas = {text.get_text() for text in drawn if text.get_parse_math()}
        assert all(re.match(r"(mean \$w_|\$S_|\$KD_)", text) for text in formulas), formulas
        assert bool(formulas) == (name in ("teacher_weights", "sensitivity"))


def test_letters_without_a_font_are_drawn_as_numbers_with_one_warning(tmp_path, monkeypatch):
    monkeypatch.setattr(font_manager, "findSystemFonts", list)
    names = ["图书馆", "한", "हि", *(f"class {n}" for n in range(3))]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        drawn = study(["数"], len(names), 1, names=names, models=("基", "学", "U2"))
        for name, figure in drawn.items():
            if name in SAVED:
                base.save(figure, {kind: tmp_path / f"{name}.{kind}" for kind in ("png", "pdf")})
            else:
                figure.draw_without_rendering()
    assert {warning.category for warning in caught} == {DtkdWarning}  # nothing else, such as of a glyph missing
    assert len(caught) == len(drawn)  # each has at least the data set's name
    remedy = (
        "drawn by number. Install one that does, such as Noto's (a file in ~/.local/share/fonts will do), and make the "
        "figures again: --forcerun figure examples"
    )
    told = {str(warning.message) for warning in caught}
    assert f"warning: no font here has 数 (U+6570); {remedy}" in told
    assert all(each.endswith(remedy) and "\n" not in each for each in told)
    labels = {text.get_text() for text in drawn["class_gain"].axes[0].get_yticklabels()}
    assert labels == {"U+56FEU+4E66U+9986", "U+D55C", "U+0939U+093F", "class 0", "class 1", "class 2"}
    assert drawn["class_gain"].axes[0].get_title(loc="left") == "U+6570: U+5B66 − U+57FA"


def test_letters_come_from_a_font_that_has_them(tmp_path, monkeypatch):
    made = make_font(tmp_path / "made.ttf", "图书馆")
    monkeypatch.setattr(font_manager, "findSystemFonts", lambda: [made])
    monkeypatch.setattr(font_manager.fontManager, "ttflist", list(font_manager.fontManager.ttflist))
    with warnings.catch_warnings(action="error"):
        figure = figure2({"d": split([0.1, 0.2, 0.5, 0.9], 0.2, names=["图书馆", "$图$", "c", "d"])})
        base.save(figure, {kind: tmp_path / f"one.{kind}" for kind in ("png", "pdf")})
    shown = {text.get_text(): text for text in drawn_texts(figure, monkeypatch)}
    assert {"图书馆", "$图$"} <= set(shown)
    assert shown["图书馆"].get_fontfamily() == [base.FONT, "Some Script"]
    square = 3 * 0.9 * base.SMALL * figure.dpi / 72  # three squares of the font, each 0.9 em wide
    assert shown["图书馆"].get_window_extent().width == pytest.approx(square, rel=0.05)


def test_legends_are_never_cut_off(monkeypatch):
    """Beside long names of classes, and where one label alone is wider than the figure."""
    names = [f"pretending to put {n} on a surface that is not there" for n in "abcd"]
    given = {"data": split([0.1, 0.2, 0.5, 0.9], 0.2, names=names)}
    check_readable(class_gain(PAIR, given), monkeypatch)
    name = "the baseline that is trained on list 1 with its backbone frozen"
    figure = gains(table_of_gains(baseline=name, count=6), {"d": {name: [BASELINE]}})
    check_readable(figure, monkeypatch)
    assert name in " ".join(legend(figure.axes[0])[0].split())


def test_very_long_names_are_cut_and_leave_room():
    names = ["pretending to put something behind something else that is on a surface " + "x" * n for n in range(8)]
    with warnings.catch_warnings(action="error"):
        drawn = study(["d"], len(names), 1, names=names)
    for name in ("class_gain", "confusion"):
        axis = drawn[name].axes[0]
        assert axis.get_window_extent().width > drawn[name].dpi, name
        assert all(text.get_text().endswith("…") for text in axis.get_yticklabels()), name


def test_same_data_same_bytes(tmp_path):
    makers = {
        "figure2": lambda: figure2(SPLITS),
        "figure7": lambda: figure7(PAIR, FOUR, {"data": published.gains("ucf101", "U1", "SU12")}),
        "figure8": lambda: figure8({"d": dict.fromkeys(SUBSETS, np.arange(5.0))}),
    }
    for name, make in makers.items():
        for turn in ("a", "b"):
            base.save(make(), {kind: tmp_path / f"{name}-{turn}.{kind}" for kind in ("png", "pdf")})
        for kind in ("png", "pdf"):
            assert (tmp_path / f"{name}-a.{kind}").read_bytes() == (tmp_path / f"{name}-b.{kind}").read_bytes()
    assert not list(tmp_path.glob(".*"))


def test_runs_are_read_file_by_file():
    shown = {"d": {"U1": ["a", "b"], "SU1": ["c"]}}
    assert base.read_runs(shown, str.upper) == {"d": {"U1": ["A", "B"], "SU1": ["C"]}}


def test_figures_import_neither_torch_nor_opencv():
    code = (
        f"import sys; from dtkd.analysis.figures import {', '.join(contents.FIGURES)};"
        "sys.exit(bool({'torch', 'cv2', 'matplotlib.pyplot'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
