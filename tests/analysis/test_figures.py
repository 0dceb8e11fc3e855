"""Figures from plain data: what they show, readable text, the same bytes for the same data, degenerate studies."""

import re
import subprocess
import sys
import warnings
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib import font_manager
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import StepPatch
from matplotlib.text import Text
from test_fonts import make_font

from dtkd.analysis.figures import accuracy, base, distillation, motion, stability, training
from dtkd.common.errors import DtkdError, DtkdWarning
from dtkd.data import published
from dtkd.data.groups import SUBSETS, weight_name
from dtkd.training.metrics import Predictions, kl_divergence


def split(means, threshold, stds=None, names=None, criterion=None):
    names = names or [f"c{n:03}" for n in range(len(means))]
    stds = stds if stds is not None else [0.5 * mean + 0.1 for mean in means]
    limit = np.quantile(means, 0.25) if threshold is None else threshold
    classes = {
        name: {"mean": mean, "std": std, "subset": "static" if mean <= limit else "dynamic"}
        for name, mean, std in zip(names, means, stds, strict=True)
    }
    return {"threshold": threshold, "criterion": criterion or {"quantile": 0.25}, "classes": classes}


SPLITS = {"one": split([0.1, 0.2, 0.5, 0.5, 0.9, 2.0], 0.3), "two": split([0.0, 0.4, 0.6, 0.8], 0.0)}
FOUR = {
    "data": split([0.1, 0.2, 0.5, 0.9], 0.2, names=["sit", "drink", "walk", "run"])
}  # labels, unlike names, as given


def many(count, seed=0):
    random = np.random.default_rng(seed)
    means = random.gamma(2, 0.5, count) + 0.1
    return split(list(means), float(np.quantile(means, 0.25)), list(means * random.uniform(0.2, 0.7, count)),
                 [f"{'Apply' * (n % 3)}EyeMakeup_{n}" for n in range(count)])  # fmt: skip


def grouped(given, groups):
    """A split by quantiles of the same classes, in ``groups`` of about the same size."""
    means = [entry["mean"] for entry in given["classes"].values()]
    quantiles = [round(n / len(groups), 2) for n in range(1, len(groups))]
    limits = [float(np.quantile(means, each)) for each in quantiles]
    classes = {name: entry | {"subset": groups[sum(entry["mean"] > limit for limit in limits)]}
               for name, entry in given["classes"].items()}  # fmt: skip
    criterion = {"threshold": "quantile", "quantile": quantiles, "boundary": "inclusive"}
    return {"groups": list(groups), "threshold": limits, "criterion": criterion, "classes": classes}


def predictions(answers, labels, classes=4, own=None):
    """Logits that give ``answers``; outside ``own`` -inf."""
    logits = np.zeros((len(labels), classes))
    logits[np.arange(len(labels)), answers] = 2.0
    if own is not None:
        logits[:, [c for c in range(classes) if c not in own]] = -np.inf
    return Predictions([f"v{n}" for n in range(len(labels))], np.array(labels), logits, logits)


def history(epochs=3, seed=0, groups=SUBSETS, **columns):
    random = np.random.default_rng(seed)
    table = {"epoch": range(1, epochs + 1)} | {
        name: random.uniform(0.5, 1, epochs) for name in ("train_loss", "top1", *map(weight_name, groups))
    }
    return pd.DataFrame(table | columns)


LABELS = [0, 0, 1, 1, 2, 2, 3, 3]
BASELINE = predictions([0, 1, 1, 1, 3, 3, 3, 3], LABELS)  # 50, 100, 0 and 100 per cent
STUDENT = predictions([0, 0, 1, 0, 2, 3, 3, 3], LABELS)  # 100, 50, 50 and 100
PAIR = {"data": {"U1": [BASELINE], "SU12": [STUDENT]}}


def words(artist):
    return [text.get_text() for text in artist.findobj(Text) if text.get_visible() and text.get_text()]


def legend(axis):
    return [text.get_text() for text in axis.get_legend().get_texts()]


def boxes(figure, texts):
    """Where texts are at the resolution of the saved picture, a hair smaller than they are."""
    figure.set_dpi(200)
    figure.draw_without_rendering()
    for text in texts:
        text.get_window_extent()
    return {text: Text.get_window_extent(text).padded(-1) for text in texts}


def drawn_texts(figure, monkeypatch):
    """The texts that a picture has: a figure also holds ticks beyond its axes' limits, which are never drawn."""
    found, draw = [], Text.draw
    monkeypatch.setattr(Text, "draw", lambda text, renderer: (found.append(text), draw(text, renderer))[1])
    figure.draw_without_rendering()
    monkeypatch.undo()
    return [text for text in dict.fromkeys(found) if text.get_visible() and text.get_text().strip()]


def check_readable(figure, monkeypatch):
    """Every text is of 7 points or more, on the page, and touches no other."""
    placed, page = boxes(figure, drawn_texts(figure, monkeypatch)), figure.bbox
    assert len(placed) > 5
    for text, box in placed.items():
        assert text.get_fontsize() >= 7
        assert page.x0 <= box.x0 < box.x1 <= page.x1, text.get_text()
        assert page.y0 <= box.y0 < box.y1 <= page.y1, text.get_text()
    for (one, a), (other, b) in combinations(placed.items(), 2):
        assert not a.overlaps(b), (one.get_text(), other.get_text())


def kept(split, shares=(0.5, 1.0)):
    """A `stability.json` whose classes have these shares in turn."""
    classes = {name: {"kept": shares[n % len(shares)]} for n, name in enumerate(split["classes"])}
    return {"draws": 1000, "split": 0.25, "classes": classes}


def test_bars_of_stability_are_in_the_order_of_motion():
    given = split([0.9, 0.1, 0.5, 0.2], 0.2, names=["run", "sit", "walk", "drink"])
    given["criterion"] = {"threshold": "gap"}
    (axis,) = stability.split_stability({"data": given}, {"data": kept(given, (1.0, 0.9, 0.8, 0.7))}).axes
    bars = {bar.get_x() + bar.get_width() / 2: (bar.get_height(), to_hex(bar.get_facecolor()))
            for patches in axis.containers for bar in patches}  # fmt: skip
    static, dynamic = (base.COLOURS[subset].lower() for subset in ("static", "dynamic"))
    assert [bars[n] for n in range(4)] == [(90, static), (70, static), (80, dynamic), (100, dynamic)]
    assert [text.get_text() for text in axis.get_xticklabels()] == ["sit", "drink", "walk", "run"]
    assert axis.lines[0].get_xdata()[0] == 1.5
    assert legend(axis) == ["static (2)", "dynamic (2)", "largest gap = 0.200"]
    assert "25 % of draws" in axis.get_xlabel()


# -- Figure 1 --------------------------------------------------------------------------------------------------------


def test_every_class_is_counted_on_its_side_of_the_threshold():
    figure = motion.figure1(SPLITS)
    for axis, given in zip(figure.axes, SPLITS.values(), strict=True):
        heights = [sum(bar.get_height() for bar in bars) for bars in axis.containers]
        subsets = [entry["subset"] for entry in given["classes"].values()]
        assert heights == [subsets.count("static"), subsets.count("dynamic")]
        assert axis.lines[0].get_xdata()[0] == given["threshold"]
        assert legend(axis)[:2] == [f"{name} ({subsets.count(name)})" for name in SUBSETS]
    static, dynamic = figure.axes[0].containers
    assert max(bar.get_x() + bar.get_width() for bar in static if bar.get_height()) <= 0.3 + 1e-9
    assert min(bar.get_x() for bar in dynamic if bar.get_height()) >= 0.3 - 1e-9


@pytest.mark.parametrize("boundary", ["inclusive", "strict"])
def test_a_class_on_the_threshold_is_drawn_on_the_side_where_it_belongs(boundary):
    given = split([0.1, 0.4, 0.7, 1.0], 0.4, criterion={"quantile": 0.25, "boundary": boundary})
    given["classes"]["c001"]["subset"] = "static" if boundary == "inclusive" else "dynamic"
    axis = motion.figure1({"d": given}).axes[0]
    static, dynamic = axis.containers
    assert max(bar.get_x() + bar.get_width() for bar in static if bar.get_height()) <= 0.4 + 1e-9
    assert min(bar.get_x() for bar in dynamic if bar.get_height()) >= 0.4 - 1e-9


def test_the_published_split_is_shown_with_the_quartile_of_the_means():
    means = [0.1, 0.3, 0.2, 0.9, 1.4]
    axis = motion.figure1({"ucf101": split(means, None, criterion={"source": "published"})}).axes[0]
    assert axis.lines[0].get_xdata()[0] == pytest.approx(0.2)  # the second of five
    assert legend(axis)[-1] == "Q1 of the means = 0.200"


@pytest.mark.parametrize(("threshold", "highest"), [(0.5, 4.0), (0.0, 3.0), (1e-4, 1.0), (1.0, 1.0)])
def test_histogram_edges_hold_every_mean_and_the_threshold(threshold, highest):
    edges = motion.histogram_edges(threshold, highest)
    assert edges[0] == 0
    assert edges[-1] > highest * (1 - 1e-12)
    assert threshold in edges
    assert (np.diff(edges) > 0).all()
    assert 15 <= len(edges) <= 40
    assert np.allclose(np.diff(edges)[1:], np.diff(edges)[1])


def test_a_histogram_of_still_videos():
    axis = motion.figure1({"d": split([0.0, 0.0, 0.0], 0.0)}).axes[0]
    assert [sum(bar.get_height() for bar in bars) for bars in axis.containers] == [3, 0]


@pytest.mark.parametrize("number", [1, 2])
def test_a_split_without_means_is_one_line(number):
    given = {"ucf101": {"threshold": None, "criterion": {"source": "published"},
                        "classes": {"a": {"mean": None, "std": None, "subset": "static"}}}}  # fmt: skip
    with pytest.raises(DtkdError, match=f"figure {number}: the split of ucf101 does not come from its flow"):
        getattr(motion, f"figure{number}")(given)


# -- Figure 2 --------------------------------------------------------------------------------------------------------


def test_figure2_has_every_class_and_the_regression_of_each_subset():
    axis = motion.figure2(FOUR).axes[0]
    static, line, dynamic, _ = axis.lines
    assert static.get_xydata() == pytest.approx(np.array([[0.1, 0.15], [0.2, 0.2]]))
    assert dynamic.get_xydata() == pytest.approx(np.array([[0.5, 0.35], [0.9, 0.55]]))
    assert line.get_xydata() == pytest.approx(np.array([[0.1, 0.15], [0.2, 0.2]]))  # std is linear in the mean here
    assert {text.get_text() for text in axis.texts} == {"sit", "drink", "walk", "run"}


def test_the_regression_is_of_least_squares():
    means, stds = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.3, 0.2, 0.9, 0.6])
    axis = motion.figure2({"d": split([0.1, *means], 0.1, [0.1, *stds])}).axes[0]
    slope = np.cov(means, stds)[0, 1] / np.var(means, ddof=1)
    expected = stds.mean() + slope * (means[[0, -1]] - means.mean())
    assert axis.lines[-1].get_ydata() == pytest.approx(expected)


@pytest.mark.parametrize("means", [[0.1, 0.5, 0.9], [0.1, 0.7, 0.7]])  # one static class; dynamic ones without spread
def test_no_regression_without_two_different_means(means):
    axis = motion.figure2({"d": split(means, 0.1)}).axes[0]
    drawn = [line for line in axis.lines if line.get_linestyle() != "None"]
    assert len(drawn) == (1 if means[1] != means[2] else 0)


@pytest.mark.parametrize(("count", "least", "most"), [(6, 5, 6), (16, 8, 16), (51, 8, 12), (101, 8, 12)])
def test_class_names_cover_nothing(count, least, most):
    figure = motion.figure2({"a": many(count), "b": many(count, seed=1)})
    for axis in figure.axes:
        placed = boxes(figure, axis.texts)
        assert least <= len(placed) <= most
        for one, other in combinations(placed.values(), 2):
            assert not one.overlaps(other)
        points = np.concatenate([axis.transData.transform(line.get_xydata()) for line in axis.lines])
        edge = axis.get_window_extent()
        for text, box in placed.items():
            assert not any(box.contains(*point) for point in points), text.get_text()
            assert edge.x0 <= box.x0 < box.x1 <= edge.x1
            assert edge.y0 <= box.y0 < box.y1 <= edge.y1


def test_names_have_their_subsets_colour():
    for text in motion.figure2(FOUR).axes[0].texts:
        assert text.get_color() == base.COLOURS[FOUR["data"]["classes"][text.get_text()]["subset"]]


# -- Figures 5 and 6, teachers' weights ------------------------------------------------------------------------------


def test_curves_are_means_over_seeds_within_their_range():
    runs = [history(seed=n) for n in range(3)]
    loss, top1 = training.figure5({"d": {"U1 (list 1)": runs}}).axes
    for axis, column in ((loss, "train_loss"), (top1, "top1")):
        values = np.array([run[column] for run in runs])
        assert axis.lines[0].get_ydata() == pytest.approx(values.mean(axis=0))
        assert axis.lines[0].get_xdata().tolist() == [1, 2, 3]
        (band,) = [artist for artist in axis.collections if isinstance(artist, PolyCollection)]
        corners = band.get_paths()[0].vertices
        for epoch in (1, 2, 3):
            heights = corners[corners[:, 0] == epoch, 1]
            assert (heights.min(), heights.max()) == (values[:, epoch - 1].min(), values[:, epoch - 1].max())
    assert legend(loss) == ["U1 (list 1)", "range of 3 seeds"]


def test_one_seed_has_no_band():
    figure = training.figure5({"d": {"U1": [history()], "U2": [history(seed=1)]}})
    assert not any(axis.collections for axis in figure.axes)
    assert legend(figure.axes[0]) == ["U1", "U2"]
    strokes = {(line.get_color(), line.get_linestyle()) for line in figure.axes[0].lines}
    assert len({colour for colour, _ in strokes}) == len({style for _, style in strokes}) == 2


def test_a_single_epoch_is_a_mark_and_its_range():
    figure = training.figure5({"d": {"U1": [history(1), history(1, seed=1)]}})
    axis = figure.axes[1]
    assert axis.lines[0].get_marker() not in ("", "None", None)
    assert axis.get_xlim() == (0.5, 1.5)
    (extent,) = [artist for artist in axis.collections if isinstance(artist, LineCollection)]
    ends = sorted(history(1, seed=n)["top1"][0] for n in range(2))
    assert extent.get_segments()[0][:, 1].tolist() == ends


@pytest.mark.parametrize("names", [["SU12 (DTKD)", "SU13 (BSKD)", "U1 (baseline)"], ["SU12 (DTKD)", "U1 (baseline)"]])
def test_figure6_has_the_baselines_accuracy_alone(names):
    runs = {name: [history(seed=n)] for n, name in enumerate(names)}
    loss, top1 = training.figure6({"d": runs}).axes
    assert [line.get_label() for line in loss.lines] == names[:-1]
    assert [line.get_label() for line in top1.lines] == names
    assert top1.lines[-1].get_color() == base.COLOURS["baseline"]
    assert legend(loss) == names


def test_figure6_shows_eq13_alone():
    """Teachers that go on learning have a loss of their own, which is in a training's whole."""
    names = ["SU1 (DTKD)", "SU2 (DTKD)", "SU13 (BSKD)", "U1 (baseline)"]
    recorded = history(L_total=[3.0, 2.0, 1.0], L_teachers=[2.0, 2.0, 2.0], train_loss=[5.0, 4.0, 3.0])
    runs = [recorded, recorded.drop(columns="L_total"), history(train_loss=[2.0, 1.0, 0.5]), history()]
    figure = training.figure6({"d": {name: [run] for name, run in zip(names, runs, strict=True)}})
    loss = figure.axes[0]
    assert [line.get_ydata().tolist() for line in loss.lines] == [[3, 2, 1], [3, 2, 1], [2, 1, 0.5]]
    assert loss.get_ylabel() == "loss (Eq. 13)"
    assert training.figure5({"d": {"U1": [history()]}}).axes[0].get_ylabel() == "training loss"


def test_teachers_weights_with_an_epoch_without_a_value():
    gap = history(w_st=[0.6, np.nan, 0.8])
    runs = {"SU12": [gap], "SU1": [history(seed=1)], "SU2": [history(seed=2)]}
    static, dynamic = distillation.teacher_weights({"d": runs}, {"d": "SU12"}).axes
    chosen = static.lines[0]
    assert chosen.get_ydata() == pytest.approx(gap["w_st"].to_numpy(), nan_ok=True)
    assert dynamic.lines[0].get_ydata() == pytest.approx(gap["w_dy"].to_numpy())
    assert [line.get_color() for line in (chosen, dynamic.lines[0])] == [base.COLOURS[s] for s in SUBSETS]
    assert all(line.get_linewidth() < chosen.get_linewidth() for line in static.lines[1:])
    assert legend(static) == ["SU12: St-T", "SU12: Dy-T", "other students (2)"]
    assert static.get_ylim() == dynamic.get_ylim()


def test_teachers_weights_without_any_value_or_chosen_student():
    nothing = {"SU1": [history(w_st=[np.nan] * 3)]}
    axes = distillation.teacher_weights({"d": nothing}, {}).axes
    assert legend(axes[0]) == ["students (1)"]
    assert axes[0].get_xlim()[0] < 1 < 3 < axes[0].get_xlim()[1]


# -- Figure 7, classes -----------------------------------------------------------------------------------------------


def test_figure7_has_means_over_classes_and_their_gains():
    axis = accuracy.figure7(PAIR, FOUR).axes[0]
    heights = [bars[0].get_height() for bars in axis.containers]
    # top-1; all classes; sit and drink; walk and run
    assert heights == [62.5, 62.5, 75, 50, 75, 75, 75, 75]
    written = [text.get_text() for text in axis.texts]
    assert written[:8] == ["62.50", "62.50", "75.00", "50.00", "75.00", "75.00", "75.00", "75.00"]
    assert written[9::2] == ["+12.50", "+12.50", "+0.00", "+25.00"]
    assert written[8:15:2] == ["[−25, +50]", "[−12, +38]", "[−50, +50]", "[+0, +50]"]
    below = [label.get_text().splitlines()[-1] for label in axis.get_xticklabels()]
    assert below == ["n = 8", "n = 8", "n = 4", "n = 4"]
    assert legend(axis) == ["U1", "SU12", "chance 25 %"]
    assert 25 in [line.get_ydata()[0] for line in axis.lines]
    assert [to_hex(axis.containers[4 + n][0].get_facecolor()).upper() for n in (2, 3)] == [
        base.COLOURS[subset] for subset in SUBSETS
    ]


def test_figure7_has_the_papers_gains_beside_ours():
    """Those of its own pairs alone; it has none of top-1 there."""
    paper = {"data": published.gains("hmdb51", "H1", "SH3")}
    assert paper["data"] == {"per_class_mean": 2.30, "static_mean": 3.85, "dynamic_mean": 1.77}
    assert published.gains("hmdb51", "H1", "SH4") == published.gains("demo_hmdb", "H1", "SH3") == {}
    figure = accuracy.figure7(PAIR, FOUR, paper)
    said = [text.get_text() for text in figure.axes[0].texts if "paper" in text.get_text()]
    assert said == ["paper +2.30", "paper +3.85", "paper +1.77"]
    assert "paper −0.18" in words(
        accuracy.figure7(PAIR, FOUR, {"data": published.gains("ucf101", "U1", "SU12")}).axes[0]
    )


def test_classes_weigh_the_same_however_many_videos_they_have():
    labels = [0, 0, 0, 0, 1, 2, 3]
    runs = {"data": {"U1": [predictions([0, 0, 0, 0, 0, 0, 0], labels)],
                     "SU1": [predictions([0, 0, 0, 1, 1, 2, 0], labels)]}}  # fmt: skip
    heights = [bars[0].get_height() for bars in accuracy.figure7(runs, FOUR).axes[0].containers]
    assert heights == pytest.approx([400 / 7, 25, 50, 0, 500 / 7, 275 / 4, 175 / 2, 50])


def test_figure7_over_seeds_has_error_bars():
    runs = {"data": {"U1": [BASELINE, STUDENT, BASELINE], "SU12": [STUDENT] * 3}}
    axis = accuracy.figure7(runs, FOUR).axes[0]
    spread = np.std([62.5, 75, 62.5], ddof=1)
    stems = [artist for artist in axis.collections if isinstance(artist, LineCollection)]
    ends = stems[0].get_segments()[0][:, 1]
    assert ends.tolist() == pytest.approx([200 / 3 - spread, 200 / 3 + spread])
    assert legend(axis) == ["U1", "SU12", "chance 25 %", "± std of 3 seeds"]
    assert words(axis).count("+8.33") == 2


def test_a_subset_without_test_videos_has_no_bar():
    alone = {"data": {name: [run.only(run.labels < 2) for run in runs] for name, runs in PAIR["data"].items()}}
    axis = accuracy.figure7(alone, FOUR).axes[0]
    assert "nan" not in " ".join(words(axis))
    assert len(axis.texts) == 2 * 3 + 2 * 3
    figure = accuracy.class_gain(alone, FOUR)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["sit", "drink"]


def test_class_gain_is_sorted_and_coloured_by_subset():
    axis = accuracy.class_gain(PAIR, FOUR).axes[0]
    names = [label.get_text() for label in axis.get_yticklabels()]
    assert names == ["sit", "walk", "run", "drink"]
    assert [bars[0].get_width() for bars in axis.containers] == [50, 50, 0, -50]
    for label, bars in zip(axis.get_yticklabels(), axis.containers, strict=True):
        colour = base.COLOURS[FOUR["data"]["classes"][label.get_text()]["subset"]]
        assert label.get_color() == colour
        assert bars[0].get_facecolor()[:3] == to_rgb(colour)


def test_class_gain_has_intervals_and_says_of_how_many_videos():
    axis = accuracy.class_gain(PAIR, FOUR).axes[0]
    spans = [segment[:, 0].tolist() for lines in axis.collections for segment in lines.get_segments()]
    assert spans == [[0, 100], [0, 100], [0, 0], [-100, 0]]  # of two videos one is won, or none, or one lost
    assert axis.get_xlabel() == "gain in top-1 (points)\n8 test videos, 2 a class\nchance 25 %"
    assert legend(axis)[-1] == "95 % interval"


def test_class_gain_names_all_of_a_hundred_classes(monkeypatch):
    count, random = 101, np.random.default_rng(0)
    labels = np.repeat(np.arange(count), 4)
    runs = {"data": {name: [predictions(np.where(random.random(len(labels)) < 0.9, labels, 0), labels, count)]
                     for name in ("U1", "SU12")}}  # fmt: skip
    given = {"data": many(count)}
    figure = accuracy.class_gain(runs, given)
    names = [label.get_text() for axis in figure.axes for label in axis.get_yticklabels()]
    assert sorted(names) == sorted(given["data"]["classes"])
    gains = [bars[0].get_width() for axis in figure.axes for bars in axis.containers]
    assert gains == sorted(gains, reverse=True)
    assert figure.get_size_inches()[1] < 9.5
    check_readable(figure, monkeypatch)


def test_confusion_shows_the_worst_pairs_as_shares_of_the_true_class():
    figure = accuracy.confusion(PAIR, FOUR)
    baseline, student = figure.axes
    names = [label.get_text() for label in baseline.get_yticklabels()]
    assert names == ["sit", "drink", "walk", "run"]  # static ones first
    shown = {(names[int(t.get_position()[1])], int(t.get_position()[0])): t.get_text() for t in baseline.texts}
    assert shown == {("sit", 0): "50", ("sit", 1): "50", ("drink", 1): "100", ("walk", 3): "100", ("run", 3): "100"}
    assert np.asarray(student.images[0].get_array())[2].tolist() == [0, 0, 50, 50]
    assert "other" not in words(figure), "an empty column says nothing"
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["data: U1", "SU12"]


def test_what_is_not_shown_adds_up_to_other():
    student = predictions([0, 0, 1, 0, 2, 0, 3, 3], LABELS)
    figure = accuracy.confusion({"data": {"U1": [BASELINE], "SU12": [student]}}, FOUR, pairs=1)
    baseline = np.asarray(figure.axes[0].images[0].get_array())  # walk and run, then the others
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["walk", "run", "other"]
    assert baseline.tolist() == [[0, 100, 0], [0, 100, 0]]
    assert np.asarray(figure.axes[1].images[0].get_array())[:, 2].tolist() == [50, 0]
    assert accuracy.confused_classes(np.full((30, 30), 1.0), ["static"] * 30, pairs=8, most=5) == [
        0,
        1,
        2,
        3,
        4,
    ]


def test_confusion_of_perfect_and_of_diverged_models():
    perfect = predictions(LABELS, LABELS)
    figure = accuracy.confusion({"data": {"U1": [perfect], "SU1": [perfect]}}, FOUR)
    assert words(figure).count("no video is taken for another class") == 2
    diverged = perfect._replace(logits=np.full((8, 4), np.nan))
    assert accuracy.confusion_shares(diverged).sum() == 0
    with np.errstate(all="raise"):
        axis = accuracy.confusion({"data": {"U1": [BASELINE], "SU1": [diverged]}}, FOUR).axes[1]
    assert np.asarray(axis.images[0].get_array())[:, -1].tolist() == [100] * 4


# -- Figure 8, hyperparameters ---------------------------------------------------------------------------------------


def test_figure8_counts_every_video_and_tells_the_means():
    given = {"static": np.array([0.0, 1.0, 1.0, 20.0]), "dynamic": np.array([0.5, 12.0, 18.0, np.nan])}
    axis = distillation.figure8({"d": given}).axes[0]
    filled = [patch for patch in axis.patches if isinstance(patch, StepPatch) and patch.get_fill()]
    counts = {to_hex(patch.get_facecolor()).upper(): patch.get_data() for patch in filled}
    for subset, values in given.items():
        heights, edges, _ = counts[base.COLOURS[subset]]
        assert heights.tolist() == np.histogram(values[np.isfinite(values)], np.linspace(0, 20, 41))[0].tolist()
        assert edges[-1] == 20
    assert legend(axis) == ["KL(S ‖ St-T), mean 5.50", "KL(S ‖ Dy-T), mean 10.17"]


def test_figure8_averages_counts_over_seeds():
    one = {"static": np.array([[0.0, 1.0], [1.0, 1.0]]), "dynamic": np.array([[1.0, 1.0], [0.0, 0.0]])}
    axis = distillation.figure8({"d": one}).axes[0]
    assert [patch.get_data().values.sum() for patch in axis.patches] == [2] * 4
    with pytest.raises(DtkdError, match="figure 8: no divergence of d is finite"):
        distillation.figure8({"d": {subset: np.full(3, np.nan) for subset in SUBSETS}})


def test_divergences_match_videos_by_name():
    student = predictions([0, 1, 2, 3], [0, 1, 2, 3])
    teacher = predictions([1, 1, 0, 0], [0, 1, 2, 3], own=[0, 1])
    order = [2, 0, 3, 1]
    shuffled = Predictions([teacher.videos[n] for n in order], teacher.labels[order], teacher.logits[order],
                           teacher.logits_last[order])  # fmt: skip
    runs = {"d": {"student": [student] * 2, "static": [shuffled, teacher], "dynamic": [teacher] * 2}}
    for settings in ({"kl": "forward", "floor": None}, {"kl": "reverse", "floor": 1e-12}):
        found = distillation.divergences(runs, {"d": settings})["d"]
        expected = kl_divergence(student.logits, teacher.logits, **settings)
        assert found["static"] == pytest.approx(np.stack([expected] * 2))
    with pytest.raises(DtkdError, match="figure 8: v0 and 2 more"):
        distillation.divergence(student, teacher.only(np.arange(4) == 3))


def table5(tmp_path, **columns):
    """Table 5 as scripts read it: from CSV."""
    rows = [
        ("U1", "baseline", None, None, None, None, None, 90.0),
        ("SU1", "dtkd", True, True, 0.3, 2, 0.2, 91.0),
        ("SU2", "dtkd", True, True, 0.5, 2, 0.2, 92.0),
        ("SU4", "dtkd", True, True, 0.3, 2, 0.4, 93.0),
        ("SU6", "dtkd", True, True, 0.3, 4, 0.2, 94.0),
        ("SU12", "dtkd", False, False, 0.3, 2, 0.4, 95.0),
        ("SU13", "bskd", True, True, None, 2, 0.4, 80.0),
    ]
    table = pd.DataFrame(rows, columns=["model", "method", "LT", "FT", "S_alpha", "KD_T", "KD_alpha", "top1"])
    table.assign(dataset="d", **{"variant": None} | columns).to_csv(tmp_path / "table5.csv", index=False)
    return pd.read_csv(tmp_path / "table5.csv")


def test_sensitivity_joins_students_that_differ_in_one_thing(tmp_path):
    axes = distillation.sensitivity(table5(tmp_path)).axes
    lines = [[line.get_xydata().tolist() for line in axis.lines[1:]] for axis in axes]
    assert lines == [
        [[[0.3, 91], [0.5, 92]]],
        [[[2, 91], [4, 94]]],
        [[[0.2, 91], [0.4, 93]]],
        [[[0, 93], [3, 95]]],  # T T and F F
    ]
    assert all(axis.lines[0].get_ydata()[0] == 90 for axis in axes)
    assert legend(axes[0]) == [r"$KD_T$ 2, $KD_\alpha$ 0.2", "baseline U1"]
    assert axes[3].lines[1].get_linestyle() == "None"


def test_sensitivity_joins_no_students_of_different_readings(tmp_path):
    """Of the readings of a study it shows the one that most students have."""
    table = table5(tmp_path)
    masked = table.assign(variant=table["method"].map({"dtkd": "masked teachers"}), top1=table["top1"] - 10)

    def line(*tables):
        axis = distillation.sensitivity(pd.concat(tables)).axes[0]
        assert legend(axis) == [r"$KD_T$ 2, $KD_\alpha$ 0.2", "baseline U1"]
        return [line.get_xydata().tolist() for line in axis.lines[1:]]

    assert line(table, masked) == [[[0.3, 91], [0.5, 92]]]
    assert line(table[table["model"] != "SU4"], masked) == [[[0.3, 81], [0.5, 82]]]


def test_sensitivity_has_error_bars_and_says_what_is_not_varied(tmp_path):
    table = table5(tmp_path, top1_std=0.5)
    figure = distillation.sensitivity(table[table["model"].isin(["U1", "SU1", "SU2"])])
    (bars,) = figure.axes[0].collections
    assert [segment[:, 1].tolist() for segment in bars.get_segments()] == [[90.5, 91.5], [91.5, 92.5]]
    assert [words(axis).count("not varied") for axis in figure.axes] == [0, 1, 1, 1]


# -- the answer ------------------------------------------------------------------------------------------------------


def table_of_gains(dataset="d", baseline="U1", count=3, **columns):
    """Table 5 of a baseline and its students."""
    rows = [(dataset, baseline, "baseline", 50.0, *[np.nan] * 4)]
    rows += [(dataset, f"S{n}", "dtkd", 50.0 + n, float(n), n - 2.0, n + 3.0, 0.04 * n) for n in range(count)]
    names = ["dataset", "model", "method", "top1", "gain", "gain_low", "gain_high", "p_holm"]
    return pd.DataFrame(rows, columns=names).assign(**columns)


def test_gains_have_a_row_for_each_student_in_the_tables_order():
    figure = accuracy.gains(table_of_gains(), {"d": {"U1": [BASELINE]}})
    (axis,) = figure.axes
    assert [label.get_text() for label in axis.get_yticklabels()] == ["S0", "S1", "S2"]
    assert axis.yaxis_inverted()
    spans = [segment for lines in axis.collections for segment in lines.get_segments()]
    assert [segment.tolist() for segment in spans] == [[[n - 2, n], [n + 3, n]] for n in range(3)]
    points = [line for line in axis.lines if line.get_marker() == "o"]
    assert [point.get_xydata()[0].tolist() for point in points] == [[n, n] for n in range(3)]
    told = [to_hex(point.get_markerfacecolor()) != "#ffffff" for point in points]
    assert told == [True, True, False]  # p (Holm) 0, 0.04 and 0.08
    assert [0, 0] in [list(line.get_xdata()) for line in axis.lines]
    assert legend(axis) == ["U1: 50.00 % of 8 test videos, chance 25 %", "p (Holm) < 0.05", "may be chance"]
    assert {"+0.00", "+1.00", "+2.00"} <= set(words(axis))
    assert axis.get_xlabel() == "gain in top-1 (points)"


def test_gains_over_several_baselines_and_seeds():
    table = pd.concat([table_of_gains(seeds=3), table_of_gains(baseline="U2", count=1, seeds=3)])
    (axis,) = accuracy.gains(table, {"d": {"U1": [BASELINE], "U2": [STUDENT]}}).axes
    labels = [label.get_text() for label in axis.get_yticklabels()]
    assert labels == ["over U1:", "S0", "S1", "S2", "over U2:", "S0"]
    assert legend(axis)[:2] == [f"{name}: 50.00 % of 8 test videos, chance 25 %" for name in ("U1", "U2")]
    assert axis.get_xlabel() == "gain in top-1 (points, mean of 3 seeds)"
    assert len(axis.collections) == 4


def table_of_teachers(dataset="d", number=1, kinds=(True, False), groups=SUBSETS):
    """`teachers.csv` of a data set's list; teachers with LT gain 10 points, the others nothing."""
    groups = [(subset, 12 + 18 * n, locked) for n, subset in reversed(list(enumerate(groups))) for locked in kinds]
    table = pd.DataFrame(groups, columns=["subset", "videos", "LT"]).assign(dataset=dataset, list=number)
    gain = 10.0 * table["LT"]
    return table.assign(baseline_top1=50.0, teacher_top1=50 + gain, gain=gain, gain_low=gain - 5, gain_high=gain + 5)


def test_teachers_stand_beside_the_baseline_of_their_own_videos():
    (axis,) = accuracy.teachers(table_of_teachers()).axes
    heights = [bar.get_height() for bars in axis.containers for bar in bars]
    assert heights == [50, 60, 50] * 2
    places = [bar.get_x() for bars in axis.containers for bar in bars]
    assert places == sorted(places)
    assert [label.get_text() for label in axis.get_xticklabels()] == [
        "static classes\n12 test videos", "dynamic classes\n30 test videos"
    ]  # fmt: skip
    assert legend(axis) == ["baseline", "teacher (LT)", "teacher (no LT)"]
    whiskers = [segment[:, 1].tolist() for lines in axis.collections for segment in lines.get_segments()]
    assert whiskers == [[55, 65], [45, 55]] * 2
    assert words(axis).count("+10.00") == words(axis).count("+0.00") == 2


def test_each_list_has_a_panel_of_teachers():
    table = pd.concat([table_of_teachers(), table_of_teachers(number=2, kinds=[True]), table_of_teachers("other")])
    figure = accuracy.teachers(table)
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["(a) d, list 1", "(b) other", "(a) d, list 2"]
    assert legend(figure.axes[2]) == ["baseline", "teacher (LT)"]


# -- all -------------------------------------------------------------------------------------------------------------


def study(datasets, classes, seeds, epochs=4, names=None, models=("U1", "SU12", "U2"), groups=SUBSETS):
    """Every figure of a made-up study; ``names`` of its classes, ``models`` of its baseline, its student, another."""
    random, splits, pairs, curves, weights, kl, tables, gained = np.random.default_rng(0), {}, {}, {}, {}, {}, [], []
    labels = np.repeat(np.arange(classes), 3)
    for dataset in datasets:
        splits[dataset] = many(classes) if groups == SUBSETS else grouped(many(classes), groups)
        if names:
            splits[dataset]["classes"] = dict(zip(names, splits[dataset]["classes"].values(), strict=True))
        pairs[dataset] = {
            name: [predictions(np.where(random.random(len(labels)) < 0.7, labels, random.permutation(labels)), labels,
                               classes) for _ in range(seeds)]
            for name in models[:2]
        }  # fmt: skip
        curves[dataset] = {f"{name} (list {n})": [history(epochs, 9 * n + seed, groups) for seed in range(seeds)]
                           for n, name in enumerate(models)}  # fmt: skip
        weights[dataset] = dict(zip((models[1], "SU1", "SU2"), curves[dataset].values(), strict=True))
        kl[dataset] = {subset: random.gamma(2, 4, (seeds, len(labels))) for subset in groups}
        rows = [(dataset, f"SU{n}", "dtkd", n % 2 == 0, True, 0.3, t, a, 80 + n, 0.4) for n, (t, a) in enumerate(
            [(2, 0.2), (2, 0.2), (4, 0.2), (8, 0.2), (2, 0.4), (4, 0.4)])]  # fmt: skip
        tables += [(dataset, models[0], "baseline", None, None, None, None, None, 79.0, 0.5), *rows]
        own = table_of_gains(dataset, models[0], 13).replace({"model": {"S1": models[1]}})
        gained += [own.assign(seeds=seeds)]
    columns = ["dataset", "model", "method", "LT", "FT", "S_alpha", "KD_T", "KD_alpha", "top1", "top1_std"]
    return {
        "gains": accuracy.gains(
            pd.concat(gained), {dataset: dict(list(models.items())[:1]) for dataset, models in pairs.items()}
        ),
        "teachers": accuracy.teachers(pd.concat(table_of_teachers(dataset, groups=groups) for dataset in datasets)),
        "figure1": motion.figure1(splits),
        "figure2": motion.figure2(splits),
        "split_stability": stability.split_stability(splits, {name: kept(own) for name, own in splits.items()}),
        "figure5": training.figure5(curves),
        "figure6": training.figure6(curves),
        "figure7": accuracy.figure7(
            pairs, splits, dict.fromkeys(datasets[1:], published.gains("ucf101", "U1", "SU12"))
        ),
        "figure8": distillation.figure8(kl),
        "class_gain": accuracy.class_gain(pairs, splits),
        "confusion": accuracy.confusion(pairs, splits),
        "teacher_weights": distillation.teacher_weights(weights, dict.fromkeys(datasets, models[1])),
        "sensitivity": distillation.sensitivity(pd.DataFrame(tables, columns=columns).assign(variant=None)),
    }


@pytest.mark.parametrize(
    ("datasets", "classes", "seeds"), [(["my_videos"], 6, 1), (["ucf101", "hmdb51", "third"], 40, 3)]
)
def test_no_text_of_any_figure_touches_another(datasets, classes, seeds, monkeypatch):
    for name, figure in study(datasets, classes, seeds).items():
        check_readable(figure, monkeypatch)
        assert figure.get_size_inches()[0] in (3.5, 7)
        titles = [axis.get_title(loc="left") for axis in figure.axes]
        assert all(any(dataset in title for title in titles) for dataset in datasets), name


THREE = ("slow", "medium", "fast")


@pytest.mark.parametrize(("datasets", "classes", "seeds", "groups"), [
    (["my_videos"], 12, 1, THREE),
    (["one", "two"], 40, 2, THREE),
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


@pytest.mark.parametrize("boundary", ["inclusive", "strict"])
def test_every_class_of_three_groups_is_on_its_side_of_both_thresholds(boundary):
    given = grouped(many(41), THREE)  # classes are on the thresholds themselves
    given["criterion"]["boundary"] = boundary
    for entry in given["classes"].values():
        above = [entry["mean"] > limit or (boundary == "strict" and entry["mean"] == limit)
                 for limit in given["threshold"]]  # fmt: skip
        entry["subset"] = THREE[sum(above)]
    axis = motion.figure1({"d": given}).axes[0]
    limits = [0, *given["threshold"], np.inf]
    assert [line.get_xdata()[0] for line in axis.lines] == limits[1:3]
    for bars, low, high, group in zip(axis.containers, limits, limits[1:], THREE, strict=False):
        filled = [bar for bar in bars if bar.get_height()]
        assert sum(bar.get_height() for bar in filled) == sum(e["subset"] == group for e in given["classes"].values())
        assert min(bar.get_x() for bar in filled) >= low - 1e-9
        assert max(bar.get_x() + bar.get_width() for bar in filled) <= high + 1e-9


def test_datasets_of_one_study_may_have_different_groups(monkeypatch):
    splits = {"two": many(12), "three": grouped(many(12), THREE)}
    labels = np.repeat(np.arange(12), 2)
    pair = {name: [predictions(labels, labels, 12)] for name in ("U1", "SU12")}
    pairs = dict.fromkeys(splits, pair)
    groups = {"two": SUBSETS, "three": THREE}
    kl = {name: dict.fromkeys(own, np.arange(9.0)) for name, own in groups.items()}
    weights = {name: {"SU12": [history(groups=own)]} for name, own in groups.items()}
    figures = [
        motion.figure1(splits), motion.figure2(splits), accuracy.figure7(pairs, splits),
        accuracy.class_gain(pairs, splits), distillation.figure8(kl),
        distillation.teacher_weights(weights, dict.fromkeys(splits, "SU12")),
        accuracy.teachers(pd.concat(table_of_teachers(name, groups=own) for name, own in groups.items())),
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


def test_names_are_drawn_letter_by_letter_and_only_the_projects_formulas_are_formulas(tmp_path, monkeypatch):
    dataset, models = "$d_1$ & <x>", ("$U_1$", "S^{2}$\\frac$", "_x_")
    for name, figure in study([dataset], len(MARKUP), 1, names=MARKUP, models=models).items():
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
            base.save(figure, {kind: tmp_path / f"{name}.{kind}" for kind in ("png", "pdf")})
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
        figure = motion.figure2({"d": split([0.1, 0.2, 0.5, 0.9], 0.2, names=["图书馆", "$图$", "c", "d"])})
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
    check_readable(accuracy.class_gain(PAIR, given), monkeypatch)
    name = "the baseline that is trained on list 1 with its backbone frozen"
    figure = accuracy.gains(table_of_gains(baseline=name, count=6), {"d": {name: [BASELINE]}})
    check_readable(figure, monkeypatch)
    assert name in " ".join(legend(figure.axes[0])[0].split())


@pytest.mark.parametrize(("gain", "text"), [(-0.004, "+0.00"), (0.0, "+0.00"), (-0.006, "−0.01"), (-10.0, "−10.00")])
def test_no_gain_is_no_minus_zero(gain, text):
    (axis,) = accuracy.gains(table_of_gains(count=1).assign(gain=gain), {"d": {"U1": [BASELINE]}}).axes
    assert text in words(axis)


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
        "figure2": lambda: motion.figure2(SPLITS),
        "figure7": lambda: accuracy.figure7(PAIR, FOUR, {"data": published.gains("ucf101", "U1", "SU12")}),
        "figure8": lambda: distillation.figure8({"d": dict.fromkeys(SUBSETS, np.arange(5.0))}),
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
        "import sys; from dtkd.analysis.figures import accuracy, distillation, motion, training;"
        "sys.exit(bool({'torch', 'cv2', 'matplotlib.pyplot'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
