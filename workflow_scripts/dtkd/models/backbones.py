"""What all networks share, whatever their family: a head of one's own, freezing, weights that fit, sizes.

`entries` says what networks there are; the modules of their families build them.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from dtkd.common.errors import DtkdError
from dtkd.common.registry import resolved
from dtkd.models.entries import NETWORKS, Network
from dtkd.models.heads import InFloat32
from dtkd.models.name_maps import MARKS, Names

MOST_FRAMES = 512
"""Where a search for a number of frames ends: what does not fit by then never does."""
NORM = 5
"""Multiply-adds that fvcore counts of a norm for each value, and so do the model zoos that are made with it."""


class VideoModel(nn.Module):
    """A network from clip to logits: (N, 3, T, H, W) float -> (N, classes), no softmax.

    Goes before the class of what a family builds (`build`), whose parameters keep their names: published weights load
    as they are. ``entry`` is the network's.
    """

    entry: Network
    backbone_frozen = False

    def forward(self, clip: Tensor) -> Tensor:
        return super().forward(clip if self.prepare is None else self.prepare(clip))

    def train(self, mode: bool = True) -> "VideoModel":
        """Like any module's, but a frozen backbone stays in eval mode: its batch norms keep their statistics."""
        super().train(mode)
        if self.backbone_frozen:
            head = f"{self.entry.head.module}."
            for name, module in self.named_modules():
                if name and not head.startswith(f"{name}.") and not f"{name}.".startswith(head):
                    module.training = False
        return self


def build(name: str, num_classes: int, dropout: float = 0.5, **options: Any) -> VideoModel:
    """Build the network ``name`` with new weights (from torch's random state) and a head of ``num_classes``.

    ``dropout`` in [0, 1) is the head's. ``options`` are the builder's own: slowfast_small has ``width``.
    Raises DtkdError for an unknown name, option or value.
    """
    network = NETWORKS[name]
    builder = _builder(name, network)
    if not isinstance(num_classes, int) or num_classes < 1:
        raise DtkdError(f"num_classes: {num_classes!r} is not a number of classes: give an integer above 0")
    if not 0 <= dropout < 1:
        raise DtkdError(f"dropout: {dropout!r} is not a share to drop: give a number from 0 to below 1")
    known = (getattr(builder, "__kwdefaults__", None) or {}).keys() - network.options.keys()
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise DtkdError(f"{name} has no option {', '.join(unknown)}: it has {', '.join(sorted(known)) or 'none'}")
    model = _with(VideoModel, builder(num_classes, dropout, **network.options, **options))
    model.entry, model.prepare = network, resolved(network.input.prepare)
    try:
        _with(InFloat32, head(model))
        projection(model)
    except AttributeError as error:
        raise DtkdError(f"backbone {name}: its entry names a head that it does not have: {error}") from None
    for layer in model.modules():
        if isinstance(layer, nn.Conv3d):  # pytorchvideo leaves numpy's integers, which torch.compile cannot read
            layer.stride = tuple(int(step) for step in layer.stride)
    return model


def _builder(name: str, network: Network) -> Callable[..., nn.Module]:
    try:
        return resolved(network.builder)
    except ImportError as error:
        if network.needs is None:
            raise
        raise DtkdError(
            f"backbone {name}: it needs {error.name}, which is not installed: pip install '.[{network.needs}]'"
        ) from error


def _with(first: type[nn.Module], module: nn.Module) -> Any:
    """The module, with the methods of a class before its own. No module around it: that would rename parameters."""
    module.__class__ = type(type(module).__name__, (first, type(module)), {})
    return module


def head(model: VideoModel) -> nn.Module:
    """All that trains where the backbone is frozen."""
    return model.get_submodule(model.entry.head.module)


def projection(model: VideoModel) -> nn.Linear:
    """The head's linear layer, which gives the logits."""
    return model.get_submodule(model.entry.head.projection)


class OnFeatures(nn.Module):
    """Goes before the class of a network whose head is `linear`: it takes pooled features (N, D) in place of clips.

    Logits are those that it gives to the features' clips. In train mode, dropout is of the pooled features, also where
    the network has it before it pools the positions of a larger square.
    """

    def forward(self, features: Tensor) -> Tensor:
        for layer in head(self).modules():
            if isinstance(layer, nn.Dropout):
                features = layer(features)
        return projection(self)(features)


def on_features(model: VideoModel) -> VideoModel:
    """Have a network with a `linear` head take pooled features, as `PooledFeatures` has them, from now on."""
    return _with(InFloat32, _with(OnFeatures, model))


class PooledFeatures:
    """What a network's projection took in its last pass: float32 (N, D), the mean over positions where it has some.

    A dropout that stands before the projection, as in SlowFast's head, is part of it in train mode.
    """

    def __init__(self, model: VideoModel):
        self.width = projection(model).in_features
        self._last: Tensor | None = None
        projection(model).register_forward_pre_hook(self._keep)

    def _keep(self, _: nn.Module, given: tuple[Tensor, ...]) -> None:
        self._last = given[0].flatten(1, -2).mean(1) if given[0].dim() > 2 else given[0]

    def take(self) -> Tensor:
        """Those of the last pass, once."""
        assert self._last is not None, "no clip has passed"
        features, self._last = self._last.float(), None
        return features


def load_weights(
    model: VideoModel, state: Mapping[str, Tensor], *, source: str = "the weights", new_head: bool = True
) -> list[str]:
    """Load ``state`` into ``model`` and return the names that were skipped.

    With ``new_head`` the head's projection keeps the model's own values where the two differ in shape (other classes);
    without it, that is an error too. Names of other projects become the network's own where its entry knows them
    (`name_maps`). Every other difference in names or shapes raises DtkdError, which says ``source`` and lists the
    names; the model is then unchanged.
    """
    own = model.state_dict()
    state = _by_own_names(model, state, source)
    head = {f"{model.entry.head.projection}.{part}" for part in ("weight", "bias")} if new_head else set()
    differing = [name for name in own if name in state and state[name].shape != own[name].shape]
    skipped = [name for name in differing if name in head]
    problems = {
        "missing": [name for name in own if name not in state],
        "unexpected": [name for name in state if name not in own],
        "of another shape": [
            f"{name} {tuple(state[name].shape)} for {tuple(own[name].shape)}" for name in differing if name not in head
        ],
    }
    said = [f"{kind} ({len(names)}): {_some(names)}" for kind, names in problems.items() if names]
    if said:
        raise DtkdError(f"{source} do not fit the model: {'; '.join(said)}: choose the backbone they were made for")
    model.load_state_dict({name: value for name, value in state.items() if name not in skipped}, strict=False)
    return skipped


def _by_own_names(model: VideoModel, state: Mapping[str, Tensor], source: str) -> Mapping[str, Tensor]:
    """The state by the names that the network has here. Raises DtkdError for another project's that are unknown."""
    own = model.state_dict().keys()
    for known in resolved(model.entry.other_names):
        if known.fit(state):
            return known.translated(state, own)
    theirs = [project for project, mark in MARKS.items() if Names(project, mark).fit(state) and not state.keys() & own]
    if theirs:
        raise DtkdError(
            f"{source} have the names of {theirs[0]}, and nothing is known of those for this network: of {theirs[0]}, "
            f"weights load of {', '.join(_known_of(theirs[0])) or 'no network'} (docs/reference/networks.md)"
        )
    return state


def _known_of(project: str) -> list[str]:
    """The networks whose names in another project are known."""
    listed = ((name, resolved(NETWORKS[name].other_names)) for name in NETWORKS.names())
    return [name for name, known in listed if any(each.project == project for each in known)]


def freeze_backbone(model: VideoModel) -> VideoModel:
    """Leave only the head to train: the other parameters take no gradient and their batch norms stay in eval mode.

    It lasts through later calls of ``model.train()``. The head's dropout goes on working in train mode.
    """
    model.requires_grad_(False)
    head(model).requires_grad_(True)
    model.backbone_frozen = True
    return model.train(model.training)


def parameter_groups(module: nn.Module, layer_decay: float = 1.0) -> list[Any]:
    """What trains of a module and the networks in it, as torch's optimisers take it: parameters or, where some network
    has groups of its own, groups, of which the first has all the others.

    With a ``layer_decay`` below 1 there is a group for each layer of each, whose `lr_scale` is the decay to the power
    of the layers behind it (`layers`).
    """
    groups = _own_groups(module)
    if layer_decay == 1:
        return groups
    plain = groups if isinstance(groups[0], dict) else [{"params": groups}]
    layer = layers(module)
    last, parted = max(layer.values()), []
    for group in plain:
        for number in sorted({layer[id(parameter)] for parameter in group["params"]}):
            own = [parameter for parameter in group["params"] if layer[id(parameter)] == number]
            parted.append(group | {"params": own, "lr_scale": layer_decay ** (last - number)})
    return parted


def layers(module: nn.Module) -> dict[int, int]:
    """The number of the layer that each parameter (by its `id`) is in, from the input on.

    A layer is an entry of a list of layers, such as `blocks.3` or `vivit.layers.3`, or a module beside such lists, in
    the order in which the network has them: that of its forward pass. A parameter of the network itself, such as a
    token, goes with the first.
    """
    parts = {name: name.removeprefix("model.").split(".") for name, _ in module.named_parameters()}
    holding = {".".join(path[:end]) for path in parts.values() for end in range(1, _first_number(path) + 1)}
    numbers: dict[str, int] = {}
    found = {}
    for name, parameter in module.named_parameters():
        path = parts[name]
        ends = (end for end in range(1, len(path)) if ".".join(path[:end]) not in holding)
        end = next(ends, 0)
        found[id(parameter)] = numbers.setdefault(".".join(path[:end]), len(numbers)) if end else 0
    return found


def _first_number(path: list[str]) -> int:
    """Where a parameter's name has the first number after its first part; 0 where there is none."""
    return next((place for place, part in enumerate(path) if place and part.isdigit()), 0)


def _own_groups(module: nn.Module) -> list[Any]:
    every = [parameter for parameter in module.parameters() if parameter.requires_grad]
    networks = [part for part in module.modules() if isinstance(part, VideoModel) and part.entry.groups]
    if not networks:
        return every
    groups = [group for network in networks for group in resolved(network.entry.groups)(network)]
    own = [group | {"params": [p for p in group["params"] if p.requires_grad]} for group in groups]
    taken = {id(parameter) for group in own for parameter in group["params"]}
    return [{"params": [p for p in every if id(p) not in taken]}, *own]


def example(model: VideoModel, count: int, frames: int, crop: int | None, device: Any = "meta") -> Tensor:
    """A batch of zeros of what a network takes: ``count`` clips of ``frames`` frames, of features so many steps.

    ``crop`` is None for features. Pooled features (`on_features`) have neither.
    """
    if isinstance(model, OnFeatures):
        return torch.zeros(count, projection(model).in_features, device=device)
    if model.entry.input.features:
        return torch.zeros(count, model.dimension, frames, device=device)
    return torch.zeros(count, 3, frames, crop, crop, device=device)


def parameter_counts(model: nn.Module) -> tuple[int, int]:
    """Return the number of parameters, all and trainable."""
    counts = [(p.numel(), p.requires_grad) for p in model.parameters()]
    return sum(n for n, _ in counts), sum(n for n, trainable in counts if trainable)


class _Tally:
    """Adds up the operations that torch computes. Its mode only inherits it: a method of a mode's own is wrapped by
    torch so that it loads the compiler."""

    total = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if count := flop_registry.get(function._overloadpacket):
            self.total += count(*args, **(kwargs or {}), out_val=result)
        return result


class _TallyMode(_Tally, TorchDispatchMode):
    pass


@contextmanager
def _attention_in_parts() -> Iterator[None]:
    """Have torch compute attention by products of matrices, not by one operation of a CPU's, which is not counted."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


def flops(model: VideoModel, frames: int, crop: int | None, device: str = "meta", *, norms: bool = False) -> int:
    """Count the multiply-adds of one clip of ``frames`` frames of ``crop`` x ``crop`` pixels.

    Convolutions, linear layers and attention count, as in published tables (where they are called FLOPs); norms, 1-8 %
    more, only with ``norms``: `NORM` a value. ``model`` is unchanged. On the device "meta" only shapes are followed and
    nothing is computed, for which torch loads its compiler: a small network on the "cpu" takes less than the second and
    a half of that.
    """
    shadow, values = copy.deepcopy(model).to(device).eval(), []
    for layer in shadow.modules() if norms else ():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm | nn.LayerNorm):
            layer.register_forward_hook(lambda _, given, result: values.append(result.numel()))
    with _TallyMode() as tally, torch.no_grad(), _attention_in_parts():
        shadow(example(model, 1, frames, crop, device))
    return tally.total // 2 + NORM * sum(values)  # torch counts a multiplication and an addition apart


def fewest_values(model: VideoModel, frames: int, crop: int | None) -> int | None:
    """The least number of values of a channel that a batch norm in train mode sees of one clip; None without one.

    Of a single value there is no variance: where it is 1, no clip can pass alone. Only shapes are followed.
    """
    shadow, seen = copy.deepcopy(model).to("meta"), []
    for layer in shadow.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm) and layer.training:
            layer.register_forward_pre_hook(lambda _, given: seen.append(given[0].numel() // given[0].shape[1] // 2))
    with torch.no_grad():
        shadow.forward(example(model, 2, frames, crop))  # past hooks: it is no pass of ``model``
    return min(seen, default=None)


def frames_for_batch_norms(model: VideoModel, frames: int, crop: int | None) -> int | None:
    """The number of frames, ``frames`` doubled as often as it takes, at which no batch norm sees a single value of a
    channel of one clip; None where longer clips do not help."""
    while frames < MOST_FRAMES:
        frames *= 2
        if fewest_values(model, frames, crop) != 1:
            return frames
    return None


def one_value(model: VideoModel, frames: int, crop: int | None, why: str, remedy: str) -> str:
    """What is wrong where one clip alone passes a batch norm that sees one value of a channel of it, and what helps."""
    longer = frames_for_batch_norms(model, frames, crop)
    if crop is None:
        return (
            f"a clip of clip.frames: {frames} gives a batch norm one value of each channel, too few to train on alone, "
            f"and {why}: {f'set clip.frames: {longer}, or ' if longer else ''}{remedy}"
        )
    return (
        f"a clip of clip.frames: {frames} at augment.crop: {crop} gives a batch norm one value of each channel, too "
        f"few to train on alone, and {why}: {f'set clip.frames: {longer}, ' if longer else ''}raise augment.crop, "
        f"or {remedy}"
    )


def frames_for_convolutions(model: VideoModel, crop: int | None) -> int | None:
    """The fewest frames of a clip at which no convolution is longer than what it sees; None where there is no such."""
    shadow, short = copy.deepcopy(model).to("meta").eval(), []
    for layer in shadow.modules():
        if isinstance(layer, nn.Conv3d):
            layer.register_forward_pre_hook(
                lambda layer, given: short.append(layer) if layer.kernel_size[0] > given[0].shape[2] else None
            )
    allowed = model.entry.input
    for frames in range(allowed.smallest, MOST_FRAMES, allowed.multiple):
        short.clear()
        with torch.no_grad():
            shadow.forward(example(model, 1, frames, crop))
        if not short:
            return frames
    return None


def _some(names: list[str], most: int = 6) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
