"""Teachers that were made elsewhere: what is taken, and what is refused."""

import pandas as pd
import pytest
import torch

from dtkd.common.errors import DtkdError
from dtkd.training import finished, networks

CLASSES = ["Archery", "Bowling", "Diving"]
PIXELS = {"mean": [0.4, 0.4, 0.4], "std": [0.2, 0.2, 0.2]}
SETTINGS = {"backbone": "slowfast_tiny", "dropout": 0.5, "frozen": False, "seed": 0, "clip": {"frames": 8, "rate": 1},
            "subset": "static", "teacher_outputs": "full"}  # fmt: skip


def made(folder, state=None, **changes):
    """A checkpoint as a run of this project leaves it."""
    about = {"classes": CLASSES, "own": None, "pixels": PIXELS, "settings": SETTINGS} | changes
    state = state or networks.new_model(SETTINGS, 3, None).state_dict()
    torch.save({"model": state, "last": state, "epoch": 2} | about, folder / "teacher.pt")
    return folder / "teacher.pt"


def test_it_is_taken_as_it_is(tmp_path):
    state = networks.new_model(SETTINGS | {"seed": 5}, 3, None).state_dict()
    found = finished.checkpoint(made(tmp_path, state), SETTINGS, CLASSES, PIXELS)
    assert all(torch.equal(found[part][name], value) for part in ("model", "last") for name, value in state.items())
    assert found["epoch"] == 0


def test_parameters_alone_are_enough(tmp_path):
    state = networks.new_model(SETTINGS, 3, None).state_dict()
    torch.save(state, tmp_path / "bare.pt")
    found = finished.checkpoint(tmp_path / "bare.pt", SETTINGS, CLASSES, PIXELS)
    assert all(torch.equal(found["model"][name], value) for name, value in state.items())


@pytest.mark.parametrize(("changes", "said"), [
    ({"classes": CLASSES[::-1]}, "its classes are not the study's, in the order of the labels"),
    ({"settings": SETTINGS | {"clip": {"frames": 16, "rate": 1}}}, "was trained with clip"),
    ({"settings": SETTINGS | {"subset": "dynamic"}},
     "is the dynamic teacher, and teachers.checkpoints has it for static"),
    ({"settings": SETTINGS | {"frozen": True}}, "was trained with LT: true, and the study's students ask for false"),
    ({"settings": {key: value for key, value in SETTINGS.items() if key != "teacher_outputs"}},
     "was trained with teachers.outputs: masked, and the study's students ask for full"),
    ({"pixels": {"mean": [0.5, 0.4, 0.4], "std": [0.2, 0.2, 0.2]}}, "its clips were normalised by the mean 0.500"),
])  # fmt: skip
def test_another_teacher_is_refused(tmp_path, changes, said):
    with pytest.raises(DtkdError, match=said):
        finished.checkpoint(made(tmp_path, **changes), SETTINGS, CLASSES, PIXELS)


def test_a_teacher_of_a_study_of_its_own_did_not_say_its_crop_with_the_clip(tmp_path):
    own = SETTINGS | {"clip": SETTINGS["clip"] | {"crop": 64}}
    assert finished.checkpoint(made(tmp_path), own, CLASSES, PIXELS)["epoch"] == 0


def test_what_is_not_there_or_does_not_fit(tmp_path):
    with pytest.raises(DtkdError, match=r"there is no such file; teachers\.checkpoints names it"):
        finished.checkpoint(tmp_path / "absent.pt", SETTINGS, CLASSES, PIXELS)
    torch.save(networks.new_model(SETTINGS, 4, None).state_dict(), tmp_path / "four.pt")
    with pytest.raises(DtkdError, match=r"four\.pt do not fit the model"):
        finished.checkpoint(tmp_path / "four.pt", SETTINGS, CLASSES, PIXELS)


def test_its_history_is_a_row_of_no_epoch():
    logits = [[2.0, 1.0, 0.0], [0.0, 1.0, 2.0], [0.0, 2.0, 1.0]]
    table = pd.DataFrame({"video": list("abc"), "label": [0, 0, 2], "logits": logits, "logits_last": logits})
    history = finished.history(table, [0])
    assert history["epoch"].tolist() == [0]
    assert history["top1"].tolist() == [50.0]
    assert history["train_seconds"].tolist() == [0.0]
