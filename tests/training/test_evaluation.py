"""Testing: views, averages, loaders; and that a run's history and its evaluation agree."""

import numpy as np
import pytest
import torch
from test_loop import AUGMENT, CLIP, CPU, Loaders, classifier, differ, first, network, normalise, train

from dtkd.config import Augment, Evaluation, Train
from dtkd.models import backbones, weights
from dtkd.training import evaluation, loop, networks, targets
from dtkd.training.classifier import Classifier
from dtkd.training.metrics import top_k
from dtkd.training.normalise import Normalise
from dtkd.training.objectives import CrossEntropy
from dtkd.training.sampling import TestClips
from dtkd.training.views import views_to_test


def test_normalise():
    clip = torch.full((1, 3, 2, 2, 2), 51, dtype=torch.uint8)
    out = Normalise([0.2, 0.1, 0.0], [0.1, 0.2, 0.4])(clip)
    assert out.dtype == torch.float32
    torch.testing.assert_close(out[0, :, 0, 0, 0], torch.tensor([0.0, 0.5, 0.5]))
    out = Normalise([0.2, 0.1, 0.0], [0.1, 0.0, 0.0])(clip * 0)
    torch.testing.assert_close(out[0, :, 0, 0, 0], torch.tensor([-2.0, -0.1, 0.0]))  # no division by 0


def test_letterboxed_clips_have_margins_of_the_mean_colour_wherever_they_are_asked_for(toy, tmp_path):
    """Networks meet zeros there, as those of their own padding: in training, its tests, teaching and evaluation."""
    letterbox, seen = Augment(short_side=(32, 32), crop=32, test_short_side=32, fit="letterbox"), []
    change = Normalise([0.2, 0.4, 0.6], [0.2] * 3)
    assert change.colour == (51, 102, 153)
    change.register_forward_hook(lambda _, args, clips: seen.append(clips))
    learner, settings = classifier(), Train(epochs=1, batch_size=4, lr=0.1)
    given = {"clip": CLIP, "augment": letterbox, "settings": settings, "hardware": CPU}
    checkpoint, _, _ = loop.train(learner, CrossEntropy(), change, first(toy[0], 4), first(toy[1], 4), seed=0,
                                  fingerprint={}, resume=tmp_path / "resume.pt", **given)  # fmt: skip
    targets.frozen({"teacher": learner.model}, change, first(toy[0], 4), seed=0, **given)
    videos = first(toy[1], 4)
    evaluation.evaluate(learner, checkpoint, change, videos, centres(videos, letterbox, change), settings=settings,
                        hardware=CPU)  # fmt: skip
    assert len(seen) == 5
    for clips in seen:  # 40 rows and 48 columns of a frame become 27 and 32
        margins = torch.cat([clips[..., :2, :], clips[..., -3:, :]], dim=-2)
        assert margins.abs().max() < 1e-5
        assert clips[..., 2:-3, :].abs().amax((1, 2, 4)).min() > 0.1  # every row between them


def centres(videos, augment=AUGMENT, change=None):
    return views_to_test(videos, CLIP, augment, Evaluation(), change or normalise())


def scored(seed=0):
    """A network whose logits differ by a lot, so that the two averages do too."""
    model = network(seed).train()
    with torch.no_grad():
        for _ in range(3):  # sensible batch-norm statistics
            model(torch.randn(4, 3, 8, 32, 32))
        backbones.projection(model).weight *= 200
    return Classifier(model).eval()


def evaluation_settings(**changes):
    return Train(**({"epochs": 1, "batch_size": 5, "lr": 0.1} | changes))


@pytest.mark.parametrize("average", ["logits", "softmax"])
def test_views_are_averaged_as_asked(toy, average):
    learner, videos = scored(), first(toy[1], 3)
    tests = TestClips(videos, CLIP, AUGMENT, 2, 3)
    with torch.no_grad():  # what all views have in common would hide how they differ
        mean = torch.cat([learner(normalise()(tests[v][0])) for v in range(3)]).mean(0)
        backbones.projection(learner.model).bias -= mean
    states = dict.fromkeys(("model", "last"), learner.model.state_dict())
    table = evaluation.evaluate(learner, states, normalise(), videos, tests, average=average,
                                settings=evaluation_settings(), hardware=CPU)  # fmt: skip
    found = np.stack(table["logits"])
    each = {}  # by average: one row a video
    with torch.no_grad():
        for v in range(3):
            logits = learner(normalise()(tests[v][0]))
            assert logits.shape == (6, 4)
            each.setdefault("logits", []).append(logits.mean(0))
            each.setdefault("softmax", []).append(logits.softmax(1).mean(0))
    each = {name: torch.stack(values) for name, values in each.items()}
    torch.testing.assert_close(
        torch.from_numpy(found) if average == "logits" else torch.from_numpy(found).exp(), each[average],
        rtol=1e-4, atol=1e-4,
    )  # fmt: skip
    assert not torch.allclose(each["logits"].softmax(1), each["softmax"], atol=1e-3)


def test_averaged_probabilities_keep_the_order_of_the_smallest(toy):
    """The softmax of 0 beside 200 is 0 in float32; as a fifth guess it still comes before -50."""
    row = torch.tensor([200.0, 190.0, 40.0, 30.0, 0.0, -50.0, -torch.inf])

    class Certain(torch.nn.Module):
        def forward(self, clips):
            return row.expand(len(clips), -1)

    tests = TestClips(first(toy[1], 2), CLIP, AUGMENT, 2, 3)
    logits, _ = evaluation.predict(Certain(), normalise(), tests, evaluation_settings(), CPU, "softmax")
    np.testing.assert_allclose(logits, row.log_softmax(0).expand(2, -1), rtol=1e-5, atol=1e-5)
    assert top_k(logits, np.array([4, 5]), 5) == 50


def test_one_view_comes_back_as_its_logits(toy):
    learner, videos = scored(), first(toy[1], 2)
    tests = TestClips(videos, CLIP, AUGMENT)
    with torch.no_grad():
        expected = learner(normalise()(torch.cat([tests[0][0], tests[1][0]])))
    for average in ("logits", "softmax"):
        found, labels = evaluation.predict(learner, normalise(), tests, evaluation_settings(), CPU, average)
        torch.testing.assert_close(torch.from_numpy(found), expected)
        assert labels.tolist() == list(videos.labels)


def test_neither_batch_size_nor_loaders_change_predictions(toy):
    learner = scored()
    tests = TestClips(toy[1], CLIP, AUGMENT, 2, 1)
    machines = (CPU, Loaders(torch.device("cpu"), 1, 2))
    found = [evaluation.predict(learner, normalise(), tests, evaluation_settings(batch_size=size), machine)
             for size, machine in ((1, CPU), (3, CPU), (100, CPU), (3, machines[1]))]  # fmt: skip
    for logits, labels in found[1:]:
        np.testing.assert_allclose(logits, found[0][0], rtol=1e-3, atol=1e-3)
        np.testing.assert_array_equal(labels, toy[1].labels)
    np.testing.assert_array_equal(found[3][0], found[1][0])


def test_no_more_clips_than_a_batch_are_held_at_once(toy, monkeypatch):
    """Thirty views of each of eight long videos would not fit in memory: the loader's batches count views."""
    sizes, rows = [], []
    loader = evaluation.loader
    monkeypatch.setattr(evaluation, "loader", lambda *args, **kw: sizes.append(kw["batch_size"]) or loader(*args, **kw))
    learner = scored()
    learner.model.register_forward_pre_hook(lambda _, args: rows.append(len(args[0])))
    tests = TestClips(first(toy[1], 3), CLIP, AUGMENT, 2, 3)
    evaluation.predict(learner, normalise(), tests, evaluation_settings(batch_size=13), CPU)
    evaluation.predict(learner, normalise(), tests, evaluation_settings(batch_size=4), CPU)
    assert sizes == [2, 1]
    assert rows == [12, 6] + [4, 2] * 3


def test_predicting_leaves_a_learner_as_it_was_but_in_eval_mode(toy):
    learner = scored().train()
    before = {name: value.clone() for name, value in learner.state_dict().items()}
    evaluation.predict(learner, normalise(), TestClips(first(toy[1], 3), CLIP, AUGMENT), evaluation_settings(), CPU)
    assert not differ(learner.state_dict(), before)
    assert not learner.training


def test_the_history_and_the_evaluation_agree(toy, tmp_path, monkeypatch):
    """The best epoch's top-1 in the history is what its saved weights get from the evaluation rule's protocol."""
    seen = []
    predict = evaluation.predict
    with monkeypatch.context() as patch:
        patch.setattr(evaluation, "predict", lambda *args: seen.append(predict(*args)) or seen[-1])
        settings = {"backbone": "slowfast_small", "dropout": 0.5, "frozen": False, "seed": 1}
        checkpoint, history, _ = train(toy, tmp_path, Classifier(networks.new_model(settings, 4, None)), videos=12)
    predictions = checkpoint.pop("predictions")
    torch.save(checkpoint, tmp_path / "checkpoint.pt")
    parts = {part: weights.load_state_dict(tmp_path / "checkpoint.pt", part=part) for part in ("model", "last")}
    learner = Classifier(networks.new_model(settings, 4, None))
    found = evaluation.evaluate(
        learner, parts, normalise(), first(toy[1], 4), centres(first(toy[1], 4)),
        settings=evaluation_settings(batch_size=4), hardware=CPU,
    )  # fmt: skip
    assert checkpoint["epoch"] < 3, "the two parts differ"
    for column, epoch in (("logits", checkpoint["epoch"]), ("logits_last", 3)):
        logits = np.stack(found[column])
        np.testing.assert_array_equal(logits, seen[epoch - 1][0])
        np.testing.assert_array_equal(logits, np.stack(predictions[column]))
        assert top_k(logits, np.array(first(toy[1], 4).labels), 1) == history["top1"][epoch - 1]


def test_bf16_on_a_cpu_is_close_to_fp32(toy):
    learner, tests = scored(), TestClips(toy[1], CLIP, AUGMENT)
    exact, half = (evaluation.predict(learner, normalise(), tests, evaluation_settings(precision=p), CPU)[0]
                   for p in ("fp32", "bf16"))  # fmt: skip
    assert half.dtype == np.float32
    assert not np.array_equal(exact, half)
    assert np.abs(exact - half).max() < 0.03 * np.abs(exact).max()
