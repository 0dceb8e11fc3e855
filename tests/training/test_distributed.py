"""Two processes that train together (gloo, on the CPU) learn what one does, whatever their shares of a batch are."""

import pytest
import torch
from test_micro_batches import ITEMS, LABELS, LEARNERS, STATIC, Tiny, clips, distilled, step
from torch import distributed, multiprocessing, nn

from dtkd.common.distributed import Group
from dtkd.config import Student
from dtkd.distillation.classifier import Classifier
from dtkd.distillation.dual_teacher import Distilled
from dtkd.models import backbones
from dtkd.models.shared_batch_norm import SharedBatchNorm, share_batch_norms

ALONE = Group()
SOME = ("classifier", "subset", "one teacher", "gated cached", "blend own", "partition FT", "partition own",
        "partition joint", "gated joint", "gated zero own")  # fmt: skip
OWN = {"FT": False, "S_alpha": None, "method": "bskd"}  # each teacher is run on its own subset's samples only
KINDS = {name: LEARNERS[name] for name in SOME} | {
    "norm classifier": lambda: Classifier(Tiny(0, frozen=False)),
    "norm joint": lambda: Distilled(
        *(Tiny(seed, frozen=False) for seed in range(3)), STATIC,
        Student(S_alpha=0.3, KD_T=2, KD_alpha=0.6, FT=False, unfrozen="joint"),
    ),
    "norm own": lambda: Distilled(*(Tiny(seed, frozen=False) for seed in range(3)), STATIC,
                                  Student(S_alpha=0.3, KD_T=2, KD_alpha=0.6, FT=False)),
    "bskd own": lambda: distilled(**OWN),
    "S_alpha 0 own": lambda: distilled(FT=False, S_alpha=0),
    "KD_alpha 0 own": lambda: distilled(FT=False, KD_alpha=0),
    "norm bskd own": lambda: Distilled(*(Tiny(seed, frozen=False) for seed in range(3)), STATIC,
                                       Student(KD_T=2, KD_alpha=0.6, **OWN)),
}  # fmt: skip
DIVIDED = {"whole": 7, "divided": 2}  # at most so many clips at a time
BATCHES = (
    7,
    2,
    1,
    7,
)  # of the second one process has a static clip and the other a dynamic one; the third is too small


def trained(kind, most, group):
    """Steps on `BATCHES`; the losses, logits and gradients (where there are any) of each, and the state in the end."""
    learner = KINDS[kind]().train()
    if group.size > 1:
        share_batch_norms(learner)
    parameters = [p for p in learner.parameters() if p.requires_grad]
    optimiser = torch.optim.SGD(
        parameters, 0.05, 0.9, weight_decay=0.1
    )  # what a network that is not used must not feel
    found = {}
    for number, N in enumerate(BATCHES):
        optimiser.zero_grad()
        labels = LABELS % 2 * 2 if kind == "subset" else LABELS
        share = clips(number)[:N][group.rank :: group.size]
        if not len(share):
            share = clips(number)[:1]  # what a loader gives where the share is empty
        result = step(learner, most, share, labels[:N], ITEMS[:N], group)
        found |= {f"loss {number}": result.loss.detach(), f"logits {number}": result.logits.detach()}
        found |= {f"{name} {number}": value.detach() for name, value in result.scalars.items()}
        found |= {f"{name} gradient {number}": p.grad.clone() for name, p in learner.named_parameters()
                  if p.grad is not None}  # fmt: skip
        optimiser.step()
    return found | learner.state_dict()


def pieces():
    """Three parameters, and one that takes no gradient."""
    module = nn.ParameterDict({name: torch.ones(size) for name, size in zip("abcd", (2, 3, 4, 5), strict=True)})
    module["d"].requires_grad_(False)
    return module


def pieces_gradients(group):
    """Of `a` both processes have a gradient, of `b` the second one, of `c` neither."""
    module = pieces()
    (module["a"] * (group.rank + 1)).sum().backward()
    if group.rank == 1:
        (module["b"] * 3).sum().backward()
    group.add_gradients(module)
    return {name: p.grad for name, p in module.items()}


NORMS = {nn.BatchNorm1d: (8, 5), nn.BatchNorm2d: (8, 5, 3), nn.BatchNorm3d: (8, 2, 5, 3)}
PRECISIONS = (torch.float32, torch.bfloat16, torch.float16)


def normalised(kind, dtype, N, offset, group):
    """A batch norm's output for this process's share of N samples, their gradient, its own and its statistics."""
    torch.manual_seed(1)
    layer = kind(8, momentum=0.3)
    nn.init.uniform_(layer.weight, 0.5, 2)
    nn.init.normal_(layer.bias)
    network = nn.Sequential(layer)
    x = (offset + 2 * torch.randn(N, *NORMS[kind])).to(dtype)
    dy = torch.randn(x.shape).to(dtype)
    x, dy = (each[group.rank :: group.size] for each in (x, dy))
    if group.size > 1:
        share_batch_norms(network)
    x.requires_grad_()
    with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        y = network(x)
    y.backward(dy)
    return {"y": y.detach(), "dx": x.grad, "dw": layer.weight.grad, "db": layer.bias.grad, **layer.state_dict()}


NORM_CASES = [(kind, dtype, N, 3) for kind in NORMS for dtype in PRECISIONS for N in (5, 1)]
NORM_CASES += [(nn.BatchNorm3d, torch.float32, 5, 100)]  # a mean that is far larger than the deviation


def slowfast(N, group):
    """A step of BSKD's SlowFast networks on two clips, of which each process has one, of another subset's class.

    Or on the first of them, so that the second process has none.
    """
    networks = []
    for seed in range(3):
        torch.manual_seed(seed)
        networks.append(backbones.build("slowfast_tiny", 4, 0.0))
    learner = Distilled(*networks, STATIC, Student(KD_T=2, KD_alpha=0.6, **OWN)).train()
    if group.size > 1:
        share_batch_norms(learner)
    batch = torch.randn(2, 3, 8, 64, 64, generator=torch.Generator().manual_seed(3))[:N]
    share = batch[group.rank :: group.size]
    result = step(learner, 2, share if len(share) else batch[:1], LABELS[:N], ITEMS[:N], group)
    gradients = {name: p.grad for name, p in learner.named_parameters() if p.grad is not None}
    return {"loss": result.loss.detach(), "logits": result.logits.detach()} | gradients | dict(learner.named_buffers())


def work(rank, folder):
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    group = Group(rank, 2)
    found = {(kind, name): trained(kind, most, group) for kind in KINDS for name, most in DIVIDED.items()}
    found["pieces"] = pieces_gradients(group)
    found["any"] = [
        group.any(torch.tensor(flags, dtype=torch.bool))
        for flags in ([False, False], [False, rank == 1], [True] * rank)
    ]
    found["norms"] = [normalised(*case, group) for case in NORM_CASES]
    found["slowfast"] = {N: slowfast(N, group) for N in (2, 1)}
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


def test_a_parameter_that_no_process_used_stays_without_a_gradient(found):
    """So that the optimiser leaves it alone, as one process would; what one of them used, all have."""
    for each in found:
        a, b, c, d = each["pieces"].values()
        assert torch.equal(a, torch.full((2,), 3.0))
        assert torch.equal(b, torch.full((3,), 3.0))
        assert c is d is None


def test_what_any_process_says_all_hear(found):
    assert [each["any"] for each in found] == [[False, True, True]] * 2


@pytest.mark.parametrize("case", range(len(NORM_CASES)), ids=lambda case: " ".join(map(str, NORM_CASES[case])))
def test_a_shared_batch_norm_is_torchs_of_the_whole_batch(found, case):
    """Also in half precision, and where one process has no sample at all."""
    kind, dtype, N, offset = NORM_CASES[case]
    expected, shares = normalised(kind, dtype, N, offset, ALONE), [each["norms"][case] for each in found]
    near = {"rtol": 1e-5, "atol": 1e-5} if dtype == torch.float32 else {"rtol": 0.02, "atol": 0.02}
    for name in ("y", "dx"):
        whole = torch.empty_like(expected[name])
        for rank, share in enumerate(shares):
            assert share[name].dtype == dtype
            whole[rank::2] = share[name]
        torch.testing.assert_close(whole, expected[name], **near)
    for name in ("dw", "db"):
        torch.testing.assert_close(sum(share[name] for share in shares), expected[name], **near)
    for share in shares:
        for name in ("running_mean", "running_var", "num_batches_tracked"):
            torch.testing.assert_close(share[name], expected[name], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("N", [2, 1])
def test_two_processes_with_a_clip_for_one_teacher_each_or_with_none(found, N):
    """SlowFast's batch norms meet those of the other process, there and back; a lone clip leaves out a teacher."""
    expected, (one, two) = slowfast(N, ALONE), (each["slowfast"][N] for each in found)
    assert one.keys() == two.keys() == expected.keys()
    assert ("dynamic.blocks.6.proj.weight" in one) == (N == 2)
    for name, value in expected.items():
        torch.testing.assert_close(one[name], value, rtol=1e-3, atol=1e-4,
                                   msg=lambda said, name=name: f"{name}: {said}")  # fmt: skip
        assert torch.equal(one[name], two[name]), name


def test_a_gpus_batch_norms_are_shared_as_a_cpus():
    """torch's SyncBatchNorm gives no gradient where a process has no clip, and its half precision's sums differ."""
    network = nn.Sequential(nn.BatchNorm3d(2), nn.Sequential(nn.BatchNorm2d(2), nn.Dropout()))
    names = list(network.state_dict())
    share_batch_norms(network)
    assert [isinstance(layer, SharedBatchNorm) for layer in network.modules()] == [False, True, False, True, False]
    assert list(network.state_dict()) == names
