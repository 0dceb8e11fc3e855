"""Networks as files that run without this project: ONNX, or torch.export's.

Such a file takes clips of pixels, uint8 (N, 3, T, H, W), RGB, or of features, float32 (N, D, T), for any N, and gives
logits, float32 (N, C), -inf where a masked teacher does not answer: normalisation and the network's own layout of its
input are part of it. What remains to
do outside it, which frames to take and how to scale and crop them, is described in it, for people and for `read`.
"""

from __future__ import annotations

import copy
import json
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from dtkd.common.download import verify
from dtkd.common.errors import DtkdError
from dtkd.config import Augment, Clip
from dtkd.inference.trained import ABOUT, Trained, allowed, described, noise
from dtkd.training.normalise import of_statistics

FORMATS = {".onnx": "onnx", ".pt2": "torch_export"}
PRECISIONS = ("fp32", "fp16", "int8")
INPUT, OUTPUT = "clip", "logits"
DESCRIPTION = "dtkd.json"
"""The name of the description in a file."""


class Network(nn.Module):
    """From clips to logits, in one piece: normalisation, network, mask. ``dtype`` is that of its arithmetic."""

    def __init__(self, trained: Trained, dtype: torch.dtype = torch.float32):
        super().__init__()
        self.normalise = copy.deepcopy(trained.normalise)
        self.model = copy.deepcopy(trained.classifier.model).to(dtype)
        self.dtype = dtype
        self.register_buffer("allowed", allowed(trained.about))

    def forward(self, clip: Tensor) -> Tensor:
        logits = self.model(self.normalise(clip).to(self.dtype)).float()
        return logits if self.allowed is None else logits.masked_fill(~self.allowed, -torch.inf)


def description(trained: Trained, precision: str, size: dict[str, int], checkpoint: str) -> dict[str, Any]:
    """What a file says of itself: how to prepare clips, in words and as settings, and what it was made of.

    Args:
        size: the network's parameters and multiply-adds (`training.networks.size`).
        checkpoint: the SHA-256 of the checkpoint.
    """
    return {
        "preprocessing": preprocessing(trained.clip, trained.augment),
        **{name: trained.about[name] for name in ABOUT},
        "precision": precision,
        "size": size,
        "checkpoint_sha256": checkpoint,
    }


def preprocessing(clip: Clip, augment: Augment | None) -> list[str]:
    """What to do with a video before a network takes it, step by step, for its centre clip and crop."""
    T = clip.frames
    answer = "the output is logits, (N, classes): softmax gives probabilities"
    if augment is None:
        return [
            f"take {T} steps of a video's features, evenly spread over the middle {T * clip.rate} (all of fewer)",
            f"stack them as float32, (N, D, {T}): normalisation is part of the network",
            answer,
        ]
    S, side = clip.side(augment.crop), augment.test_short_side
    square = f"{augment.crop}x{augment.crop} in the middle" + (f", scaled to {S}x{S}" if augment.crop != S else "")
    window = f"{T * clip.rate} frames" if clip.fps is None else f"{T / clip.fps:g} seconds"
    scaled = {
        "crop": f"scale frames until the shorter side has {side} pixels; take the {square}",
        "squash": f"scale frames to {S}x{S}, whatever their proportions",
        "letterbox": f"scale frames until the longer side has {S} pixels; pad to {S}x{S} in the training's mean colour",
    }[augment.fit]
    return [
        f"take {T} frames, evenly spread over the middle {window} (all of a shorter video)",
        f"{scaled} (linear interpolation; areas are averaged where a side shrinks to less than half)",
        f"stack them as uint8 RGB, (N, 3, {T}, {S}, {S}): normalisation is part of the network",
        answer,
    ]


def write(
    path: Path, trained: Trained, precision: str, about: dict[str, Any], calibration: Sequence[Tensor] = ()
) -> None:
    """Write a network to ``path``, in the format of its suffix.

    Args:
        about: its `description`.
        calibration: clips, uint8 (3, T, H, W), that int8 takes the range of every layer's values from.

    Raises:
        DtkdError: torch cannot export this network, int8 is asked of torch.export's format, or what writes ONNX is
            not installed.
    """
    program = torch_program(Network(trained, torch.float16 if precision == "fp16" else torch.float32), trained)
    said = json.dumps(about, indent=1)
    if FORMATS[path.suffix] == "torch_export":
        if precision == "int8":
            raise DtkdError("--precision int8: is for --format onnx; torch.export's format takes fp32 or fp16")
        torch.export.save(program, path, extra_files={DESCRIPTION: said})
        return
    model = _onnx_model(program, calibration if precision == "int8" else None)
    _onnx().helper.set_model_props(model, {DESCRIPTION: said})
    _onnx().save(model, path)


def torch_program(network: Network, trained: Trained) -> torch.export.ExportedProgram:
    """What torch.export makes of a network, for any number of clips."""
    example = noise(trained, 2)  # of one clip, torch would take the number for fixed
    try:
        with torch.no_grad():
            return torch.export.export(
                network.eval(), (example,), dynamic_shapes={INPUT: {0: torch.export.Dim("batch")}}
            )
    except Exception as error:  # whatever a tracer may say of a network
        name = trained.about["settings"]["backbone"]
        raise DtkdError(f"torch.export cannot take {name}: {str(error).strip().splitlines()[0]}") from error


def _onnx_model(program: torch.export.ExportedProgram, calibration: Sequence[Tensor] | None) -> Any:
    """The ONNX model of a program; with ``calibration`` clips its convolutions and linear layers are int8."""
    _onnx()  # with its own message, before minutes of work
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")  # of torch's exporter, about its own code
        plain = Path(folder, "plain.onnx")
        torch.onnx.export(program, dynamo=True, verbose=False, input_names=[INPUT], output_names=[OUTPUT]).save(plain)
        if calibration is None:
            return _onnx().load(plain)
        prepared, quantised = Path(folder, "prepared.onnx"), Path(folder, "quantised.onnx")
        _quantise(plain, prepared, quantised, calibration)
        return _onnx().load(quantised)


def _quantise(plain: Path, prepared: Path, quantised: Path, calibration: Sequence[Tensor]) -> None:
    """onnxruntime's static quantisation: int8 weights by channel, and values by the range that clips have."""
    from onnxruntime import quantization

    class Clips(quantization.CalibrationDataReader):
        def __init__(self):
            self.left = iter(calibration)

        def get_next(self) -> dict[str, Any] | None:
            clip = next(self.left, None)
            return None if clip is None else {INPUT: clip[None].numpy()}

    quantization.quant_pre_process(plain, prepared, skip_symbolic_shape=True)
    quantization.quantize_static(
        prepared, quantised, Clips(), quant_format=quantization.QuantFormat.QDQ, per_channel=True,
        activation_type=quantization.QuantType.QInt8, weight_type=quantization.QuantType.QInt8,
        op_types_to_quantize=["Conv", "Gemm", "MatMul"],
    )  # fmt: skip


def read(path: str | Path, device: str | torch.device = "cpu") -> Trained:
    """A network of an exported file, which is asked as a checkpoint's is.

    Raises DtkdError where the file is missing or damaged, was not made by `dtkd.export`, or cannot be run here.
    """
    path = Path(path)
    verify(path)
    network, about = (_read_onnx if FORMATS[path.suffix] == "onnx" else _read_program)(path, torch.device(device))
    trained = described(network, _InNetwork(about), about)
    return trained._replace(train=trained.train.model_copy(update={"precision": "fp32"}))  # it has its own precision


class OnnxNetwork(nn.Module):
    """An ONNX file in onnxruntime: uint8 clips to logits."""

    def __init__(self, session: Any):
        super().__init__()
        self.session = session

    def forward(self, clip: Tensor) -> Tensor:
        logits = self.session.run([OUTPUT], {INPUT: clip.cpu().numpy()})[0]
        return torch.from_numpy(logits).to(clip.device)


class ProgramNetwork(nn.Module):
    """A file of torch.export: uint8 clips to logits. Its program has no train mode."""

    def __init__(self, program: torch.export.ExportedProgram):
        super().__init__()
        self.run = [program.module()]  # in a list, so that train and eval do not reach it

    def forward(self, clip: Tensor) -> Tensor:
        return self.run[0](clip)


class _InNetwork(nn.Module):
    """In place of `Normalise` where that is part of the network."""

    def __init__(self, about: dict[str, Any]):
        super().__init__()
        self.colour = of_statistics(about["pixels"]).colour

    def forward(self, clips: Tensor) -> Tensor:
        return clips


def _read_onnx(path: Path, device: torch.device) -> tuple[nn.Module, dict[str, Any]]:
    runtime = _onnxruntime()
    known = runtime.get_available_providers()
    providers = [f"{kind}ExecutionProvider" for kind in ("CUDA", "CPU") if kind == "CPU" or device.type == "cuda"]
    options = runtime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = torch.get_num_threads(), 3
    try:
        session = runtime.InferenceSession(path, options, [name for name in providers if name in known])
    except Exception as error:  # damaged bytes can raise anything
        raise DtkdError(f"{path} is damaged, or no ONNX file: export it again") from error
    return OnnxNetwork(session), _description(session.get_modelmeta().custom_metadata_map.get(DESCRIPTION), path)


def _read_program(path: Path, device: torch.device) -> tuple[nn.Module, dict[str, Any]]:
    extra = {DESCRIPTION: ""}
    try:
        program = torch.export.load(path, extra_files=extra)
    except Exception as error:  # damaged bytes can raise anything
        raise DtkdError(f"{path} is damaged, or no file of torch.export: export it again") from error
    about = _description(extra[DESCRIPTION], path)
    if device.type != "cpu":
        from torch.export.passes import move_to_device_pass

        program = move_to_device_pass(program, device)
    return ProgramNetwork(program), about


def _description(text: str | None, path: Path) -> dict[str, Any]:
    if not text:
        raise DtkdError(f"{path}: has no description of its input: make it with python -m dtkd.export")
    return json.loads(text)


def _onnx() -> Any:
    try:
        import onnx
        import onnxscript  # noqa: F401 (torch's exporter needs it)
    except ImportError as error:
        raise DtkdError(f"ONNX: {error.name} is not installed: pip install onnx onnxscript onnxruntime") from error
    return onnx


def _onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise DtkdError(f"ONNX: {error.name} is not installed: pip install onnx onnxscript onnxruntime") from error
    return onnxruntime
