"""RAFT with random weights: it runs on the CPU, and gives a table. That its flow is right takes its real weights."""

import shutil

import cv2
import numpy as np
import pytest
import torch

from dtkd.common.errors import DtkdError
from dtkd.motion import algorithms, flow, raft
from dtkd.motion.flow import MEASURES, Settings


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """weights(seed) is a file of random parameters of raft_small."""
    folder = tmp_path_factory.mktemp("weights")

    def weights(seed=0):
        path = folder / f"{seed}.pth"
        if not path.exists():
            torch.manual_seed(seed)
            torch.save(raft.NETWORKS["raft_small"]().state_dict(), path)
        return str(path)

    return weights


@pytest.fixture
def clip(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    writer = cv2.VideoWriter(str(tmp_path / "clip.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 25.0, (76, 52))
    for number in range(2):
        writer.write(np.ascontiguousarray(noise[:52, number : number + 76]))
    writer.release()
    return tmp_path / "clip.avi"


def test_the_weights_are_torchvisions():
    published = {"raft_small": raft.optical_flow.Raft_Small_Weights, "raft_large": raft.optical_flow.Raft_Large_Weights}
    for name, known in published.items():
        assert algorithms.entry(name).weights.url == known.DEFAULT.url


def test_a_video_has_a_finite_table(clip, weights):
    table = flow.video_flow(clip, "raft_small", weights=weights(), device="cpu")
    assert len(table) == 1
    assert np.isfinite(table[MEASURES].to_numpy()).all()
    assert (table["mean"] > 0).all()


@pytest.mark.parametrize("shape", [(52, 76), (136, 150)])
def test_a_field_has_the_frames_own_shape_and_repeats(weights, shape):
    first, second = np.random.default_rng(0).integers(0, 256, (2, *shape), dtype=np.uint8)
    compute = raft.flow_function("raft_small", weights(), "cpu")
    field = compute(first, second)
    assert field.shape == (*shape, 2)
    assert field.dtype == np.float32
    assert field.flags["C_CONTIGUOUS"]
    np.testing.assert_array_equal(compute(first, second), field)


def test_frames_that_need_no_padding_are_given_as_torchvision_would(weights):
    first, second = np.random.default_rng(0).integers(0, 256, (2, 128, 136), dtype=np.uint8)
    network = raft.NETWORKS["raft_small"]().eval()
    network.load_state_dict(torch.load(weights()))
    prepare = raft.optical_flow.Raft_Small_Weights.DEFAULT.transforms()
    with torch.inference_mode():
        pair = prepare(*(torch.from_numpy(frame).expand(1, 3, -1, -1) for frame in (first, second)))
        expected = network(*pair)[-1][0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(raft.flow_function("raft_small", weights(), "cpu")(first, second), expected, atol=1e-3)


def test_a_table_is_made_again_for_other_weights_only(clip, weights, tmp_path):
    out = tmp_path / "flow" / "clip.parquet"

    def inode(path):
        flow.class_flow([("clip", clip, out)], Settings("raft_small", weights=str(path), device="cpu"))
        return out.stat().st_ino, out.stat().st_mtime_ns

    first = inode(weights(0))
    shutil.copy(weights(0), tmp_path / "copy.pth")
    assert inode(tmp_path / "copy.pth") == first
    assert inode(weights(1)) != first


def test_weights_of_something_else_are_one_line(clip, weights, tmp_path):
    torch.save({"x": torch.zeros(1)}, tmp_path / "other.pth")
    (tmp_path / "text.pth").write_text("no weights")
    for name, problem in (("other", "does not hold the parameters of raft_small"), ("text", "is damaged")):
        with pytest.raises(DtkdError, match=rf"{name}\.pth {problem}") as error:
            flow.class_flow(
                [("clip", clip, tmp_path / "clip.parquet")],
                Settings("raft_small", weights=str(tmp_path / f"{name}.pth"), device="cpu"),
            )
        assert "\n" not in str(error.value)
        assert "videos have no optical flow" not in str(error.value)


def test_a_gpu_that_is_not_there(weights):
    if torch.cuda.is_available():
        pytest.skip("here is one")
    with pytest.raises(DtkdError, match="device: cuda"):
        raft.flow_function("raft_small", weights(), "cuda")
