"""An exported file answers as its checkpoint does, for any number of clips, and says how to prepare them."""

import json
import sys

import onnx
import onnxruntime
import pytest
import torch
from checkpoint_files import CLASSES, CPU, SETTINGS, write

from dtkd.common.errors import DtkdError
from dtkd.config import Augment, Clip, Evaluation
from dtkd.inference import export, exported, predict
from dtkd.models import backbones


@pytest.fixture(scope="module")
def folder(tmp_path_factory, toy):
    """With the checkpoint of a teacher of two classes, whose head has been fitted so that its answers differ."""
    folder = tmp_path_factory.mktemp("exported")
    file = write(folder / "checkpoint.pt", own=["clap", "wave"])
    checkpoint, trained = torch.load(file, weights_only=True), predict.load(file)
    projection, pooled = backbones.projection(trained.classifier.model), []
    projection.register_forward_pre_hook(lambda _, given: pooled.append(given[0].mean((1, 2, 3))))
    list(predict.predict(trained, toy[0].paths, hardware=CPU))
    features, labels = torch.cat(pooled), torch.eye(4)[list(toy[0].labels)]
    centred = features - features.mean(0)
    ridge = centred.square().sum() / 10 * torch.eye(features.shape[1])
    fitted = torch.linalg.solve(centred.T @ centred + ridge, centred.T @ (20 * (labels - 0.25))).T
    own = checkpoint["model"] | {f"blocks.6.proj.{part}": value for part, value in
                                 {"weight": fitted, "bias": -fitted @ features.mean(0)}.items()}  # fmt: skip
    torch.save(checkpoint | {"model": own}, file)
    return folder


def run(*options):
    """The command's exit status, or its one line."""
    sys.argv = ["export", *map(str, options), "--threads", "1"]
    try:
        export.main()
    except SystemExit as ended:
        return ended.code


@pytest.fixture(scope="module", params=["onnx", "torch_export"])
def file(request, folder):
    """Exported in fp32, to its usual place."""
    before = sys.argv
    assert run(folder, "--format", request.param) is None
    sys.argv = before
    return folder / f"checkpoint-fp32.{'onnx' if request.param == 'onnx' else 'pt2'}"


def test_a_file_is_asked_as_a_checkpoint_is(folder, file, toy):
    """Videos of several clips and crops; it is fp32 though a study may train in another precision."""
    paths, evaluation = toy[1].paths[:3], Evaluation(clips_per_video=2, crops_per_clip=3)
    wanted = torch.stack(list(predict.predict(predict.load(folder), paths, evaluation, CPU)))
    found = torch.stack(list(predict.predict(predict.load(file), paths, evaluation, CPU)))
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=0)
    assert (found == -torch.inf).tolist() == [[True, False, True, False]] * 3  # bow and nod are not its own


def test_onnx_alone_is_enough(folder, toy):
    """As somebody without this project has it: onnxruntime and the description's own words."""
    file = folder / "alone.onnx"
    assert run(folder, "--to", file, "--videos", *toy[1].paths[:2]) is None
    session = onnxruntime.InferenceSession(file)
    about = json.loads(session.get_modelmeta().custom_metadata_map["dtkd.json"])
    assert about["classes"] == CLASSES
    assert about["preprocessing"][0] == "take 8 frames, evenly spread over the middle 8 frames (all of a shorter video)"
    [clip] = export.clips_of(predict.load(folder), toy[1].paths[:1])
    [logits] = session.run(["logits"], {"clip": clip[None].numpy()})
    [wanted] = predict.predict(predict.load(folder), toy[1].paths[0], hardware=CPU)
    torch.testing.assert_close(torch.from_numpy(logits[0]), wanted, atol=1e-4, rtol=0)
    onnx.checker.check_model(str(file))


@pytest.mark.parametrize("kind", ["onnx", "torch_export"])
def test_half_precision_is_half_the_size(folder, kind, toy, capsys):
    file = folder / f"half{'.onnx' if kind == 'onnx' else '.pt2'}"
    assert run(folder, "--format", kind, "--precision", "fp16", "--to", file, "--videos", *toy[1].paths[:2]) is None
    assert "top-1 is the checkpoint's on 2 of 2 clips" in capsys.readouterr().out
    weights = sum(value.nbytes for value in predict.load(folder).classifier.model.parameters())
    assert file.stat().st_size < 0.8 * weights
    assert predict.load(file).about["precision"] == "fp16"


def test_int8_is_measured_on_videos(folder, toy, capsys):
    assert "give --videos" in run(folder, "--precision", "int8")
    assert run(folder, "--precision", "int8", "--videos", *toy[0].paths[:4]) is None
    assert "of 4 clips" in capsys.readouterr().out
    file = folder / "checkpoint-int8.onnx"
    model = onnx.load(file)
    assert {"QuantizeLinear", "DequantizeLinear"} <= {node.op_type for node in model.graph.node}
    weights = sum(value.nbytes for value in predict.load(folder).classifier.model.parameters())
    assert file.stat().st_size < weights / 2
    wanted, found = (predict.load(each) for each in (folder, file))
    compared = export.compare(wanted, found, export.clips_of(wanted, toy[1].paths))
    assert compared.agreeing == compared.clips == 8
    assert 0 < compared.difference < 0.1 * compared.largest


def test_a_file_that_answers_otherwise_is_not_written(folder, monkeypatch):
    forward = exported.Network.forward
    monkeypatch.setattr(exported.Network, "forward", lambda self, clip: forward(self, clip) + 0.01)
    file = folder / "wrong.pt2"
    said = run(folder, "--format", "torch_export", "--to", file)
    assert said.startswith(f"error: {file} is not written: in fp32, ")
    assert not list(folder.glob("*wrong*"))


def test_what_cannot_be_exported_is_one_line(folder, toy, tmp_path, monkeypatch, capsys):
    assert "is for --format onnx" in run(
        folder, "--format", "torch_export", "--precision", "int8", "--videos", toy[0].paths[0]
    )
    assert run(folder, "--to", tmp_path / "a.pt2") == 2
    assert "a file of --format onnx ends in .onnx" in capsys.readouterr().err
    assert "cannot be read" in run(tmp_path / "gone.pt")
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    assert run(folder) == "error: ONNX: onnxscript is not installed: pip install onnx onnxscript onnxruntime"


@pytest.mark.parametrize("suffix", [".onnx", ".pt2"])
def test_a_file_that_is_none_of_ours_is_refused(tmp_path, suffix):
    file = tmp_path / f"a{suffix}"
    with pytest.raises(DtkdError, match="cannot be read"):
        predict.load(file)
    file.write_bytes(b"text")
    with pytest.raises(DtkdError, match="is damaged, or no"):
        predict.load(file)
    if suffix == ".onnx":
        value = onnx.helper.make_tensor_value_info("clip", onnx.TensorProto.FLOAT, [1])
        graph = onnx.helper.make_graph([], "nothing", [value], [value])
        onnx.save(onnx.helper.make_model(graph, ir_version=10), file)
    else:
        torch.export.save(torch.export.export(torch.nn.Identity(), (torch.zeros(2),)), file)
    with pytest.raises(DtkdError, match=r"no description of its input: make it with python -m dtkd\.export"):
        predict.load(file)


@pytest.mark.parametrize(("fit", "words"), [
    ("crop", "scale frames until the shorter side has 32 pixels; take the 32x32 in the middle ("),
    ("squash", "scale frames to 32x32, whatever their proportions ("),
    ("letterbox", "scale frames until the longer side has 32 pixels; pad to 32x32 in the training's mean colour ("),
])  # fmt: skip
def test_the_description_says_what_to_do_with_a_video(fit, words):
    clip, augment = Clip(frames=8, fps=4), Augment(**(SETTINGS["augment"] | {"fit": fit}))
    frames, scaled, *_ = exported.preprocessing(clip, augment)
    assert frames.startswith("take 8 frames, evenly spread over the middle 2 seconds (all of a shorter video)")
    assert scaled.startswith(words)
