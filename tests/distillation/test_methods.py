"""Every method in the registry: its settings, its records and names, its loss, of parts and of the whole."""

import pytest
import torch

from dtkd.common.errors import DtkdError
from dtkd.config import student
from dtkd.distillation import methods
from dtkd.distillation.methods import METHODS

GROUPS = torch.tensor([0, 1, 0, 1, 1])
LABELS = torch.tensor([0, 1, 4, 2, 3, 0])


def settings(name):
    """What a row has to say: each number that has no default."""
    return {key: 0.5 for key, field in METHODS[name].model_fields.items() if field.is_required()}


TEACHERS = {
    "specialists": ("static", "dynamic"),
    "generalist": ("generalist",),
    "both": ("static", "dynamic", "generalist"),
}


def said(name):
    generator = torch.Generator().manual_seed(3)
    names = TEACHERS[METHODS[name].teachers]
    return {key: 2 * torch.randn(6, 5, generator=generator) for key in names}


def logits():
    return torch.randn(6, 5, generator=torch.Generator().manual_seed(1)).requires_grad_()


def pooled(name, dtype=torch.float32):
    """Features of the student and the teachers, of a method that compares them."""
    if not METHODS[name].needs_features:
        return {}
    own, theirs = torch.randn(2, 6, 5, generator=torch.Generator().manual_seed(1)).to(dtype)
    return {"student_features": own, "teacher_features": dict.fromkeys(said(name), theirs)}


@pytest.mark.parametrize("name", methods.names())
def test_its_loss_teaches_the_student_alone(name):
    z, teachers = logits(), {key: value.requires_grad_() for key, value in said(name).items()}
    loss = methods.build(name, **settings(name)).loss(z, teachers, labels=LABELS, groups=GROUPS, **pooled(name))
    assert all(value.shape == () and value.isfinite() for value in (loss.total, loss.kd, loss.ce))
    assert all(weights.shape == (6,) for weights in loss.weights.values())
    assert loss.weights.keys() <= teachers.keys()
    loss.total.backward()
    assert z.grad.abs().max() > 0
    assert all(value.grad is None for value in teachers.values())


@pytest.mark.parametrize("name", [name for name in methods.names() if not METHODS[name].whole_batch])
def test_parts_add_up_to_the_batch(name):
    """What micro-batches and processes do: the target is that of the whole batch, the loss that of some samples."""
    method, z = methods.build(name, **settings(name)), logits()
    target = method.target(said(name), LABELS, GROUPS)
    whole = method.loss_of(z, target, LABELS)
    assert torch.equal(whole.total, method.loss(z, said(name), labels=LABELS, groups=GROUPS).total)
    parts = [torch.tensor([0, 3]), torch.tensor([1, 2, 4, 5])]
    total = sum(method.loss_of(z[rows], target.rows(rows), LABELS[rows]).total * len(rows) / 6 for rows in parts)
    torch.testing.assert_close(total, whole.total)


@pytest.mark.parametrize("name", methods.names())
def test_every_setting_is_told_and_makes_another_folder(name):
    kind = METHODS[name]
    usual = kind(**settings(name))
    assert kind.label
    assert kind.summary
    assert methods.build(name, **usual.settings()) == usual, "a script makes it again from its record"
    for key, field in kind.model_fields.items():
        assert field.description, key
        others = {float: 0.75, bool: True}
        other = {key: others[field.annotation] if field.annotation in others else field.annotation.__args__[-1]}
        changed = kind(**settings(name) | other)
        assert changed.settings() != usual.settings(), key
        assert (changed.numbers(), changed.words()) != (usual.numbers(), usual.words()), key


@pytest.mark.parametrize("name", methods.names())
def test_a_row_has_its_settings_and_no_others(name):
    row = student({"method": name, **settings(name)})
    assert row.distillation == methods.build(name, **settings(name))
    others = {key for other in methods.names() for key in METHODS[other].model_fields} - METHODS[
        name
    ].model_fields.keys()
    for key in others:
        with pytest.raises(ValueError, match=rf"^{key}: method {name} has no such setting; leave it out"):
            student({"method": name, **settings(name), key: 0.5})
        assert student({"method": name, **settings(name), key: None}) == row, "an overlay takes it away"


def test_an_unknown_method():
    with pytest.raises(
        DtkdError, match=r"method 'dttkd' is unknown; did you mean 'dtkd'.; choose one of dtkd, bskd, mixture, kd, dkd"
    ):
        methods.build("dttkd")
    with pytest.raises(ValueError, match=r"^method: method 'dttkd' is unknown; did you mean"):
        student({"method": "dttkd"})


def test_idle_settings_stand_in_no_record():
    """The score of `partition` reads no `outside`."""
    one, other = (methods.build("dtkd", **settings("dtkd"), weighting="partition", outside=outside)
                  for outside in ("confidence", "zero"))  # fmt: skip
    assert one.settings() == other.settings()
    assert "outside" not in methods.build("dtkd", **settings("dtkd")).settings(), "as before there was a choice"
    assert methods.build("dtkd", **settings("dtkd"), outside="zero").words() == {"outside": "zero"}
