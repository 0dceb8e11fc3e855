"""Networks of other frames, rates, sizes and pixels see the same part of a video, flipped or not, at the same time."""

import copy
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from snakemake.iocontainers import Namedlist
from test_loop import AUGMENT, CLIP, CPU, first, normalise
from test_targets import GROUPS, settings, teachers

import dtkd
from dtkd.config import Augment, Clip
from dtkd.data.datasets import Videos
from dtkd.data.video_info import VideoInfo
from dtkd.models import backbones
from dtkd.models.entries import NETWORKS
from dtkd.training import networks, targets
from dtkd.training.sampling import TestClips, TrainingClips
from dtkd.training.targets import Targets

STUDY = Clip(frames=16, rate=4)
OWN = {  # of a network's own, and whether it spans what the study's clip does
    "rate": (Clip(frames=8, rate=8), True),
    "size": (Clip(frames=16, rate=4, crop=28), True),
    "all": (Clip(frames=32, rate=2, crop=112), True),
    "shorter": (Clip(frames=8, rate=2, crop=28), False),
    "longer": (Clip(frames=13, rate=7), False),
}
WINDOWS = Augment(short_side=(64, 90), crop=56, test_short_side=64)


class Numbered:
    """Frames whose channels (BGR) are their own number, the row and the column, in place of decoded ones."""

    def __init__(self, info):
        rows, columns = np.mgrid[: info.height, : info.width].astype(np.uint8)
        self.frame = np.stack([np.zeros_like(rows), rows, columns], axis=-1)

    def read(self, path, indices, info, candidates=()):
        for index in indices:
            self.frame[..., 0] = index
            yield self.frame


def seen(clip, frames, item=(3, 0), window=None, fit="crop"):
    """The frames' numbers, the region (top, bottom, left, right; in pixels of the video) and whether it is mirrored."""
    info = VideoInfo(frames=frames, fps=25.0, width=160, height=120)
    videos = Videos(("a.avi",), (Path("a.avi"),), (0,), (info,))
    augment = WINDOWS.model_copy(update={"fit": fit})
    data = TrainingClips(videos, clip, augment, seed=7, cache=Numbered(info), window=window)
    columns, rows, numbers = data[item][0].float()  # RGB
    across, down = columns[0, columns.shape[1] // 2], rows[0, :, rows.shape[2] // 2]

    def ends(values):
        step = (values[-1] - values[0]) / (len(values) - 1)  # from centre to centre
        return sorted((float(values[0] - step / 2), float(values[-1] + step / 2)))

    return numbers[:, 0, 0].int().tolist(), [*ends(down), *ends(across)], bool(across[0] > across[-1])


@pytest.mark.parametrize("frames", [200, 90, 40])
@pytest.mark.parametrize("own", OWN)
def test_both_sides_see_the_same_time_region_and_flip(own, frames):
    clip, alike = OWN[own]
    flips = set()
    for epoch in range(8):
        numbers, region, mirrored = seen(STUDY, frames, (epoch, 0))
        own_numbers, own_region, own_mirrored = seen(clip, frames, (epoch, 0), None if alike else STUDY)
        flips.add(mirrored)
        assert own_mirrored == mirrored
        assert own_region == pytest.approx(region, abs=2.5), "rounded to whole grey values at both ends"
        assert len(own_numbers) == clip.frames
        assert 0 <= own_numbers[0] <= own_numbers[-1] < frames
        if alike:
            assert (own_numbers[0], own_numbers[-1]) == (numbers[0], numbers[-1])
        else:  # its own span, about the same middle as far as the video goes
            assert own_numbers[-1] - own_numbers[0] == min(clip.frames * clip.rate, frames) - 1
            off = abs(sum(own_numbers[:: clip.frames - 1]) - sum(numbers[:: len(numbers) - 1])) / 2
            at_an_end = own_numbers[0] == 0 or own_numbers[-1] == frames - 1
            assert off <= 1 or (own == "longer" and at_an_end)
    assert flips == {True, False}


def test_time_in_seconds_is_shared_alike():
    """A clip by fps in the middle of another's window, and a whole short video."""
    study, own = Clip(frames=8, fps=5), Clip(frames=4, fps=10, crop=28)
    for frames in (150, 30):
        numbers, region, mirrored = seen(study, frames)
        own_numbers, own_region, own_mirrored = seen(own, frames, window=study)
        assert (own_mirrored, own_region) == (mirrored, pytest.approx(region, abs=2.5))
        length = min(study.frames / study.fps, frames / 25) * 25
        assert sum(own_numbers[::3]) / 2 == pytest.approx(numbers[0] + length / 2 - 1.25, abs=1.5)


def test_letterboxed_sides_see_the_whole_frame_alike():
    study, own = (seen(clip, 90, fit="squash") for clip in (STUDY, STUDY.model_copy(update={"crop": 28})))
    assert own[1] == pytest.approx(study[1], abs=3.5)


def test_clips_that_span_alike_draw_the_same_bits():
    """So that baselines with a clip of their own stay what they were: a window changes nothing there."""
    clip = OWN["rate"][0]
    assert seen(clip, 150) == seen(clip, 150, window=STUDY)


def test_test_clips_have_the_size_of_the_rows_own_clip(toy):
    given = [TestClips(toy[1], clip, AUGMENT)[0][0] for clip in (CLIP, CLIP.model_copy(update={"crop": 16}))]
    assert [tuple(views.shape) for views in given] == [(1, 3, 8, 32, 32), (1, 3, 8, 16, 16)]
    shrunk = torch.nn.functional.avg_pool3d(given[0].float(), (1, 2, 2))
    assert (shrunk - given[1].float()).abs().mean() < 4, "the same pixels, fewer"


def test_pixels_are_the_lists_or_the_published_ones(tmp_path):
    (tmp_path / "pixels.json").write_text('{"mean": [0.4, 0.4, 0.4], "std": [0.1, 0.1, 0.1]}')
    takes = NETWORKS["r3d_18"].input
    for own, wanted in (({}, (0.4, 0.4, 0.4)), ({"backbone": "r3d_18", "pixels": "published"}, takes.mean)):
        found = networks.normaliser(own, tmp_path / "pixels.json")
        assert found.mean.flatten().tolist() == pytest.approx([255 * value for value in wanted])


def test_a_size_is_of_the_rows_own_clip():
    own = {"backbone": "slowfast_tiny", "dropout": 0.1, "frozen": False, "seed": 0, "augment": {"crop": 64},
           "clip": {"frames": 8, "rate": 2, "crop": 32}}  # fmt: skip
    found = networks.size(own, 5, torch.device("cpu"))["multiply_adds"]
    assert found == backbones.flops(backbones.build("slowfast_tiny", 5), 8, 32)


# Teachers of several networks


def test_teachers_are_asked_with_those_that_see_alike():
    shared = {"seed": 0, "augment": {}, "train": {}}
    a, b = {"backbone": "x3d_s", "clip": {"frames": 4}}, {"backbone": "x3d_s", "clip": {"frames": 8}}
    assert networks.asked_alike(shared | a, ["static", "dynamic"]) == [(shared | a, ["static", "dynamic"])]
    mixed = shared | {"teachers": {"one": a, "two": b, "three": a}}
    assert networks.asked_alike(mixed, ["one", "two", "three"]) == [
        (shared | a, ["one", "three"]), (shared | b, ["two"]),
    ]  # fmt: skip


def test_what_teachers_said_apart_stands_in_their_order():
    one, two = Targets(("a", "c"), torch.randn(2, 3, 4, 5)), Targets(("b",), torch.randn(1, 3, 4, 5))
    found = Targets.beside([one, two], ["a", "b", "c"])
    assert found.teachers == ("a", "b", "c")
    assert torch.equal(found.logits, torch.stack([one.logits[0], two.logits[0], one.logits[1]]))


def test_a_teacher_that_goes_on_alone_takes_the_path_that_it_takes_beside_others(toy, tmp_path):
    pair, videos = teachers(dropout=0), first(toy[0], 7)

    def continued(asked, groups, name):
        return targets.continued(
            copy.deepcopy(asked), groups, normalise(), videos, clip=CLIP, augment=AUGMENT, settings=settings(epochs=2),
            seed=0, hardware=CPU, resume=tmp_path / name, fingerprint={}, label=name,
        )  # fmt: skip

    together, history = continued(pair, GROUPS, "both")
    alone = torch.where(GROUPS == 1, 0, -1)
    said, own_history = continued({"dynamic": pair["dynamic"]}, alone, "dynamic")
    assert torch.equal(said.logits[0], together.logits[1])
    assert own_history["loss_dynamic"].tolist() == history["loss_dynamic"].tolist()


def inputs(named):
    """As Snakemake gives them: one flat list, and the part of it that each name has."""
    found = Namedlist()
    for name, files in named.items():
        own = files if isinstance(files, list) else [files]
        found.extend(own)
        found._set_name(name, len(found) - len(own), len(found) if isinstance(files, list) else None)
    return found


@pytest.mark.parametrize("script", ["teacher_logits", "continue_teachers"])
def test_the_scripts_ask_teachers_of_two_networks(script, toy, tmp_path, monkeypatch):
    """Each by its own clip and size; the file is one."""
    monkeypatch.setattr("dtkd.common.workflow_job.end_with_parent", lambda: None)  # the tests' process outlives it
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(variable, "1")
    videos, label = first(toy[0], 6), {0: "a", 1: "b", 2: "c", 3: "d"}
    pd.DataFrame({"path": [path.name for path in videos.paths], "class": [label[n] for n in videos.labels],
                  "label": videos.labels, "list1": "train"}).to_parquet(tmp_path / "videos.parquet")  # fmt: skip
    (tmp_path / "pixels.json").write_text('{"mean": [0.4, 0.4, 0.4], "std": [0.2, 0.2, 0.2]}')
    subsets = {name: {"subset": subset} for name, subset in zip("abcd", ["static", "dynamic"] * 2, strict=True)}
    (tmp_path / "split.json").write_text(f'{{"classes": {subsets}}}'.replace("'", '"'))
    own = {"static": {"backbone": "slowfast_tiny", "dropout": 0.0, "clip": {"frames": 4, "rate": 2, "crop": 48}},
           "dynamic": {"backbone": "slowfast_small", "dropout": 0.0, "clip": {"frames": 8, "rate": 1}}}  # fmt: skip
    asked = {"seed": 0, "augment": AUGMENT.settings, "train": settings(epochs=1, batch_size=6).learning(),
             "teachers": own, "teacher_outputs": "full"}  # fmt: skip
    models = {}
    for number, (name, each) in enumerate(own.items()):
        torch.manual_seed(number)
        models[name] = backbones.build(each["backbone"], 4, 0.0)
        torch.save({"model": models[name].state_dict()}, tmp_path / f"{name}.pt")
    output = {"targets": str(tmp_path / "said.pt"), "history": str(tmp_path / "said.parquet")}
    given = SimpleNamespace(
        rule=script, threads=1, log=[str(tmp_path / "log")], wildcards=SimpleNamespace(list=1),
        params=Namedlist(fromdict={
            "settings": asked, "teachers": list(own), "root": str(videos.paths[0].parent), "device": "cpu",
            "computing": {"devices": 1, "nodes": 1}, "cache_mb": 0,
        }),
        input=inputs({
            "teachers": [str(tmp_path / f"{name}.pt") for name in own], "index": str(tmp_path / "videos.parquet"),
            "validation": [], "pixels": str(tmp_path / "pixels.json"), "split": str(tmp_path / "split.json"),
        }),
        output=Namedlist(fromdict=output if script == "continue_teachers" else {"targets": output["targets"]}),
    )  # fmt: skip
    runpy.run_path(str(Path(dtkd.__file__).parents[1] / f"{script}.py"), init_globals={"snakemake": given})
    assert (tmp_path / "log").read_text() == "done\n"
    named = Videos(tuple(path.name for path in videos.paths), videos.paths, videos.labels)
    said = Targets.load(output["targets"], named, 1)
    assert said.teachers == ("static", "dynamic")
    if script == "teacher_logits":
        see = networks.normaliser({}, tmp_path / "pixels.json")
        for name, logits in zip(said.teachers, said.logits, strict=True):
            data = TrainingClips(named, Clip(**own[name]["clip"]), AUGMENT, 0, margins=see.colour)
            clips = torch.stack([data[0, video][0] for video in range(6)])
            with torch.no_grad():
                torch.testing.assert_close(logits[0], models[name].eval()(see(clips)))
    else:
        history = pd.read_parquet(output["history"])
        assert list(history.columns) == ["epoch", "lr", "loss_static", "loss_dynamic"]
        assert np.isfinite(history).all(axis=None)
        assert not list(tmp_path.glob("*.resume.pt"))
