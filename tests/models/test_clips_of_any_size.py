"""Networks that were made for clips of one size, and take others: at their own size they compute what they did."""

import copy
from functools import partial

import pytest
import torch
from torch import nn
from torchvision.models import video

from dtkd import models
from dtkd.common import registry
from dtkd.common.errors import DtkdError
from dtkd.models import backbones, mvit, s3d
from dtkd.models.positions import resized
from dtkd.models.pytorchvideo_models import hub

torch.set_num_threads(1)


def test_tables_of_positions():
    """The same grid: the same table. Another: values in between, and a slope stays one."""
    table = torch.rand(2 * 3 * 4, 5)
    assert resized(table, (2, 3, 4), (2, 3, 4)) is table
    slope = torch.arange(4.0).expand(1, 2, 4).reshape(-1, 1)
    wider = resized(slope, (1, 2, 4), (3, 2, 8)).view(3, 2, 8)
    torch.testing.assert_close(wider, wider[:1, :1].expand(3, 2, 8))
    torch.testing.assert_close(wider[0, 0], torch.tensor([0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]))


@pytest.mark.parametrize("name", ["mvit_v1_b", "mvit_v2_s", "mvit_base_16x4"])
def test_mvit_at_its_own_size_is_the_published_one(monkeypatch, name):
    """Which is smaller here."""
    small = {"spatial_size": (32, 32), "temporal_size": 4}
    made = video.mvit._mvit
    monkeypatch.setattr(video.mvit, "_mvit", lambda **options: made(**(options | small)))
    torch.manual_seed(0)
    if name == "mvit_base_16x4":
        net, ours = hub.mvit_base_16x4(spatial_size=32, temporal_size=4, head_num_classes=5), mvit.OfPytorchvideo
    else:
        net, ours = getattr(video, name)(num_classes=5), mvit.OfTorchvision
    for key, parameter in net.eval().named_parameters():
        if "pos" in key or "token" in key:
            nn.init.normal_(parameter)  # zeros where they are new
    clip = torch.rand(2, 3, 4, 32, 32)
    with torch.no_grad():
        expected = net(clip)
        torch.testing.assert_close(mvit._any_size(ours, net)(clip), expected)
        other = net(torch.rand(2, 3, 6, 48, 64))
    assert other.shape == (2, 5)
    assert other.isfinite().all()


def test_s3d_at_its_own_size_is_the_published_one():
    """From the features on: the rest is torchvision's own."""
    theirs, ours = video.S3D(num_classes=5).eval(), s3d.s3d(5, 0.5).eval()
    ours.classifier[1].weight.data = theirs.classifier[1].weight.data.flatten(1)
    ours.classifier[1].bias = theirs.classifier[1].bias
    theirs.features = ours.features = nn.Identity()
    features = torch.rand(2, 1024, 5, 8, 8)
    with torch.no_grad():
        torch.testing.assert_close(ours(features), theirs(features))
        assert ours(features[:, :, :1, :1, :1]).shape == (2, 5)


@pytest.mark.parametrize(("name", "settings"), [
    ("videomae_base", "VideoMAEConfig"), ("timesformer_base", "TimesformerConfig"), ("vivit_base", "VivitConfig"),
])  # fmt: skip
def test_transformers_networks_at_their_own_size_are_transformers_own(monkeypatch, name, settings):
    """Which is smaller here; and clips of another pass before, and change nothing."""
    transformers = pytest.importorskip("dtkd.models.hugging_face").transformers
    monkeypatch.setattr(transformers, settings, partial(getattr(transformers, settings), image_size=32, num_frames=4))
    torch.manual_seed(0)
    model = models.build(name, 5, layers=1).eval()
    own = next(kind for kind in type(model).__mro__ if kind.__module__.startswith("transformers.models"))
    official = own(copy.deepcopy(model.config)).eval()
    assert official.config.image_size == 32
    for key, parameter in model.named_parameters():
        if "embeddings" in key or "token" in key:
            nn.init.normal_(parameter)
    official.load_state_dict(model.state_dict())
    clip = torch.rand(2, 3, 4, 32, 32)
    with torch.no_grad():
        assert model(torch.rand(1, 3, 8, 64, 64)).isfinite().all()
        torch.testing.assert_close(model(clip), official(clip.transpose(1, 2)).logits)


@pytest.mark.parametrize(("T", "S"), [(1, 32), (3, 48), (4, 64), (8, 96)])
def test_timesformers_nearest_positions_are_transformers_own(monkeypatch, T, S):
    transformers = pytest.importorskip("dtkd.models.hugging_face").transformers
    small = partial(transformers.TimesformerConfig, image_size=64, num_frames=4, hidden_size=24, num_attention_heads=2)
    monkeypatch.setattr(transformers, "TimesformerConfig", small)
    ours = models.build("timesformer_base", 5, layers=1).eval().timesformer.embeddings
    theirs = next(kind for kind in type(ours).__mro__ if kind.__module__.startswith("transformers.models"))
    for parameter in ours.parameters():
        nn.init.normal_(parameter)
    frames = torch.rand(2, T, 3, S, S)
    with torch.no_grad():
        torch.testing.assert_close(ours(frames), theirs.forward(ours, frames))


def test_a_package_that_is_not_there(monkeypatch):
    """Said in one line, with what to install."""

    def absent(module):
        raise ModuleNotFoundError("No module named 'transformers'", name="transformers")

    monkeypatch.setattr(registry, "import_module", absent)
    with pytest.raises(DtkdError) as caught:
        backbones.build("vivit_base", 5)
    assert str(caught.value) == (
        "backbone vivit_base: it needs transformers, which is not installed: pip install '.[transformers]'"
    )
    with pytest.raises(ModuleNotFoundError):
        backbones.build("r3d_18", 5)


def test_image_networks_see_whole_clips_in_their_batch_norms():
    """One clip alone can pass where its frames together give more than one value."""
    with torch.device("meta"):
        model = models.build("tsn-test_resnet", 5).train()
    assert backbones.fewest_values(model, 1, 32) == 1
    assert backbones.fewest_values(model, 8, 32) == 8
    assert backbones.frames_for_batch_norms(model, 1, 32) == 2
    assert models.build("tsn-test_resnet", 5).train()(torch.rand(1, 3, 2, 32, 32)).shape == (1, 5)
