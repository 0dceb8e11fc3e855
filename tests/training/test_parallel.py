"""Micro-batches, and two processes (gloo, on the CPU), learn what one process does from whole batches."""

from dataclasses import dataclass

import pytest
import torch
from torch import distributed, multiprocessing, nn

from dtkd.common.errors import DtkdError
from dtkd.config import Augment, Clip, Train
from dtkd.data.datasets import Videos
from dtkd.distillation import methods
from dtkd.training import loop
from dtkd.training.classifier import Classifier
from dtkd.training.hardware import Hardware
from dtkd.training.normalise import Normalise
from dtkd.training.objectives import CrossEntropy, Distillation
from dtkd.training.optimisation import Optimiser
from dtkd.training.parallel import ALONE, DistributedBatchSampler, Group, micro_batches
from dtkd.training.targets import Targets

CPU = torch.device("cpu")
GROUPS = torch.tensor([0, 1, 0, 1])
LABELS = (0, 1, 3, 2, 0, 1, 1)
ITEMS = [(0, v) for v in (3, 1, 0, 6, 5, 2, 4)]
BATCHES = (7, 2, 1, 7)  # the third has no sample for the second process
HYPER = {"KD_T": 2, "KD_alpha": 0.6}
SAID = 2 * torch.randn(2, 1, 7, 4, generator=torch.Generator().manual_seed(5))


class Tiny(nn.Module):
    """A small network whose batch norm stays in eval mode, with random statistics."""

    alpha = 4

    def __init__(self, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.conv, self.norm, self.head = nn.Conv3d(3, 8, 3), nn.BatchNorm3d(8), nn.Linear(8, 4)
        nn.init.normal_(self.norm.running_mean)
        nn.init.uniform_(self.norm.running_var, 0.5, 2)

    def train(self, mode=True):
        super().train(mode)
        self.norm.eval()
        return self

    def forward(self, clips):
        return self.head(self.norm(self.conv(clips)).relu().mean((2, 3, 4))) * 2


def student(name, **settings):
    return Distillation(methods.build(name, **HYPER, **settings), Targets(("static", "dynamic"), SAID), GROUPS)


OBJECTIVES = {
    "cross-entropy": CrossEntropy,
    "masked": CrossEntropy,
    "kd": lambda: Distillation(methods.build("kd", **HYPER), Targets(("teacher",), SAID[:1])),
    "bskd": lambda: student("bskd"),
    "aekd": lambda: student("aekd"),
    **{weighting: lambda weighting=weighting: student("dtkd", S_alpha=0.3, weighting=weighting)
       for weighting in ("gated", "blend", "partition")},
}  # fmt: skip


def clips(seed=0):
    return torch.randn(len(LABELS), 3, 4, 5, 5, generator=torch.Generator().manual_seed(seed))


def training(kind, most=None, group=ALONE, optimiser="sgd"):
    labels = tuple(label % 2 * 2 for label in LABELS) if kind == "masked" else LABELS
    classifier = Classifier(Tiny(0), GROUPS == 0 if kind == "masked" else None).train()
    settings = Train(epochs=1, batch_size=7, lr=0.05, momentum=0.9, weight_decay=0.1, micro_batch=most)
    videos = Videos(tuple(map(str, range(7))), (), labels)
    return loop.Training(
        classifier, group.wrap(classifier, CPU), nn.Identity(), OBJECTIVES[kind](), videos, None, None, settings,
        Optimiser(classifier, settings, CPU), CPU, group, 0, "run",
    )  # fmt: skip


def trained(kind, most=None, group=ALONE):
    """Steps on `BATCHES`: what each of them says, and the weights in the end."""
    run, said = training(kind, most, group), []
    for number, N in enumerate(BATCHES):
        batch = [number_ % N for number_ in group.share(N)]
        said.append(loop.train_step(run, clips(number)[:N][batch], ITEMS[:N]))
    return said, {name: value.clone() for name, value in run.classifier.state_dict().items()}


def with_batch_norms(group=ALONE):
    """The same, by a network whose batch norms are in train mode: each process's own, and the first one's are kept."""
    run = training("cross-entropy", group=group)
    nn.Module.train(run.classifier.model)
    said = [loop.train_step(run, clips(number)[:N][group.share(N)], ITEMS[:N]) for number, N in enumerate((4, 6))]
    run.network.eval()
    return said, {name: value.clone() for name, value in run.classifier.state_dict().items()}


def work(rank, folder):
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    group = Group(rank, 2)
    found = {(kind, most): trained(kind, most, group) for kind in OBJECTIVES for most in (None, 2)}
    found["batch norms"] = with_batch_norms(group)
    found["from first"] = group.from_first({"history": [rank], "weights": torch.full((2,), float(rank))})
    torch.save(found, f"{folder}/{rank}.pt")
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    multiprocessing.spawn(work, (folder,), nprocs=2)
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


def assert_same(one, other):
    for (means, right), (wanted, wanted_right) in zip(one[0], other[0], strict=True):
        assert means == pytest.approx(wanted, rel=1e-5, abs=1e-6)
        assert right == wanted_right
    for name, value in other[1].items():
        torch.testing.assert_close(one[1][name], value, rtol=1e-5, atol=1e-6, msg=name)


@pytest.mark.parametrize("kind", OBJECTIVES)
@pytest.mark.parametrize("most", [1, 3])
def test_micro_batches_learn_what_the_batch_does(kind, most):
    whole = trained(kind)
    assert_same(trained(kind, most), whole)
    assert not torch.equal(whole[1]["model.conv.weight"], Tiny(0).conv.weight)


@pytest.mark.parametrize("kind", OBJECTIVES)
@pytest.mark.parametrize("most", [None, 2])
def test_two_processes_learn_what_one_does(found, kind, most):
    """Eq. 7 is that of the whole batch; a process without a sample of it takes part."""
    expected = trained(kind)
    for each in found:
        assert_same(each[kind, most], expected)
    one, two = (each[kind, most] for each in found)
    assert one[0] == two[0]
    assert all(torch.equal(value, two[1][name]) for name, value in one[1].items())


def test_batch_norms_of_two_processes_are_their_own(found):
    """What is learned is one network all the same, and not what one process would learn."""
    one, two = (each["batch norms"] for each in found)
    assert one[0] == two[0]
    assert all(torch.equal(value, two[1][name]) for name, value in one[1].items() if "running" not in name)
    assert not torch.equal(one[1]["model.norm.running_mean"], two[1]["model.norm.running_mean"])
    alone = with_batch_norms()[1]["model.conv.weight"]
    assert 1e-6 < (one[1]["model.conv.weight"] - alone).abs().max() < 0.1


def test_what_the_first_process_has_all_have(found):
    for each in found:
        assert each["from first"]["history"] == [0]
        assert torch.equal(each["from first"]["weights"], torch.zeros(2))


def test_no_more_clips_pass_at_a_time():
    run, seen = training("gated", 3), []
    run.classifier.model.register_forward_pre_hook(lambda _, args: seen.append(len(args[0])))
    loop.train_step(run, clips(), ITEMS)
    assert seen == [3, 2, 2]  # as even as they can be


def test_gradients_are_scaled_against_underflow_and_the_step_takes_that_back():
    plain, scaled = training("blend"), training("blend", 3)
    scaled.optimiser.scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    backward, seen = scaled.optimiser.scaler.scale, []
    scaled.optimiser.scaler.scale = lambda loss: seen.append((loss, backward(loss))) or seen[-1][1]
    for run in (plain, scaled):
        loop.train_step(run, clips(), ITEMS)
    assert all(big == 1024 * loss for loss, big in seen)
    for p, q in zip(scaled.classifier.parameters(), plain.classifier.parameters(), strict=True):
        torch.testing.assert_close(p, q, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("most", "rank", "size", "parts"), [
    (None, 0, 1, [[0, 1, 2, 3, 4, 5, 6]]), (3, 0, 1, [[0, 1, 2], [3, 4], [5, 6]]), (4, 0, 2, [[0, 2, 4, 6]]),
    (4, 1, 2, [[1, 3, 5, 7]]), (2, 1, 2, [[1, 3], [5, 7]]), (1, 3, 4, [[3], [7]]),
])  # fmt: skip
def test_which_rows_pass_together(most, rank, size, parts):
    """As many parts of as many rows in every process, so that they can wait for one another; 7 is none of the batch."""
    assert micro_batches(Group(rank, size).share(7), most) == parts
    assert micro_batches([], most) == []


def test_a_share_of_every_batch():
    batches = [[(0, v) for v in range(5)], [(1, 0), (1, 1)]]
    shares = [list(DistributedBatchSampler(batches, Group(rank, 3))) for rank in range(3)]
    assert shares[0] == [[(0, 0), (0, 3)], [(1, 0)]]
    assert shares[1] == [[(0, 1), (0, 4)], [(1, 1)]]
    assert shares[2] == [[(0, 2), (0, 0)], [(1, 0)]]  # it has but one of the first batch and none of the second
    assert list(DistributedBatchSampler(batches, ALONE)) == batches


@dataclass(frozen=True)
class Two(Group):
    """Two processes by word alone: nothing is started."""

    size: int = 2

    def from_first(self, value):
        return value


def test_synced_batch_norms_are_for_gpus(toy, tmp_path):
    settings = Train(epochs=1, batch_size=4, lr=0.1, batch_norm="synced")
    with pytest.raises(DtkdError, match=r"train\.batch_norm: synced is for GPUs, and this training is on a CPU"):
        loop.train(
            Classifier(Tiny(0)), CrossEntropy(), Normalise([0.5] * 3, [0.2] * 3), toy[0], toy[1],
            clip=Clip(frames=8, rate=1), augment=Augment(short_side=(32, 36), crop=32, test_short_side=32),
            settings=settings, seed=0, hardware=Hardware(CPU, 1), resume=tmp_path / "resume.pt", fingerprint={},
            group=Two(),
        )  # fmt: skip
