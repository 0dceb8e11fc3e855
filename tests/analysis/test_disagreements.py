"""Videos that exactly one of two models gets right: both predictions, the surest first, and pictures."""

import base64

import cv2
import numpy as np
import pandas as pd
import pytest
from conftest import draw

from dtkd.analysis import disagreements
from dtkd.common.errors import DtkdError
from dtkd.config import Augment
from dtkd.training.metrics import Predictions

CLASSES = ["clap", "eat", "run"]
NAN = float("nan")


def predictions(logits, labels=(0, 1, 2, 0)):
    logits = np.array(logits, np.float32)
    return Predictions([f"{n}.avi" for n in range(len(labels))], np.array(labels), logits, logits)


def test_only_videos_that_one_of_them_gets_right_and_the_students_wins_first():
    student = predictions([[3, 0, 0], [0, 1, 0], [5, 0, 0], [0, 2, 0]])  # right, right, wrong, wrong
    baseline = predictions([[0, 1, 0], [0, 9, 0], [0, 0, 4], [0, 0, 9]])  # wrong, right, right, wrong
    table = disagreements.disagreements(student, baseline, CLASSES)
    assert table["right"].tolist() == ["student", "baseline"]
    assert table["video"].tolist() == ["0.avi", "2.avi"]
    assert table["class"].tolist() == ["clap", "run"]
    assert table["student_answer"].tolist() == ["clap", "clap"]
    assert table["baseline_answer"].tolist() == ["eat", "run"]
    np.testing.assert_allclose(table["student_confidence"], np.exp([3, 5]) / (np.exp([3, 5]) + 2), rtol=1e-6)


def test_the_surest_come_first():
    student = predictions([[1, 0, 0], [0, 9, 0], [0, 0, 3]], [0, 1, 2])
    baseline = predictions([[0, 1, 0], [9, 0, 0], [3, 0, 0]], [0, 1, 2])
    table = disagreements.disagreements(student, baseline, CLASSES)
    assert table["video"].tolist() == ["1.avi", "2.avi", "0.avi"]


def test_a_tie_and_a_diverged_model_are_no_answer_of_the_label():
    student = predictions([[2, 2, 0], [NAN, NAN, NAN]], [0, 1])
    baseline = predictions([[3, 0, 0], [0, 3, 0]], [0, 1])
    table = disagreements.disagreements(student, baseline, CLASSES).set_index("video")
    assert table["right"].tolist() == ["baseline"] * 2
    assert table.loc["0.avi", "student_answer"] == "eat"  # not clap, with which it ties
    assert table.loc["1.avi", "student_answer"] == ""
    assert np.isnan(table.loc["1.avi", "student_confidence"])


def test_models_that_agree_leave_an_empty_table():
    table = disagreements.disagreements(predictions([[1, 0, 0]], [0]), predictions([[2, 0, 0]], [0]), CLASSES)
    assert table.empty
    assert {"right", "video", "class", "student_answer", "baseline_confidence"} <= set(table.columns)


def test_predictions_of_other_videos_are_refused():
    with pytest.raises(DtkdError, match="predictions of different test videos"):
        disagreements.disagreements(predictions([[1, 0, 0]], [0]), predictions([[1, 0, 0]], [1]), CLASSES)


def test_pictures_are_small_and_of_the_surest_on_either_side(tmp_path):
    names = [f"{n}.avi" for n in range(4)]
    for name in names:
        draw(tmp_path / name, frames=5, width=300, height=200)
    table = pd.DataFrame({"dataset": "d", "right": ["student"] * 3 + ["baseline"], "video": names})
    assert disagreements.pictured(table, most=2)["video"].tolist() == ["0.avi", "1.avi", "3.avi"]
    augment = Augment(short_side=(32, 32), crop=32, test_short_side=32)
    found = disagreements.pictures(table, {"d": str(tmp_path), "e": "nowhere"}, augment)
    assert list(found["d"]) == names
    assert found["e"] == {}
    image = cv2.imdecode(np.frombuffer(base64.b64decode(found["d"]["0.avi"]), np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (120, 180, 3)
    assert len(found["d"]["0.avi"]) < 20_000
    assert image[:, :28].mean() < image[:, 60:120].mean() / 2  # beside the crop that networks meet it is dark
