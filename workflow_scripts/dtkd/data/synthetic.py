"""The embedded demo: small labelled videos of drawn people, written in the on-disk forms of UCF101 and HMDB51.

Nothing is downloaded and nothing is faked downstream: the demo's videos are real files, in which still actions
(typing, playing the flute) and mobile ones (cartwheels, sprints) differ in optical flow as they do in real data.

``demo_ucf`` and ``demo_hmdb`` are vocabularies to be studied; ``demo_source`` has fifty other actions made of the same
kind of limbs, to pretrain a backbone on.

A video is a pure function of (render, class, group, clip). The clips of one group share a person, a scene and a kind of
camera; they differ in phase, speed, vigour, place and shake. Every class is acted by the same persons in the same
scenes, group for group, so that only the action tells the classes apart: a network that learnt the backgrounds by heart
would learn nothing.

An action is one entry of ``ACTIONS``: a `Pose` as an expression in the phase ``c`` (in cycles, one value a frame).
The top level imports the standard library only, because `layout` and `list_names` run whenever the workflow starts.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dtkd.common.errors import DtkdError, UnwritableError
from dtkd.common.files import atomic

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray
    Series = float | np.ndarray  # a constant, or one value a frame
    Triple = tuple[Series, Series, Series]

LISTS = (1, 2, 3)
QUALITY = {  # what each vocabulary looks like unless the render says otherwise
    "demo_ucf": {"noise": 4.0, "blur": 0.0, "contrast": 1.0, "jpeg": 0},
    "demo_hmdb": {"noise": 7.0, "blur": 0.7, "contrast": 0.75, "jpeg": 40},
    "demo_source": {"noise": 4.0, "blur": 0.3, "contrast": 0.95, "jpeg": 0},
}


@dataclass(frozen=True)
class Render:
    """What is rendered, and how hard it is. Fields that are None take the vocabulary's own value (``QUALITY``)."""

    vocabulary: str
    groups: int = 8
    clips_per_group: int = 3
    test_share: float = 0.28  # of the groups, on the test side of each list; the default is about UCF101's
    frames: int = 32
    fps: int = 25
    width: int = 96  # pixels
    height: int = 72  # pixels
    seed: int = 0
    nuisance: float = 1.0  # camera motion, clutter, other people, occluders, light: 0 is a studio, 2 is hard
    variety: float = 1.0  # how much the takes of an action differ in view, speed, vigour and posture; same scale
    noise: float | None = None  # standard deviation of the sensor noise, in grey levels of 255
    blur: float | None = None  # standard deviation of the lens blur, in pixels
    contrast: float | None = None  # 1 is full contrast
    jpeg: int | None = None  # quality of an extra JPEG pass over each frame, 1 to 100; 0 is none

    def __post_init__(self) -> None:
        if self.vocabulary not in QUALITY:
            raise DtkdError(f"There is no demo called {self.vocabulary!r}; there are {', '.join(QUALITY)}.")
        for field, least in {
            "groups": 3,
            "clips_per_group": 1,
            "frames": 2,
            "fps": 1,
            "width": 16,
            "height": 16,
        }.items():
            if getattr(self, field) < least:
                raise DtkdError(
                    f"The demo {self.vocabulary} needs {field} of at least {least}: {getattr(self, field)}."
                )
        if not 0 < self.test_share <= 1 / len(LISTS):
            raise DtkdError(
                f"The demo {self.vocabulary} needs a test_share above 0 and up to 1/{len(LISTS)}, since no group is "
                f"tested by two lists: {self.test_share}."
            )
        if self.width % 2 or self.height % 2:
            raise DtkdError(f"The demo {self.vocabulary} needs even width and height: {self.width}, {self.height}.")
        for field, value in QUALITY[self.vocabulary].items():
            if getattr(self, field) is None:
                object.__setattr__(self, field, value)


# ---------------------------------------------------------------------------------------------------------------------
# Files and lists
# ---------------------------------------------------------------------------------------------------------------------


def class_names(vocabulary: str) -> list[str]:
    """The vocabulary's classes in the order of their labels, which is alphabetical."""
    return sorted(ACTIONS[vocabulary])


def layout(render: Render) -> dict[str, list[str]]:
    """Each class's video paths, relative to the dataset's folder, in order of group and clip."""
    return {
        name: [_path(render, name, group, clip) for group, clip in _clips(render)]
        for name in class_names(render.vocabulary)
    }


def clip_patterns(render: Render) -> list[str]:
    """What `layout` says of any class, with ``{cls}`` for its name and, in HMDB51's form, ``{visible}`` for u or f."""
    return [_pattern(render, group, clip) for group, clip in _clips(render)]


def list_files(render: Render) -> dict[str, str]:
    """Each list file's name and text: UCF101's ``trainlist01.txt``..., or HMDB51's ``<class>_test_split1.txt``..."""
    return _hmdb_lists(render) if render.vocabulary == "demo_hmdb" else _ucf_lists(render)


def list_names(render: Render) -> list[str]:
    """The names of `list_files`."""
    if render.vocabulary == "demo_hmdb":
        return [f"{name}_test_split{number}.txt" for name in class_names(render.vocabulary) for number in LISTS]
    return ["classInd.txt", *(f"{side}list0{number}.txt" for number in LISTS for side in ("train", "test"))]


def _check_written(temporary: Path, path: Path, frames: int) -> None:
    """Raise UnwritableError unless every frame of a video is in its file: OpenCV says nothing of a full disk."""
    import cv2

    capture = cv2.VideoCapture(str(temporary))
    written = sum(1 for _ in iter(capture.grab, False))
    capture.release()
    if written != frames:
        raise UnwritableError(
            f"{path} cannot be written ({written} of {frames} frames are in it): free space on that disk, and run the "
            "same command again"
        )


def write_lists(render: Render, folder: str | Path) -> list[Path]:
    """Write the list files (with their line endings as they are) and return their paths."""
    paths = []
    for name, text in list_files(render).items():
        with atomic(Path(folder) / name) as temporary:
            temporary.write_bytes(text.encode("ascii"))
        paths.append(Path(folder) / name)
    return paths


def _clips(render: Render) -> list[tuple[int, int]]:
    """(group, clip), both from 1, in the order of the files."""
    return [(g, c) for g in range(1, render.groups + 1) for c in range(1, render.clips_per_group + 1)]


def _pattern(render: Render, group: int, clip: int) -> str:
    """A clip's path below the root, of a class ``{cls}``; HMDB51's names also say how much of the body is visible."""
    if render.vocabulary == "demo_hmdb":
        return f"{{cls}}/DemoFilm{group:02d}_{{cls}}_{{visible}}_cm_np1_fr_bad_{clip - 1}.avi"
    return f"{{cls}}/v_{{cls}}_g{group:02d}_c{clip:02d}.avi"


def _path(render: Render, name: str, group: int, clip: int) -> str:
    visible = "u" if ACTIONS[render.vocabulary][name].framing == "upper" else "f"
    return _pattern(render, group, clip).format(cls=name, visible=visible)


def _test_groups(render: Render, number: int) -> set[int]:
    """The groups tested by list ``number``; no group is on two lists' test sides."""
    count = max(1, min(render.groups // len(LISTS), round(render.test_share * render.groups)))
    return set(range((number - 1) * count + 1, number * count + 1))


def _ucf_lists(render: Render) -> dict[str, str]:
    names = class_names(render.vocabulary)
    texts = {"classInd.txt": "".join(f"{label} {name}\r\n" for label, name in enumerate(names, 1))}
    for number in LISTS:
        train, test, tested = "", "", _test_groups(render, number)
        for label, name in enumerate(names, 1):
            for group, clip in _clips(render):
                path = _path(render, name, group, clip)
                if group in tested:
                    test += f"{path}\r\n"
                else:
                    train += f"{path} {label}\r\n"
        texts |= {f"trainlist0{number}.txt": train, f"testlist0{number}.txt": test}
    return texts


def _hmdb_lists(render: Render) -> dict[str, str]:
    """1 is train, 2 is test, 0 is unused: the last clip of every fourth training group, when groups have several."""
    texts = {}
    for name in class_names(render.vocabulary):
        for number in LISTS:
            lines, tested = "", _test_groups(render, number)
            for group, clip in _clips(render):
                unused = (group + number) % 4 == 0 and clip == render.clips_per_group > 1
                side = 2 if group in tested else 0 if unused else 1
                lines += f"{Path(_path(render, name, group, clip)).name} {side} \n"
            texts[f"{name}_test_split{number}.txt"] = lines
    return texts


# ---------------------------------------------------------------------------------------------------------------------
# Poses: the body's frame is x forward, y to the person's left, z up; "out" is away from the body's middle
# ---------------------------------------------------------------------------------------------------------------------

HANG = (0.08, 0.14, -0.95)  # an arm at rest
GUARD = (0.42, -0.18, 0.05)  # a fist before the chin
MOUTH = (0.26, -0.27, 0.22)  # a hand at the mouth
DESK = (0.62, -0.10, -0.40)  # a hand on the table


@dataclass(frozen=True)
class Pose:
    """A body over time. Every number is a constant or an array (frames,)."""

    hand_r: Triple = HANG  # (forward, out, up) from its own shoulder, in arm lengths, turning with the torso
    hand_l: Triple = HANG
    foot_r: Triple = (0.0, 0.05, 0.0)  # (forward, out, up) from the floor under its own hip, in leg lengths
    foot_l: Triple = (0.0, 0.05, 0.0)
    lift: Series = 0.0  # the hips above their height in standing, in leg lengths
    lean: Series = 0.0  # the torso's lean forward, in radians
    twist: Series = 0.0  # the shoulders against the hips, to the left, in radians
    roll: Series = 0.0  # the whole body about its forward axis, in radians
    turn: Series = 0.0  # the whole body about the vertical, in radians
    nod: Series = 0.0  # the head forward, in radians
    travel: Series = 0.0  # forward, in body heights
    slide: Series = 0.0  # to the left, in body heights
    props: tuple[Prop, ...] = ()  # what is held or stands about


@dataclass(frozen=True)
class Action:
    """``pose`` maps the phase in cycles (frames,) to a `Pose`; the rest says how it is usually filmed."""

    pose: Callable[[Array], Pose]
    hertz: float  # cycles a second
    view: float = 45.0  # degrees: 0 is from the side (facing right), 90 from the front
    framing: str = "full"  # a key of FRAMINGS


FRAMINGS = {  # body height in frame heights; which height of the body (in body heights) is at which height of the frame
    "full": (0.78, 0.50, 0.53),
    "desk": (1.05, 0.46, 0.52),
    "upper": (1.25, 0.78, 0.50),
}


def wave(c: Array, offset: float = 0.0) -> Array:
    """A sine of the phase: -1 to 1."""
    import numpy as np

    return np.sin(2 * np.pi * (c + offset))


def bump(c: Array, offset: float = 0.0, sharpness: float = 1.0) -> Array:
    """0 at whole cycles, 1 half-way; the sharper, the shorter its stay near 1."""
    return (0.5 - 0.5 * wave(c, offset + 0.25)) ** sharpness


def sweep(c: Array, offset: float = 0.0) -> Array:
    """From 0 to 1 and back with a quick way out and a slow way back."""
    import numpy as np

    part = (c + offset) % 1.0
    turned = np.where(part < 0.35, part / 0.35, 1 + (part - 0.35) / 0.65)  # 0 to 1 to 2
    return 0.5 - 0.5 * np.cos(np.pi * turned)


def mix(start: Triple, end: Triple, part: Series) -> Triple:
    """The point that is ``part`` of the way from ``start`` to ``end``."""
    return tuple(a + part * (b - a) for a, b in zip(start, end, strict=True))


def near(point: Triple, forward: Series = 0.0, out: Series = 0.0, up: Series = 0.0) -> Triple:
    """``point``, moved a little."""
    return (point[0] + forward, point[1] + out, point[2] + up)


def gait(c: Array, stride: float, raised: float, swing: float, elbow: float) -> dict[str, Triple]:
    """Feet and hands of walking or running: strides and swings in limb lengths, ``elbow`` the hands' height."""

    def foot(offset: float) -> Triple:
        return (stride * wave(c, offset), 0.0, raised * wave(c, offset + 0.25).clip(0.0))

    def hand(offset: float) -> Triple:
        return (0.15 + swing * wave(c, offset), 0.05, elbow + 0.3 * swing * wave(c, offset))

    return {"foot_r": foot(0.0), "foot_l": foot(0.5), "hand_r": hand(0.5), "hand_l": hand(0.0)}


SEATED = {"lift": -0.48, "foot_r": (0.75, 0.1, 0.0), "foot_l": (0.7, 0.1, 0.0)}

# Props: functions of the skeleton (see `_skeleton`) that return shapes to draw. Lengths are in body heights.

Prop = Callable[[dict[str, Any]], "list[Shape]"]
WOOD, STEEL, WHITE = (60, 100, 150), (150, 150, 150), (235, 235, 235)  # blue, green, red
DARK, RED, ORANGE = (40, 40, 40), (50, 50, 200), (40, 120, 230)


@dataclass(frozen=True)
class Shape:
    """A capsule (two points, a radius at each), a disc (the same point twice) or, with no radii, a flat polygon."""

    points: list[Array]  # each (frames, 3), in body heights
    radii: tuple[float, ...]
    colour: tuple[float, ...]  # blue, green, red
    nearer: float = 0.0  # added to the depth that decides what hides what


def stick(hand: str, direction: Triple, length: float, colour: tuple, width: float = 0.012, head: float = 0.0) -> Prop:
    """A straight thing in ``hand`` along ``direction`` (x, y, z); ``head`` is the radius of a disc at its end."""

    def prop(body: dict[str, Any]) -> list[Shape]:
        import numpy as np

        along = _vectors(direction, body["frames"])
        tip = body[hand] + length * along / np.linalg.norm(along, axis=1, keepdims=True)
        shapes = [Shape([body[hand], tip], (width, width), colour, 0.04)]
        return [*shapes, Shape([tip, tip], (head, head), colour, 0.03)] if head else shapes

    return prop


def ball(at: Triple, radius: float, colour: tuple, hand: str | None = None) -> Prop:
    """A ball at a point of the body's frame above the floor, or relative to ``hand``."""

    def prop(body: dict[str, Any]) -> list[Shape]:
        centre = _vectors(at, body["frames"]) + (body[hand] if hand else body["base"])
        return [Shape([centre, centre], (radius, radius), colour, 0.05)]

    return prop


def slab(low: Triple, high: Triple, colour: tuple, nearer: float = 0.0) -> Prop:
    """A box between two corners, of which the top and the two faces towards the person's front and side are drawn."""

    def prop(body: dict[str, Any]) -> list[Shape]:
        (x0, y0, z0), (x1, y1, z1) = low, high
        dark = tuple(0.7 * value for value in colour)
        front = [(x1, y0, z0), (x1, y1, z0), (x1, y1, z1), (x1, y0, z1)]
        side = [(x0, y0, z0), (x1, y0, z0), (x1, y0, z1), (x0, y0, z1)]
        top = [(x0, y0, z1), (x1, y0, z1), (x1, y1, z1), (x0, y1, z1)]
        faces = [(front, dark), (side, dark), (top, colour)]
        return [
            Shape([_vectors(p, body["frames"]) + body["base"] for p in face], (), shade, nearer)
            for face, shade in faces
        ]

    return prop


def table(*things: Prop) -> tuple[Prop, ...]:
    """A chair, and a table at a seated person's hands with things on it."""
    legs = [slab((0.52, y, 0.0), (0.54, y + 0.02, 0.36), WOOD) for y in (-0.3, 0.28)]
    top = slab((0.12, -0.32, 0.36), (0.56, 0.32, 0.385), WOOD)
    return (slab((-0.12, -0.1, 0.0), (0.08, 0.1, 0.2), DARK, -0.2), *legs, top, *things)


def rope(c: Array) -> Prop:
    """A skipping rope between the hands, which passes under the feet at whole cycles."""

    def prop(body: dict[str, Any]) -> list[Shape]:
        import numpy as np

        ends, centre = (body["hand_r"], body["hand_l"]), (body["hand_r"] + body["hand_l"]) / 2
        swing = np.stack([0.5 * wave(c), 0 * c, -0.48 * wave(c, 0.25) + 0.05], axis=1)
        parts = np.linspace(0, 1, 8)
        points = [centre + (ends[0] - centre) * (1 - 2 * p) + swing * math.sin(math.pi * p) for p in parts]
        return [Shape([a, b], (0.007, 0.007), WHITE) for a, b in itertools.pairwise(points)]

    return prop


def hanging(at: Triple, top: float, bottom: float, radius: float, colour: tuple) -> Prop:
    """An upright capsule over the point ``at`` of the floor: a punching bag, a pot."""

    def prop(body: dict[str, Any]) -> list[Shape]:
        ends = [_vectors((at[0], at[1], z), body["frames"]) + body["base"] for z in (top, bottom)]
        return [Shape(ends, (radius * 0.9, radius), colour)]

    return prop


def carried(radius: float, colour: tuple) -> Prop:
    """A box between the hands."""

    def prop(body: dict[str, Any]) -> list[Shape]:
        centre = (body["hand_r"] + body["hand_l"]) / 2
        low, high = (-radius, -radius, -radius), (radius, radius, radius)
        return [dataclasses.replace(shape, nearer=0.05) for shape in slab(low, high, colour)(body | {"base": centre})]

    return prop


def both(hand: Triple) -> dict[str, Triple]:
    """The two hands alike."""
    return {"hand_r": hand, "hand_l": hand}


def together(forward: Series, left: Series, up: Series) -> dict[str, Triple]:
    """The two hands at one point, from the middle of the shoulders, in arm lengths."""
    return {"hand_r": (forward, -left - 0.24, up), "hand_l": (forward + 0.06, left - 0.24, up)}


def arm(swing: Series = 0.0, spread: Series = 0.0, reach: Series = 0.96) -> Triple:
    """A hand by its arm's angles in degrees: 0 hangs, ``swing`` goes forward and up, ``spread`` outward and up."""
    import numpy as np

    a, b = np.radians(swing), np.radians(spread)
    return (reach * np.sin(a) * np.cos(b), reach * np.sin(b), -reach * np.cos(a) * np.cos(b))


def step(forward: float = 0.25, out: float = 0.08) -> dict[str, Triple]:
    """A stance with the left foot in front."""
    return {"foot_l": (forward, out, 0.0), "foot_r": (-forward, out, 0.0)}


def juggled(c: Array, offset: float) -> Triple:
    """A ball's way from one hand to the other and back, in a high arc each time."""
    part = (2 * (c + offset)) % 1.0
    return (0.3, 0.2 * wave(c, offset + 0.25), 0.62 + 1.7 * part * (1 - part))


# ---------------------------------------------------------------------------------------------------------------------
# The actions
# ---------------------------------------------------------------------------------------------------------------------

# fmt: off
DEMO_UCF = {
    # Four still classes, a quarter of the vocabulary: two at the face and two at a desk.
    "ApplyLipstick": Action(hertz=1.0, view=60, framing="upper", pose=lambda c: Pose(
        hand_r=near(MOUTH, 0.04, 0.10 + 0.08 * wave(c), -0.03 + 0.03 * wave(2 * c)), hand_l=(0.35, 0.0, -0.55),
        props=(stick("hand_r", (-0.2, 0.7, 0.5), 0.05, RED, 0.013),)
    )),
    "PlayingFlute": Action(hertz=0.8, view=60, framing="upper", pose=lambda c: Pose(
        hand_r=(0.40, 0.22, 0.20 + 0.03 * wave(2 * c)), hand_l=(0.40, -0.34, 0.20 + 0.03 * wave(2 * c, 0.4)),
        lean=0.04 * wave(c),
        props=(stick("hand_r", (0, 1, 0.05), 0.20, STEEL, 0.016), stick("hand_r", (0, -1, -0.05), 0.14, STEEL, 0.016))
    )),
    "Typing": Action(hertz=0.9, view=40, framing="desk", pose=lambda c: Pose(
        **SEATED, hand_r=near(DESK, 0.0, 0.04 * wave(c, 0.3), 0.07 * bump(3 * c)),
        hand_l=near(DESK, 0.0, 0.04 * wave(c), 0.07 * bump(3 * c, 0.5)),
        props=table(slab((0.2, -0.16, 0.385), (0.34, 0.16, 0.4), DARK, 0.02))
    )),
    "WritingAtDesk": Action(hertz=0.9, view=40, framing="desk", pose=lambda c: Pose(
        **SEATED, hand_r=near(DESK, 0.05 * wave(3 * c), 0.12 * wave(c / 2), 0.02 + 0.04 * wave(3 * c, 0.25)),
        hand_l=(0.45, -0.2, -0.45), lean=0.22, nod=0.4,
        props=table(
            slab((0.18, -0.18, 0.385), (0.42, 0.18, 0.39), WHITE, 0.02), stick("hand_r", (0.1, -0.1, 1), 0.09, DARK)
        )
    )),
    # Twelve mobile classes in pairs: boxing, leg work, jumps, balls, swings, and across the picture.
    "BoxingPunchingBag": Action(hertz=1.7, view=20, pose=lambda c: Pose(
        **step(), hand_r=mix(GUARD, (0.97, -0.22, 0.08), bump(c, 0.0, 3)),
        hand_l=mix(GUARD, (0.97, -0.22, 0.08), bump(c, 0.5, 3)), twist=-0.5 * wave(c, 0.25),
        lean=0.1 + 0.15 * bump(2 * c), lift=-0.12 + 0.06 * wave(2 * c),
        props=(hanging((0.54 + 0.09 * bump(2 * c), 0, 0), 1.1, 0.55, 0.08, RED),)
    )),
    "BoxingSpeedBag": Action(hertz=2.2, view=20, pose=lambda c: Pose(
        **step(0.15), hand_r=(0.62 + 0.16 * wave(c), -0.15, 0.25 + 0.18 * wave(c, 0.25)),
        hand_l=(0.62 + 0.16 * wave(c, 0.5), -0.15, 0.25 + 0.18 * wave(c, 0.75)),
        props=(hanging((0.43 + 0.08 * wave(2 * c), 0, 0), 1.08, 0.93, 0.055, RED),)
    )),
    "BodyWeightSquats": Action(hertz=1.1, view=30, pose=lambda c: Pose(
        **both(mix(arm(10), (0.9, 0.0, 0.35), bump(c))), lift=-0.5 * bump(c), lean=0.6 * bump(c),
        foot_r=(0.05, 0.15, 0.0), foot_l=(0.05, 0.15, 0.0)
    )),
    "Lunges": Action(hertz=1.1, view=30, pose=lambda c: Pose(
        **both((0.05, 0.40, -0.45)), foot_r=(0.65 * bump(c), 0.05, 0.15 * bump(2 * c)),
        foot_l=(-0.55 * bump(c), 0.05, 0.08 * bump(c)), lift=-0.4 * bump(c), lean=0.1, travel=0.15 * bump(c)
    )),
    "JumpingJack": Action(hertz=1.6, view=80, pose=lambda c: Pose(
        **both(arm(5, 10 + 150 * bump(c))), foot_r=(0.0, 0.35 * bump(c), 0.10 * bump(2 * c)),
        foot_l=(0.0, 0.35 * bump(c), 0.10 * bump(2 * c)), lift=0.10 * bump(2 * c) - 0.06 * bump(c)
    )),
    "JumpRope": Action(hertz=2.0, view=75, pose=lambda c: Pose(
        **both((0.25 + 0.10 * wave(c), 0.38, -0.55 + 0.10 * wave(c, 0.25))), foot_r=(0.0, 0.0, 0.18 * bump(c, 0.5)),
        foot_l=(0.0, 0.0, 0.18 * bump(c, 0.5)), lift=0.18 * bump(c, 0.5) - 0.04, props=(rope(c),)
    )),
    "JugglingBalls": Action(hertz=1.0, view=75, pose=lambda c: Pose(
        hand_r=(0.62, 0.05 + 0.10 * wave(2 * c), -0.28 + 0.32 * wave(2 * c, 0.25)),
        hand_l=(0.62, 0.05 + 0.10 * wave(2 * c, 0.5), -0.28 + 0.32 * wave(2 * c, 0.75)),
        props=tuple(ball(juggled(c, k / 3), 0.045, colour) for k, colour in enumerate((RED, ORANGE, WHITE)))
    )),
    "BasketballDribble": Action(hertz=2.2, view=40, pose=lambda c: Pose(
        hand_r=mix((0.55, 0.1, -0.15), (0.5, 0.1, -0.8), bump(c)), hand_l=(0.3, 0.35, -0.5), **step(0.2),
        lean=0.15 + 0.2 * bump(c), lift=-0.06 - 0.12 * bump(c),
        props=(ball((0.32, -0.15, 0.08 + 0.40 * (1 - bump(c, 0.0, 2))), 0.085, ORANGE),)
    )),
    "GolfSwing": Action(hertz=0.9, view=75, pose=lambda c: Pose(
        **together(0.45, 0.75 * wave(sweep(c) / 2, 0.75), -0.55 + 0.85 * wave(sweep(c) / 2, 0.75) ** 2), lean=0.3,
        twist=-0.6 + 1.2 * sweep(c), foot_r=(0.0, 0.2, 0.0), foot_l=(0.0, 0.2, 0.0),
        props=(stick("hand_r", arm(25, -110 + 220 * sweep(c)), 0.33, STEEL, head=0.02),)
    )),
    "TennisSwing": Action(hertz=1.1, view=60, pose=lambda c: Pose(
        **step(), hand_r=mix((-0.35, 0.75, -0.3), (0.7, -0.6, 0.3), sweep(c)), hand_l=(0.4, 0.2, -0.3),
        twist=-0.7 + 1.3 * sweep(c), lift=-0.08,
        props=(stick("hand_r", (0.2 + 0.5 * sweep(c), -1 + 1.6 * sweep(c), 0.4), 0.25, DARK, head=0.07),)
    )),
    "Cartwheel": Action(hertz=0.9, view=90, pose=lambda c: Pose(
        **both((0.0, 0.35, 0.9)), foot_r=(0.0, 0.5, 0.12), foot_l=(0.0, 0.5, 0.12), roll=2 * math.pi * c,
        lift=0.45 * bump(c) - 0.1, slide=-0.8 * c
    )),
    "SprintAcross": Action(hertz=2.2, view=5, pose=lambda c: Pose(
        **gait(c, 0.55, 0.4, 0.5, -0.4), lean=0.25, lift=0.06 * bump(2 * c) - 0.06, travel=0.5 * c
    )),
}

DEMO_HMDB = {
    # Three still classes, a quarter of the vocabulary, all of a hand that goes to the mouth.
    "drink": Action(hertz=0.5, view=50, framing="upper", pose=lambda c: Pose(
        hand_r=mix((0.45, -0.12, -0.15), near(MOUTH, 0.08), bump(c, 0.2)), hand_l=(0.3, 0.05, -0.65),
        nod=-0.45 * bump(c, 0.2), lean=-0.08 * bump(c, 0.2),
        props=(stick("hand_r", (-0.7 * bump(c, 0.2), 0.3 * bump(c, 0.2), 1), 0.1, WHITE, 0.03, 0.036),)
    )),
    "eat": Action(hertz=0.7, view=50, framing="upper", pose=lambda c: Pose(
        hand_r=mix((0.52, -0.24, -0.18), near(MOUTH, 0.05), bump(c, 0.2)), hand_l=(0.6, -0.2, -0.3),
        nod=0.15 * bump(2 * c),
        props=(
            stick("hand_r", (-0.2, 0.3, 0.5), 0.06, STEEL), stick("hand_l", (0.5, -0.5, 0.1), 0.06, WHITE, 0.03, 0.05)
        )
    )),
    "smoke": Action(hertz=0.5, view=50, framing="upper", pose=lambda c: Pose(
        hand_r=mix((0.4, 0.35, -0.1), near(MOUTH, 0.06, 0.05), bump(c, 0.2)), hand_l=(0.25, 0.2, -0.75),
        nod=-0.1 * bump(c, 0.6), props=(stick("hand_r", (0.8, 0.2, 0.2), 0.09, WHITE, 0.011),)
    )),
    "clap": Action(hertz=2.0, view=60, framing="upper", pose=lambda c: Pose(
        **both((0.6, -0.24 + 0.45 * bump(c), -0.1 + 0.05 * wave(c)))
    )),
    "wave": Action(hertz=1.7, view=65, framing="upper", pose=lambda c: Pose(
        hand_r=(0.25, 0.45 + 0.35 * wave(c), 0.65 - 0.1 * wave(c) ** 2)
    )),
    "punch": Action(hertz=1.4, view=25, pose=lambda c: Pose(
        **step(0.3), hand_r=mix(GUARD, (0.97, -0.22, 0.1), bump(c, 0.0, 2)), hand_l=GUARD,
        twist=-0.3 + 0.8 * bump(c, 0.0, 2), lean=0.25 * bump(c, 0.0, 2), travel=0.15 * bump(c, 0.0, 2)
    )),
    "push": Action(hertz=1.2, view=25, pose=lambda c: Pose(
        **step(0.45), **both(mix((0.45, 0.0, -0.25), (0.95, -0.05, -0.05), bump(c, 0.0, 1.5))), lift=-0.1,
        lean=0.25 + 0.4 * bump(c, 0.0, 1.5), travel=0.12 * bump(c, 0.0, 1.5),
        props=(slab((0.56 + 0.14 * bump(c, 0.0, 1.5), -0.2, 0.0), (0.82 + 0.14 * bump(c, 0.0, 1.5), 0.2, 0.5), WOOD),)
    )),
    "hit": Action(hertz=1.3, view=25, pose=lambda c: Pose(
        **step(0.3), hand_r=mix((0.1, 0.1, 0.9), (0.8, -0.15, -0.35), sweep(c)), hand_l=GUARD,
        twist=-0.2 + 0.5 * sweep(c), lean=0.55 * sweep(c) - 0.1, travel=0.1 * sweep(c),
        props=(stick("hand_r", (-0.6 + 1.6 * sweep(c), 0, 1 - 0.9 * sweep(c)), 0.26, WOOD, 0.018),)
    )),
    "kick_ball": Action(hertz=1.0, view=15, pose=lambda c: Pose(
        hand_r=arm(25 * wave(c), 25), hand_l=arm(-35 * wave(c), 35), foot_l=(0.0, 0.05, 0.0),
        foot_r=(-0.4 + 1.2 * sweep(c), 0.0, 0.12 + 0.3 * sweep(c)), lean=0.1 - 0.3 * sweep(c),
        props=(ball((0.3 + 1.3 * ((c - 0.25) % 1.0) ** 2, 0, 0.05 + 0.3 * ((c - 0.25) % 1.0)), 0.05, WHITE),)
    )),
    "jump": Action(hertz=1.1, view=30, pose=lambda c: Pose(
        **both(arm(-30 + 180 * bump(c, 0.1))), foot_r=(0.0, 0.02, 0.35 * (bump(c) - 0.4).clip(0) / 0.6),
        foot_l=(0.0, 0.02, 0.35 * (bump(c) - 0.4).clip(0) / 0.6), lift=-0.3 + 0.7 * bump(c), lean=0.4 - 0.4 * bump(c)
    )),
    "run": Action(hertz=1.9, view=15, pose=lambda c: Pose(
        **gait(c, 0.5, 0.35, 0.45, -0.45), lean=0.2, lift=0.05 * bump(2 * c) - 0.05, travel=0.4 * c
    )),
    "walk": Action(hertz=1.2, view=15, pose=lambda c: Pose(
        **gait(c, 0.38, 0.15, 0.35, -0.88), lean=0.05, lift=-0.03, travel=0.45 * c
    )),
}

DEMO_SOURCE = {
    "AnswerPhone": Action(hertz=0.6, view=60, framing="upper", pose=lambda c: Pose(
        hand_r=mix((0.4, 0.1, -0.4), (0.12, -0.02, 0.32), bump(c, 0.0, 0.5)), nod=0.1 * wave(2 * c),
        props=(stick("hand_r", (0.2, 0, 1), 0.06, DARK, 0.018),)
    )),
    "ArmCircles": Action(hertz=1.4, view=60, pose=lambda c: Pose(
        **both((0.3 * wave(c), 0.85, 0.1 + 0.3 * wave(c, 0.25)))
    )),
    "BatBall": Action(hertz=1.0, view=50, pose=lambda c: Pose(
        **step(0.3), **together(0.5, 0.6 * wave(sweep(c) / 2, 0.75), 0.1), twist=-0.7 + 1.4 * sweep(c), lift=-0.1,
        props=(stick("hand_r", (0.3, -1 + 2 * sweep(c), 0.5), 0.28, WOOD, 0.02),)
    )),
    "BiteApple": Action(hertz=0.6, view=50, framing="upper", pose=lambda c: Pose(
        hand_r=mix((0.5, -0.05, -0.35), near(MOUTH, 0.07), bump(c, 0.1)), hand_l=(0.3, 0.1, -0.7),
        nod=0.1 * bump(3 * c),
        props=(ball((0.03, 0, 0.02), 0.035, RED, hand="hand_r"),)
    )),
    "BlowBubbles": Action(hertz=0.6, view=55, framing="upper", pose=lambda c: Pose(
        hand_r=mix((0.45, 0.0, -0.3), near(MOUTH, 0.1), bump(c, 0.0, 0.5)), hand_l=(0.5, -0.15, -0.45),
        nod=0.1 * bump(c),
        props=(
            stick("hand_r", (0.1, 0.3, 1), 0.05, RED, head=0.025), stick("hand_l", (0, 0, 1), 0.07, ORANGE, 0.025)
        )
    )),
    "BowDeeply": Action(hertz=0.8, view=20, pose=lambda c: Pose(
        **both(arm(20 * bump(c), 5)), lean=1.2 * bump(c)
    )),
    "BrushTeeth": Action(hertz=2.4, view=55, framing="upper", pose=lambda c: Pose(
        hand_r=near(MOUTH, 0.05, 0.06 + 0.05 * wave(c), -0.03), hand_l=(0.2, 0.1, -0.8),
        props=(stick("hand_r", (-0.3, 0.7, 0.2), 0.07, WHITE),)
    )),
    "ChopFood": Action(hertz=2.0, view=45, framing="desk", pose=lambda c: Pose(
        **SEATED, hand_r=near(DESK, -0.02, 0.02, 0.14 * bump(c)), hand_l=near(DESK, 0.04, -0.06 + 0.03 * wave(c / 4)),
        nod=0.3,
        props=table(
            slab((0.2, -0.15, 0.385), (0.38, 0.12, 0.395), WHITE, 0.02), stick("hand_r", (1, 0.2, 0), 0.1, STEEL)
        )
    )),
    "ClimbLadder": Action(hertz=1.0, view=30, pose=lambda c: Pose(
        hand_r=(0.6, -0.05, 0.55 + 0.3 * wave(c)), hand_l=(0.6, -0.05, 0.55 + 0.3 * wave(c, 0.5)),
        foot_r=(0.3, 0.0, 0.25 + 0.22 * wave(c, 0.5)), foot_l=(0.3, 0.0, 0.25 + 0.22 * wave(c)), lean=0.1
    )),
    "CombHair": Action(hertz=1.0, view=55, framing="upper", pose=lambda c: Pose(
        hand_r=mix((0.2, 0.1, 0.75), (-0.05, 0.2, 0.3), bump(c)), props=(stick("hand_r", (0, 0.7, 0.3), 0.07, WOOD),)
    )),
    "CoverCough": Action(hertz=0.9, view=50, framing="upper", pose=lambda c: Pose(
        hand_r=mix((0.35, 0.0, -0.4), MOUTH, bump(c, 0.0, 2)), hand_l=(0.2, 0.1, -0.8), lean=0.15 * bump(c, 0.0, 3),
        nod=0.25 * bump(c, 0.0, 3)
    )),
    "DealCards": Action(hertz=1.6, view=45, framing="desk", pose=lambda c: Pose(
        **SEATED, hand_r=mix(near(DESK, -0.1, -0.2, 0.1), near(DESK, 0.15, 0.15, 0.04), sweep(c)),
        hand_l=near(DESK, -0.12, -0.05, 0.08), props=table(stick("hand_l", (0.3, -0.2, 0.6), 0.05, WHITE, 0.03))
    )),
    "DigHole": Action(hertz=0.9, view=30, pose=lambda c: Pose(
        **step(), **together(0.5 + 0.2 * bump(c), 0.5 * bump(c), -0.75 + 0.6 * bump(c)), lean=0.7 - 0.5 * bump(c),
        lift=-0.15 + 0.1 * bump(c),
        props=(stick("hand_r", (0.8, 0.3 * bump(c), -1 + 0.9 * bump(c)), 0.4, WOOD, head=0.05),)
    )),
    "DrawPicture": Action(hertz=0.8, view=40, framing="desk", pose=lambda c: Pose(
        **SEATED, hand_r=near(DESK, 0.08 * wave(c), 0.1 * wave(c, 0.25), 0.04), hand_l=near(DESK, -0.15, 0.0, 0.0),
        lean=0.15, nod=0.3,
        props=table(slab((0.2, -0.24, 0.385), (0.46, 0.2, 0.39), ORANGE, 0.02), stick("hand_r", (0, 0.2, 1), 0.1, RED))
    )),
    "FanFace": Action(hertz=1.8, view=60, framing="upper", pose=lambda c: Pose(
        hand_r=near(MOUTH, 0.12, 0.12 + 0.05 * wave(c), -0.05), hand_l=(0.25, 0.1, -0.75),
        props=(stick("hand_r", (0.3 * wave(c), 0.3 + 0.3 * wave(c), 1), 0.1, RED, 0.014, head=0.05),)
    )),
    "HammerNail": Action(hertz=1.6, view=25, pose=lambda c: Pose(
        **step(0.15), hand_r=mix((0.3, -0.05, 0.55), (0.72, -0.1, -0.05), bump(c, 0.0, 2)), hand_l=(0.72, -0.15, -0.2),
        lean=0.1 + 0.1 * bump(c, 0.0, 2),
        props=(
            stick("hand_r", (0.3, 0, 1), 0.13, STEEL, 0.014, 0.03), slab((0.44, -0.3, 0), (0.46, 0.3, 1.1), WOOD, -0.5)
        )
    )),
    "HighKnees": Action(hertz=1.6, view=35, pose=lambda c: Pose(
        foot_r=(0.25 * bump(c), 0.0, 0.5 * bump(c)), foot_l=(0.25 * bump(c, 0.5), 0.0, 0.5 * bump(c, 0.5)),
        hand_r=(0.5, 0.05, -0.2 - 0.3 * bump(c)), hand_l=(0.5, 0.05, -0.2 - 0.3 * bump(c, 0.5))
    )),
    "HulaHoop": Action(hertz=1.5, view=70, pose=lambda c: Pose(
        **both((0.2, 0.75, 0.1)), lean=0.12 * wave(c), roll=0.1 * wave(c, 0.25), twist=0.25 * wave(c, 0.1)
    )),
    "KickHigh": Action(hertz=1.1, view=25, pose=lambda c: Pose(
        **both((0.4, 0.1, -0.1)), foot_r=(-0.3 + 1.1 * sweep(c), 0.0, 0.1 + 0.8 * sweep(c)), lean=0.1 - 0.4 * sweep(c)
    )),
    "KnockOnDoor": Action(hertz=2.4, view=20, pose=lambda c: Pose(
        hand_r=mix((0.5, -0.1, 0.25), (0.72, -0.1, 0.15), bump(c)),
        props=(slab((0.42, -0.35, 0), (0.44, 0.35, 1.15), WOOD, -0.5),)
    )),
    "LickIceCream": Action(hertz=0.8, view=55, framing="upper", pose=lambda c: Pose(
        hand_r=near(MOUTH, 0.1, 0.04, -0.08 + 0.06 * wave(c)), hand_l=(0.25, 0.15, -0.75), nod=0.1 * wave(c, 0.3),
        props=(stick("hand_r", (0.1, 0.2, 1), 0.06, WOOD, 0.018), ball((0.01, 0.01, 0.08), 0.032, WHITE, hand="hand_r"))
    )),
    "LiftBox": Action(hertz=0.8, view=35, pose=lambda c: Pose(
        **both(mix((0.55, -0.02, -0.75), (0.6, -0.02, -0.1), bump(c))), lift=-0.45 * bump(c, 0.5),
        lean=0.7 * bump(c, 0.5), props=(carried(0.09, WOOD),)
    )),
    "PaintWall": Action(hertz=0.9, view=35, pose=lambda c: Pose(
        hand_r=(0.7, 0.0, 0.15 + 0.55 * wave(c)), twist=0.2,
        props=(stick("hand_r", (0.6, 0.1, 0.6), 0.14, WHITE, head=0.035),)
    )),
    "PlayHarmonica": Action(hertz=0.9, view=65, framing="upper", pose=lambda c: Pose(
        hand_r=near(MOUTH, 0.04, 0.05 * wave(c)), hand_l=near(MOUTH, 0.04, -0.05 * wave(c)), nod=0.06 * wave(2 * c)
    )),
    "PlayPiano": Action(hertz=0.8, view=40, framing="desk", pose=lambda c: Pose(
        **SEATED, hand_r=near(DESK, 0.05, 0.2 + 0.12 * wave(c), 0.05 * bump(4 * c)),
        hand_l=near(DESK, 0.05, 0.15 + 0.12 * wave(c, 0.2), 0.05 * bump(4 * c, 0.5)), lean=0.05 * wave(c),
        props=table(slab((0.24, -0.3, 0.385), (0.4, 0.3, 0.41), WHITE, 0.02))
    )),
    "PlayTrumpet": Action(hertz=0.7, view=45, framing="upper", pose=lambda c: Pose(
        hand_r=(0.45, -0.22, 0.16 + 0.03 * wave(c)), hand_l=(0.5, -0.28, 0.12 + 0.03 * wave(c)), lean=-0.06 * wave(c),
        props=(stick("hand_r", (1, 0, 0.1), 0.18, ORANGE, 0.016, head=0.045),
               stick("hand_r", (-1, 0.1, 0), 0.1, ORANGE, 0.016))
    )),
    "PullRope": Action(hertz=1.0, view=20, pose=lambda c: Pose(
        **step(0.4), hand_r=mix((0.9, -0.2, 0.0), (0.3, -0.1, -0.2), bump(c)),
        hand_l=mix((0.9, -0.2, 0.0), (0.3, -0.1, -0.2), bump(c, 0.5)), lean=-0.25 + 0.1 * wave(2 * c), lift=-0.1,
        props=(stick("hand_r", (1, 0, 0.02), 1.2, WHITE, 0.01),)
    )),
    "PutOnGlasses": Action(hertz=0.6, view=65, framing="upper", pose=lambda c: Pose(
        **both(mix((0.55, -0.14, -0.3), (0.18, -0.1, 0.36), bump(c))), nod=0.15 - 0.15 * bump(c),
        props=(stick("hand_r", (0, 1, 0), 0.09, DARK, 0.012),)
    )),
    "ReadBook": Action(hertz=0.7, view=45, framing="desk", pose=lambda c: Pose(
        **SEATED, hand_r=mix((0.55, -0.1, -0.25), (0.6, -0.55, -0.15), bump(c, 0.0, 4)), hand_l=(0.55, -0.1, -0.25),
        nod=0.35, props=table(slab((0.18, -0.12, 0.42), (0.32, 0.12, 0.43), WHITE, 0.02))
    )),
    "RowBoat": Action(hertz=0.7, view=25, pose=lambda c: Pose(
        **both(mix((0.9, 0.0, -0.2), (0.2, 0.1, -0.1), bump(c))), lean=0.5 - 0.8 * bump(c),
        lift=-0.6, foot_r=(0.8, 0.1, 0.1), foot_l=(0.8, 0.1, 0.1),
        props=(stick("hand_r", (0.3, -1, -0.3), 0.4, WOOD), stick("hand_l", (0.3, 1, -0.3), 0.4, WOOD))
    )),
    "ScratchHead": Action(hertz=2.2, view=60, framing="upper", pose=lambda c: Pose(
        hand_r=(0.1 + 0.06 * wave(c), 0.05, 0.52 + 0.06 * wave(c, 0.25))
    )),
    "ShadowBox": Action(hertz=1.5, view=35, pose=lambda c: Pose(
        **step(0.2), hand_r=mix(GUARD, (0.75, -0.3, 0.45), bump(c, 0.0, 3)),
        hand_l=mix(GUARD, (0.95, -0.2, 0.0), bump(c, 0.5, 3)),
        twist=-0.4 * wave(c, 0.25), lift=-0.06 + 0.05 * wave(2 * c), slide=0.06 * wave(c / 2)
    )),
    "ShaveCheek": Action(hertz=1.1, view=60, framing="upper", pose=lambda c: Pose(
        hand_r=near(MOUTH, -0.02, 0.16, 0.1 * wave(c)), hand_l=(0.3, 0.05, -0.6), nod=-0.12,
        props=(stick("hand_r", (0, 0.5, 0.6), 0.06, STEEL, 0.014),)
    )),
    "SideSteps": Action(hertz=1.5, view=80, pose=lambda c: Pose(
        **both((0.3, 0.3, -0.55)), foot_r=(0.0, 0.35 * bump(c), 0.1 * bump(2 * c)),
        foot_l=(0.0, 0.35 * bump(c), 0.1 * bump(2 * c, 0.3)), slide=0.35 * c + 0.05 * wave(c), lift=-0.1
    )),
    "SipSoup": Action(hertz=0.7, view=50, framing="upper", pose=lambda c: Pose(
        hand_r=mix((0.55, -0.2, -0.42), near(MOUTH, 0.1, 0.03), bump(c)), hand_l=(0.55, -0.05, -0.45),
        nod=0.3 - 0.15 * bump(c),
        props=(stick("hand_r", (-0.3, 0.5, 0.0), 0.08, STEEL, 0.01), hanging((0.26, 0, 0), 0.56, 0.5, 0.08, WHITE))
    )),
    "SkateAcross": Action(hertz=0.8, view=10, pose=lambda c: Pose(
        foot_r=(0.35 * wave(c), 0.1 * bump(c), 0.12 * bump(c)),
        foot_l=(0.35 * wave(c, 0.5), 0.1 * bump(c, 0.5), 0.12 * bump(c, 0.5)),
        hand_r=arm(35 * wave(c, 0.5), 15), hand_l=arm(35 * wave(c), 15), lean=0.45, lift=-0.15, travel=0.4 * c
    )),
    "SkipAcross": Action(hertz=1.5, view=15, pose=lambda c: Pose(
        **gait(c, 0.3, 0.5, 0.6, -0.7), lean=0.05, lift=0.14 * bump(2 * c), travel=0.42 * c
    )),
    "SneakAcross": Action(hertz=1.0, view=15, pose=lambda c: Pose(
        **gait(c, 0.3, 0.25, 0.12, -0.35), lean=0.4, lift=-0.25, travel=0.35 * c
    )),
    "SpinAround": Action(hertz=1.0, view=45, pose=lambda c: Pose(
        **both(arm(10, 70)), turn=2 * math.pi * c, lift=-0.03
    )),
    "StirPot": Action(hertz=1.2, view=45, framing="upper", pose=lambda c: Pose(
        hand_r=(0.62 + 0.14 * wave(c), -0.15 + 0.14 * wave(c, 0.25), -0.3), hand_l=(0.6, 0.05, -0.45), nod=0.25,
        props=(stick("hand_r", (0.1, 0.1, -1), 0.12, WOOD), hanging((0.28, 0, 0), 0.6, 0.48, 0.1, STEEL))
    )),
    "StretchUp": Action(hertz=0.7, view=50, pose=lambda c: Pose(
        **both(arm(60 + 115 * bump(c), 15)), lean=0.2 - 0.3 * bump(c)
    )),
    "SweepFloor": Action(hertz=1.2, view=40, pose=lambda c: Pose(
        **step(0.2), **together(0.6, 0.4 * wave(c), -0.5), lean=0.4, twist=0.3 * wave(c),
        props=(stick("hand_r", (0.7, 0.9 * wave(c), -1), 0.45, WOOD, head=0.05),)
    )),
    "TextMessage": Action(hertz=1.6, view=55, framing="upper", pose=lambda c: Pose(
        hand_r=(0.5, -0.2, -0.25 + 0.03 * bump(2 * c)), hand_l=(0.5, -0.22, -0.25 + 0.03 * bump(2 * c, 0.5)), nod=0.4,
        props=(stick("hand_r", (0, 0.3, 1), 0.06, DARK, 0.022),)
    )),
    "ThrowOverhead": Action(hertz=1.0, view=25, pose=lambda c: Pose(
        **step(0.3), **together(-0.3 + 1.1 * sweep(c), 0.0, 0.75 - 0.45 * sweep(c)), lean=-0.2 + 0.5 * sweep(c),
        props=(ball((0.02, 0, 0.04), 0.07, ORANGE, hand="hand_r"),)
    )),
    "ToeTouch": Action(hertz=0.9, view=50, pose=lambda c: Pose(
        hand_r=arm(30 + 70 * bump(c), 80 - 90 * bump(c)), hand_l=arm(30 + 70 * bump(c, 0.5), 80 - 90 * bump(c, 0.5)),
        lean=1.0 + 0.3 * wave(2 * c), twist=0.7 * wave(c), foot_r=(0.0, 0.35, 0.0), foot_l=(0.0, 0.35, 0.0)
    )),
    "TwistWaist": Action(hertz=1.1, view=65, pose=lambda c: Pose(
        **both((0.35, 0.6, 0.0)), twist=1.0 * wave(c)
    )),
    "UseInhaler": Action(hertz=0.5, view=50, framing="upper", pose=lambda c: Pose(
        hand_r=mix((0.45, -0.15, -0.2), near(MOUTH, 0.09), bump(c, 0.0, 0.7)), hand_l=(0.25, 0.1, -0.7),
        nod=-0.2 * bump(c, 0.0, 0.7), props=(stick("hand_r", (-0.3, 0.2, 1), 0.07, ORANGE, 0.018),)
    )),
    "UseMouse": Action(hertz=0.6, view=40, framing="desk", pose=lambda c: Pose(
        **SEATED, hand_r=near(DESK, 0.06 * wave(c), 0.12 + 0.08 * wave(c, 0.15)), hand_l=(0.35, 0.1, -0.65),
        props=table(slab((0.34, -0.2, 0.385), (0.37, 0.2, 0.62), DARK, -0.02))
    )),
    "WaveFlag": Action(hertz=1.0, view=65, pose=lambda c: Pose(
        hand_r=(0.2, 0.3 + 0.5 * wave(c), 0.75), hand_l=(0.1, 0.3, -0.7), lean=0.05 * wave(c, 0.25),
        props=(stick("hand_r", (0, -0.9 * wave(c), 1), 0.3, WOOD, head=0.06),)
    )),
    "WipeMouth": Action(hertz=1.3, view=55, framing="upper", pose=lambda c: Pose(
        hand_r=near(MOUTH, 0.05, 0.08 * wave(c), -0.02), hand_l=(0.4, 0.0, -0.6), nod=0.08,
        props=(stick("hand_r", (0, 0.4, -1), 0.05, WHITE, 0.02, 0.035),)
    )),
}
# fmt: on

ACTIONS = {
    "demo_ucf": DEMO_UCF,
    "demo_hmdb": DEMO_HMDB,
    "demo_source": DEMO_SOURCE,
}
BYSTANDERS = (  # what a second person may do
    Action(lambda c: Pose(lean=0.02 * wave(c)), hertz=0.4),
    Action(lambda c: Pose(hand_r=(0.4, 0.0, -0.3 + 0.1 * wave(c)), nod=0.1 * wave(c)), hertz=0.7),
    Action(lambda c: Pose(**gait(c, 0.3, 0.1, 0.3, -0.88), travel=0.4 * c), hertz=0.9, view=10),
)

# ---------------------------------------------------------------------------------------------------------------------
# Bodies
# ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Actor:
    """A person's proportions, in body heights, and colours."""

    leg: float
    torso: float
    arm: float
    girth: float  # times the usual thickness
    shoulders: float  # half their width
    skin: tuple[float, ...]
    hair: tuple[float, ...]
    shirt: tuple[float, ...]
    stripe: tuple[float, ...]
    trousers: tuple[float, ...]
    shoes: tuple[float, ...]
    bare_arms: bool
    bare_legs: bool


def _actor(rng: np.random.Generator) -> Actor:
    leg, light, shirt = rng.uniform(0.45, 0.50), rng.uniform(0.35, 1.0), _colour(rng)
    hair = ((20, 25, 35), (30, 60, 90), (60, 130, 160))[rng.integers(3)]
    return Actor(
        leg=leg,
        torso=0.78 - leg,
        arm=rng.uniform(0.39, 0.44),
        girth=rng.uniform(0.85, 1.25),
        shoulders=rng.uniform(0.09, 0.115),
        skin=(150 * light + 15, 175 * light + 15, 225 * light + 10),
        hair=tuple(rng.uniform(0.6, 1.4) * value for value in hair),
        shirt=shirt,
        stripe=_colour(rng) if rng.random() < 0.5 else shirt,
        trousers=_colour(rng),
        shoes=_colour(rng),
        bare_arms=bool(rng.random() < 0.5),
        bare_legs=bool(rng.random() < 0.3),
    )


def _colour(rng: np.random.Generator, colourfulness: float = 0.6) -> tuple[float, ...]:
    grey = rng.uniform(30, 225)
    return tuple((grey + colourfulness * rng.uniform(-110, 110, 3)).clip(10, 245))


def _vectors(point: Triple, frames: int) -> Array:
    """A `Triple` as (frames, 3)."""
    import numpy as np

    return np.stack([np.broadcast_to(np.asarray(value, float), (frames,)) for value in point], axis=1)


def _rotated(points: Array, axis: int, angle: Series) -> Array:
    """Points (frames, 3) turned about axis 0, 1 or 2 by an angle in radians, right-handed."""
    import numpy as np

    a, b = (axis + 1) % 3, (axis + 2) % 3
    result = points.copy()
    result[:, a] = np.cos(angle) * points[:, a] - np.sin(angle) * points[:, b]
    result[:, b] = np.sin(angle) * points[:, a] + np.cos(angle) * points[:, b]
    return result


def _bent(start: Array, end: Array, length: float, pole: Array) -> tuple[Array, Array]:
    """A limb of two equal bones from ``start`` to ``end`` (or as near as it reaches), bent towards ``pole``.

    Returns the middle joint and the end, each (frames, 3).
    """
    import numpy as np

    way = end - start
    distance = np.linalg.norm(way, axis=1, keepdims=True).clip(1e-6)
    reach = distance.clip(0.15 * length, 0.995 * length)
    way = way / distance
    aside = pole - (pole * way).sum(axis=1, keepdims=True) * way
    aside /= np.linalg.norm(aside, axis=1, keepdims=True).clip(1e-6)
    return start + way * reach / 2 + aside * np.sqrt(length**2 - reach**2) / 2, start + way * reach


def _skeleton(pose: Pose, actor: Actor, frames: int) -> dict[str, Any]:
    """The joints (frames, 3) by name, in body heights, and the number of frames under ``frames``."""

    def in_torso(point: Triple) -> Array:
        return _rotated(_rotated(_vectors(point, frames), 2, pose.twist), 1, pose.lean)

    pelvis = _vectors((0.0, 0.0, 0.03 + actor.leg * (1 + pose.lift)), frames)
    chest = pelvis + in_torso((0.0, 0.0, actor.torso))
    joints = {"pelvis": pelvis, "chest": chest}
    for name, point in {"head": (0.015, 0, 0.12), "hair": (-0.012, 0, 0.138), "nose": (0.08, 0, 0.11)}.items():
        nodded = _rotated(_vectors(point, frames), 1, pose.nod)
        joints[name] = chest + in_torso(tuple(nodded.T))
    for side, sign in (("r", -1.0), ("l", 1.0)):
        hand, foot = getattr(pose, f"hand_{side}"), getattr(pose, f"foot_{side}")
        shoulder = chest + in_torso((0.0, sign * actor.shoulders, -0.02))
        target = shoulder + actor.arm * in_torso((hand[0], sign * hand[1], hand[2]))
        elbow, hand = _bent(shoulder, target, actor.arm, in_torso((-0.5, sign * 0.5, -0.8)))
        hip = pelvis + _vectors((0.0, sign * 0.055, 0.0), frames)
        forward, out, up = (actor.leg * value for value in foot)
        target = _vectors((forward, sign * (0.055 + out), 0.03 + up), frames)
        knee, ankle = _bent(hip, target, actor.leg, _vectors((1.0, sign * 0.25, 0.0), frames))
        toe = ankle + _vectors((0.085, sign * 0.02, -0.01), frames)
        names = ("shoulder", "elbow", "hand", "hip", "knee", "foot", "toe")
        points = (shoulder, elbow, hand, hip, knee, ankle, toe)
        joints |= {f"{name}_{side}": point for name, point in zip(names, points, strict=True)}
    base = _vectors((pose.travel, pose.slide, 0.0), frames)
    for name, point in joints.items():
        rolled = pelvis + _rotated(point - pelvis, 0, pose.roll)
        joints[name] = base + _rotated(rolled, 2, pose.turn)
    return joints | {"base": base, "frames": frames}


def _body(pose: Pose, actor: Actor, frames: int) -> list[Shape]:
    """A person and their props as shapes."""
    body = _skeleton(pose, actor, frames)
    sleeve = actor.skin if actor.bare_arms else actor.shirt
    shin = actor.skin if actor.bare_legs else actor.trousers

    def limb(start: str, end: str, thick: float, thin: float, colour: tuple[float, ...], nearer: float = 0.0) -> Shape:
        return Shape([body[start], body[end]], (thick * actor.girth, thin * actor.girth), colour, nearer)

    shapes = [
        Shape([body[name] for name in ("shoulder_l", "shoulder_r", "hip_r", "hip_l")], (), actor.shirt),
        limb("chest", "head", 0.03, 0.03, actor.skin),
        Shape([body["head"]] * 2, (0.064, 0.064), actor.skin, 0.01),
        Shape([body["head"], body["nose"]], (0.02, 0.012), tuple(0.85 * value for value in actor.skin), 0.011),
        Shape([body["hair"]] * 2, (0.064, 0.064), actor.hair),
    ]
    for side in "rl":
        shapes += [
            limb(f"shoulder_{side}", f"hip_{side}", 0.042, 0.045, actor.shirt),
            limb(f"hip_{side}", f"knee_{side}", 0.052, 0.038, actor.trousers),
            limb(f"knee_{side}", f"foot_{side}", 0.036, 0.026, shin),
            limb(f"foot_{side}", f"toe_{side}", 0.026, 0.02, actor.shoes),
            limb(f"shoulder_{side}", f"elbow_{side}", 0.036, 0.028, actor.shirt, 0.01),
            limb(f"elbow_{side}", f"hand_{side}", 0.027, 0.021, sleeve, 0.02),
            limb(f"hand_{side}", f"hand_{side}", 0.026, 0.026, actor.skin, 0.03),
        ]
    belly = [(body["pelvis"] + body[f"shoulder_{side}"]) / 2 for side in "rl"]
    shapes.append(Shape(belly, (0.03, 0.03), actor.stripe, 0.02))
    for prop in pose.props:
        shapes += prop(body)
    return shapes


# ---------------------------------------------------------------------------------------------------------------------
# Filming
# ---------------------------------------------------------------------------------------------------------------------

CAMERAS = ("tripod", "handheld", "pan", "zoom")
SUBPIXEL = 4  # bits after the point in the coordinates that are drawn


def _rng(render: Render, *names: object) -> np.random.Generator:
    """A stream of random numbers that depends on the names, and on nothing that differs between processes."""
    import numpy as np

    hashes = [zlib.crc32(str(name).encode()) for name in (render.vocabulary, *names)]
    return np.random.default_rng([render.seed, *hashes])


def _drift(rng: np.random.Generator, seconds: Array, hertz: float) -> Array:
    """A smooth random series of about unit size, (frames,)."""
    import numpy as np

    return sum(np.sin(2 * np.pi * (rng.uniform(0.2, 1.0) * hertz * seconds + rng.random())) for _ in range(3)) / 1.5


def _performed(action: Action, rng: np.random.Generator, render: Render) -> Pose:
    """The action as one clip has it: at its own speed, phase, vigour and posture."""
    import numpy as np

    seconds, variety = np.arange(render.frames) / render.fps, render.variety
    hertz = action.hertz * np.exp(variety * rng.uniform(-0.13, 0.13))
    pose = action.pose(hertz * seconds + rng.random())
    vigour = 1 + variety * rng.uniform(-0.15, 0.12)

    def lived(value: Series, loose: float) -> Series:
        steady = np.mean(value)
        offset = variety * loose * (rng.normal() + 0.3 * _drift(rng, seconds, 1.0))
        return steady + vigour * (value - steady) + offset

    changes: dict[str, Any] = {name: lived(getattr(pose, name), 0.02) for name in ("lean", "twist", "nod")}
    for name in ("hand_r", "hand_l"):
        changes[name] = tuple(lived(value, 0.024) for value in getattr(pose, name))
    for name in ("travel", "slide"):
        changes[name] = getattr(pose, name) - np.mean(getattr(pose, name))
    return dataclasses.replace(pose, **changes)


@functools.lru_cache(maxsize=32)
def _scene(render: Render, group: int) -> Array:
    """A wall and a floor with textures at several scales and clutter, uint8, with a margin of half a frame around."""
    import cv2
    import numpy as np

    rng = _rng(render, "scene", group)
    width, height = 2 * render.width, 2 * render.height
    horizon = int(height * rng.uniform(0.55, 0.68))
    ramp = np.linspace(0, 1, height)[:, None, None]
    image = np.array(_colour(rng, 0.4)) * (1 - ramp) + np.array(_colour(rng, 0.4)) * ramp
    image[horizon:] = np.array(_colour(rng, 0.4))
    image = np.broadcast_to(image, (height, width, 3)).astype(np.float32)
    for _ in range(rng.poisson(4.5 * render.nuisance)):
        layer, x, y = image.copy(), int(rng.integers(width)), int(rng.integers(height))
        size = (int(rng.uniform(0.03, 0.2) * width), int(rng.uniform(0.03, 0.25) * height))
        if rng.random() < 0.6:
            cv2.rectangle(layer, (x, y), (x + size[0], y + size[1]), _colour(rng), -1)
        else:
            cv2.ellipse(layer, (x, y), size, rng.uniform(0, 180), 0, 360, _colour(rng), -1, cv2.LINE_AA)
        image += rng.uniform(0.3, 0.9) * (layer - image)
    for cells in (5, 12, 30, 80):
        rows = cells * height // width + 1
        grid = (rng.normal(size=(rows, cells, 1)) + 0.5 * rng.normal(size=(rows, cells, 3))).astype(np.float32)
        image += rng.uniform(4, 12) * cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC)
    return image.clip(0, 255).astype(np.uint8)


def _camera(render: Render, name: str, group: int, rng: np.random.Generator) -> Array:
    """The picture's motion, (frames, 2, 3) affine maps from the steady picture to the frame's, in pixels.

    Every class has the same mix of kinds of camera over its groups, so that the classes' mean flow is the action's.
    """
    import numpy as np

    kind = CAMERAS[(group + zlib.crc32(name.encode())) % len(CAMERAS)]
    seconds = np.arange(render.frames) / render.fps
    pixels, middle = 0.5 * render.nuisance * render.width / 96, (render.width / 2, render.height / 2)
    size = {"tripod": 0.15, "handheld": 1.2, "pan": 0.5, "zoom": 0.4}[kind] * rng.uniform(0.7, 1.3)
    shift = pixels * size * np.stack([_drift(rng, seconds, 2.0), _drift(rng, seconds, 2.0)], axis=1)
    angle = 0.003 * render.nuisance * size * _drift(rng, seconds, 1.5)
    zoom = np.ones(render.frames)
    if kind == "pan":
        shift[:, 0] += pixels * rng.choice([-1, 1]) * rng.uniform(5, 10) * (seconds - seconds.mean())
    if kind == "zoom":
        zoom += render.nuisance * rng.choice([-1, 1]) * rng.uniform(0.03, 0.06) * (seconds - seconds.mean())
    maps = np.zeros((render.frames, 2, 3))
    maps[:, 0, 0] = maps[:, 1, 1] = zoom * np.cos(angle)
    maps[:, 1, 0], maps[:, 0, 1] = zoom * np.sin(angle), -zoom * np.sin(angle)
    maps[:, :, 2] = shift + middle - maps[:, :, :2] @ middle
    return maps


@dataclass(frozen=True)
class Placement:
    """Where a person stands in the picture and how they are seen."""

    x: float  # pixels, of the body's middle
    y: float  # pixels, of the height ``anchor``
    anchor: float  # in body heights
    scale: float  # pixels in a body height
    view: float  # radians: 0 from the side, pi/2 from the front
    mirrored: bool


def _placement(action: Action, render: Render, group: np.random.Generator, clip: np.random.Generator) -> Placement:
    scale, anchor, y = FRAMINGS[action.framing]
    nuisance, variety = render.nuisance, render.variety
    return Placement(
        x=render.width * (0.5 + nuisance * clip.uniform(-0.06, 0.06)),
        y=render.height * (y + nuisance * clip.uniform(-0.02, 0.02)),
        anchor=anchor,
        scale=render.height * scale * (1 + nuisance * (group.uniform(-0.06, 0.06) + clip.uniform(-0.02, 0.02))),
        view=math.radians(action.view + variety * (group.uniform(-12, 12) + clip.uniform(-3, 3))),
        mirrored=bool(group.random() < 0.5),
    )


def _outlines(shapes: Iterable[Shape], place: Placement, camera: Array) -> list[tuple[Array, Array, tuple[float, ...]]]:
    """Each shape as (convex polygon in fixed-point pixels (frames, corners, 2), depth (frames,), colour)."""
    import numpy as np

    sine, cosine = math.sin(place.view), math.cos(place.view)
    flip = -1.0 if place.mirrored else 1.0
    outlines = []
    for shape in shapes:
        x, y, z = np.stack(shape.points, 1).transpose(2, 0, 1)  # each (frames, points)
        right, nearness = cosine * x + sine * y, sine * x - cosine * y
        down = place.anchor - z + 0.15 * nearness  # the camera looks from a little above
        corners = np.stack([place.x + flip * place.scale * right, place.y + place.scale * down], 2)
        if shape.radii:
            way = corners[:, 1] - corners[:, 0]
            heading = np.arctan2(way[:, 1], way[:, 0])[:, None] + np.linspace(-0.5, 0.5, 6) * math.pi
            rim = np.stack([np.cos(heading), np.sin(heading)], 2) * place.scale
            ends = [corners[:, 1:] + shape.radii[1] * rim, corners[:, :1] - shape.radii[0] * rim]
            corners = np.concatenate(ends, 1)
        corners = corners @ camera[:, :, :2].transpose(0, 2, 1) + camera[:, None, :, 2]
        depth = nearness.mean(axis=1) + shape.nearer
        shade = float(np.clip(1 + 0.8 * nearness.mean(), 0.75, 1.1))  # what is farther is darker
        fixed = np.round(corners * 2**SUBPIXEL).astype(np.int32)
        outlines.append((fixed, depth, tuple(min(255.0, shade * value) for value in shape.colour)))
    return outlines


def render_video(render: Render, class_name: str, group: int, clip: int) -> Array:
    """One video, uint8 (frames, height, width, 3) in BGR: the same bits in whatever order, and in whichever process."""
    import cv2
    import numpy as np

    action = _action(render, class_name)
    of_group, of_clip = _rng(render, "group", group), _rng(render, "clip", class_name, group, clip)
    actor, gain = _actor(of_group), 1 + render.nuisance * of_group.uniform(-0.10, 0.06)
    place = _placement(action, render, of_group, of_clip)
    camera = _camera(render, class_name, group, of_clip)
    pose = _performed(action, of_clip, render)
    crowd = [(_body(pose, actor, render.frames), place)]
    if of_clip.random() < 0.15 * render.nuisance:
        crowd.insert(0, _bystander(render, of_clip))

    layers = [
        (corners, depth + 10 * number, colour)
        for number, (shapes, where) in enumerate(crowd)
        for corners, depth, colour in _outlines(shapes, where, camera)
    ]
    if of_clip.random() < 0.12 * render.nuisance:
        layers.append(_occluder(render, of_clip, camera))
    order = np.argsort(np.stack([depth for _, depth, _ in layers]), axis=0, kind="stable")

    scene = _scene(render, group)
    left = (0.5 + render.nuisance * of_clip.uniform(-0.15, 0.15)) * render.width  # which part of the scene is seen
    inset = np.array([[1, 0, -left], [0, 1, -render.height / 2], [0, 0, 1]])
    size = (render.width, render.height)
    video = np.empty((render.frames, render.height, render.width, 3), np.uint8)
    for t, frame in enumerate(video):
        cv2.warpAffine(scene, camera[t] @ inset, size, frame, cv2.INTER_LINEAR, cv2.BORDER_REFLECT)
        for i in order[:, t]:
            corners, _, colour = layers[i]
            cv2.fillConvexPoly(frame, corners[t], colour, cv2.LINE_AA, SUBPIXEL)
    return _developed(video, render, gain, of_clip)


def _bystander(render: Render, rng: np.random.Generator) -> tuple[list[Shape], Placement]:
    """A second, smaller person in the background."""
    action = BYSTANDERS[rng.integers(len(BYSTANDERS))]
    place = _placement(action, render, rng, rng)
    x = render.width * (rng.uniform(0.05, 0.25) if rng.random() < 0.5 else rng.uniform(0.75, 0.95))
    place = dataclasses.replace(place, x=x, y=0.48 * render.height, scale=place.scale * rng.uniform(0.6, 0.85))
    return _body(_performed(action, rng, render), _actor(rng), render.frames), place


def _occluder(render: Render, rng: np.random.Generator, camera: Array) -> tuple[Array, Array, tuple[float, ...]]:
    """Something upright in the foreground, at one side of the picture."""
    import numpy as np

    x = render.width * (rng.uniform(0.0, 0.35) if rng.random() < 0.5 else rng.uniform(0.65, 1.0))
    half, top = render.width * rng.uniform(0.02, 0.06), render.height * rng.uniform(-0.2, 0.7)
    box = np.array([(x - half, top), (x + half, top), (x + half, 2 * render.height), (x - half, 2 * render.height)])
    corners = box @ camera[:, :, :2].transpose(0, 2, 1) + 1.3 * camera[:, None, :, 2]
    return np.round(corners * 2**SUBPIXEL).astype(np.int32), np.full(render.frames, 99.0), _colour(rng)


def _developed(video: Array, render: Render, gain: float, rng: np.random.Generator) -> Array:
    """What lens, light, sensor and storage do to the drawn frames."""
    import cv2
    import numpy as np

    seconds = np.arange(render.frames) / render.fps
    light = gain * (1 + 0.025 * render.nuisance * _drift(rng, seconds, 0.8))
    margin = 16
    grain = rng.standard_normal((render.height + margin, render.width + margin, 3), dtype=np.float32) * render.noise
    offsets = rng.integers(0, margin, (render.frames, 2))
    for t, frame in enumerate(video):
        if render.blur:
            frame[:] = cv2.GaussianBlur(frame, (0, 0), render.blur)
        y, x = offsets[t]
        exposed = (frame - 118.0) * np.float32(render.contrast * light[t]) + np.float32(118.0 * light[t])
        exposed += grain[y : y + render.height, x : x + render.width]
        frame[:] = np.rint(exposed).clip(0, 255)
        if render.jpeg:
            _, packed = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, render.jpeg])
            frame[:] = cv2.imdecode(packed, cv2.IMREAD_COLOR)
    return video


def _action(render: Render, class_name: str) -> Action:
    try:
        return ACTIONS[render.vocabulary][class_name]
    except KeyError:
        names = ", ".join(class_names(render.vocabulary))
        raise DtkdError(f"The demo {render.vocabulary} has no class {class_name!r}; it has {names}.") from None


def render_class(
    render: Render, class_name: str, root: str | Path, progress: Callable[[int], object] | None = None
) -> list[Path]:
    """Write the videos of one class under ``root`` (as `layout` names them); call ``progress(1)`` after each."""
    import cv2

    _action(render, class_name)
    paths = []
    for group, clip in _clips(render):
        path = Path(root) / _path(render, class_name, group, clip)
        with atomic(path) as temporary:
            size = (render.width, render.height)
            writer = cv2.VideoWriter(str(temporary), cv2.VideoWriter_fourcc(*"XVID"), float(render.fps), size)
            if not writer.isOpened():
                raise DtkdError(f"Cannot write {path}: this OpenCV has no XVID encoder, or the folder is not writable.")
            for frame in render_video(render, class_name, group, clip):
                writer.write(frame)
            writer.release()
            _check_written(temporary, path, render.frames)
        paths.append(path)
        if progress:
            progress(1)
    return paths
