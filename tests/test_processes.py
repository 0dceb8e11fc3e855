"""Two processes that train together (gloo, on the CPU) learn what one does, whatever their shares of a batch are."""

import pytest
import torch
from test_parts import ITEMS, LABELS, LEARNERS, STATIC, Tiny, clips, step
from torch import distributed, multiprocessing

from dtkd.learners import Classifier, Distilled
from dtkd.processes import Group, share_batch_norms
from dtkd.study import Student

ALONE = Group()
SOME = ("classifier", "subset", "gated known", "blend own", "partition FT", "gated joint")
KINDS = {name: LEARNERS[name] for name in SOME} | {
    "norm classifier": lambda: Classifier(Tiny(0, frozen=False)),
    "norm joint": lambda: Distilled(
        *(Tiny(seed, frozen=False) for seed in range(3)), STATIC,
        Student(S_alpha=0.3, KD_T=2, KD_alpha=0.6, FT=False, unfrozen="joint"),
    ),
}  # fmt: skip
DIVIDED = {"whole": 7, "divided": 2}  # at most so many clips at a time


def trained(kind, most, group):
    """Steps on batches of 7, 2 and 1 clips; the losses, logits and gradients of each, and the state in the end."""
    learner = KINDS[kind]().train()
    if group.size > 1:
        share_batch_norms(learner, torch.device("cpu"))
    optimiser = torch.optim.SGD([p for p in learner.parameters() if p.requires_grad], 0.05, 0.9)
    found = {}
    for number, N in enumerate((7, 2, 1, 7)):
        optimiser.zero_grad()
        labels = LABELS % 2 * 2 if kind == "subset" else LABELS
        share = clips(number)[:N][group.rank :: group.size]
        if not len(share):
            share = clips(number)[:1]  # what a loader gives where the share is empty
        result = step(learner, most, share, labels[:N], ITEMS[:N], group)
        found |= {f"loss {number}": result.loss.detach(), f"logits {number}": result.logits.detach()}
        found |= {f"{name} {number}": value.detach() for name, value in result.scalars.items()}
        found |= {f"{name} gradient {number}": p.grad.clone() for name, p in learner.named_parameters()
                  if p.requires_grad}  # fmt: skip
        optimiser.step()
    return found | learner.state_dict()


def work(rank, folder):
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    group = Group(rank, 2)
    found = {(kind, name): trained(kind, most, group) for kind in KINDS for name, most in DIVIDED.items()}
    found["from first"] = group.from_first({"history": [rank], "weights": torch.full((2,), float(rank))})
    torch.save(found, f"{folder}/{rank}.pt")
    distributed.destroy_process_group()


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    multiprocessing.spawn(work, (folder,), nprocs=2)
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


@pytest.mark.parametrize(("kind", "divided"), [(kind, divided) for kind in KINDS for divided in DIVIDED
                                               if not (kind.startswith("norm") and divided == "divided")])  # fmt: skip
def test_two_processes_learn_what_one_does(found, kind, divided):
    expected = trained(kind, DIVIDED[divided], ALONE)
    one, two = (each[kind, divided] for each in found)
    assert one.keys() == two.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(one[name], value, rtol=1e-5, atol=1e-6, equal_nan=True,
                                   msg=lambda said, name=name: f"{name}: {said}")  # fmt: skip
        assert torch.equal(one[name].nan_to_num(), two[name].nan_to_num()), name


def test_what_the_first_process_has_all_have(found):
    for each in found:
        assert each["from first"]["history"] == [0]
        assert torch.equal(each["from first"]["weights"], torch.zeros(2))
