"""Checks of what a network sees: crops, clips, frame rates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from math import isnan

import numpy as np

from dtkd.checks.card import Card
from dtkd.checks.findings import Finding
from dtkd.checks.wording import config, listed, number, percent
from dtkd.motion.subsets import differing_rates

HARDLY, HALF, MOST = 0.25, 0.5, 0.75
"""Shares of the motion that a crop has."""
SHORT, MIDDLE = 0.25, 0.5
"""Shares of a video's length that a test clip covers."""
COVER = 0.75
"""The share that a proposed clip covers."""
OFTEN = 0.25
"""A share of the videos that is no exception."""


def unseen_motion(card: Card) -> Iterator[Finding]:
    """What moves outside the crops."""
    augment = card.settings.augment
    views = [view for view in card.views if not isnan(view.test)]
    if not views:
        return
    test, train = (float(np.mean([getattr(view, side) for view in views])) for side in ("test", "train"))
    own = defaultdict(list)
    for view in views:
        own[card.index["class"][view.number]].append(view.test)
    shares = sorted((float(np.mean(values)), name) for name, values in own.items())
    hidden = [name for share, name in shares if share < HALF]
    if test >= MOST and not hidden:
        return
    several = card.settings.evaluation.crops_per_clip > 1
    crops, has = ("the test's crops", "have") if several else ("the test crop", "has")
    of_classes = f" Of {listed(hidden)} it is less than half." if hidden and test >= HALF else ""
    yield Finding(
        "error" if test < HARDLY else "warning" if test < HALF or hidden else "note",
        f"Of what moves, {crops} {has} {percent(test)}, a training crop {percent(train)} (means of "
        f"{number(len(views), 'video')}).{of_classes}",
        f"A crop is a square of {augment.crop} pixels, in the test from the centre of a frame whose shorter side is "
        f"scaled to {augment.test_short_side}: the sides of a wide video are cut away, and who acts there with them.",
        "Show whole frames: with black bars (letterbox), or pressed into a square (fit: squash).",
        config(augment={"fit": "letterbox"}),
        tuple({"class": name, "motion in the test crop": percent(share)} for share, name in shares),
    )


def clip_span(card: Card) -> Iterator[Finding]:
    """How much of a video's length a clip covers."""
    clip = card.settings.clip
    if clip.fps is None:
        lengths, window, unit = np.array([info.frames for info in card.infos]), clip.frames * clip.rate, "frames"
    else:
        lengths, window, unit = card.durations, clip.frames / clip.fps, "seconds"
    lengths = lengths[np.isfinite(lengths)]
    if not len(lengths):
        return
    if clip.fps is not None:
        proposal = {"fps": float(f"{clip.frames / _proposed_length(lengths, window, 0.1):.2g}")}
    else:
        rate = _proposed_rate(card)
        proposal = _by_time(card, rate) if _rates_differ(card) else {"rate": rate}
    given = all(getattr(clip, key) == value for key, value in proposal.items())
    line = "" if given else config(clip=proposal)
    usual = float(np.median(lengths))
    if window < MIDDLE * usual:
        yield Finding(
            "warning" if window < SHORT * usual else "note",
            f"A clip covers {window:.3g} {unit}, and the median video has {usual:.3g}: the test sees its middle "
            f"{percent(window / usual)}.",
            "What comes before and after is not tested, and a training clip may miss what its label says.",
            "Take frames further apart, as far as short videos allow; or test on several clips a video (evaluation: "
            "{clips_per_video: 4}).",
            line,
        )
    shorter = float((lengths < window).mean())
    if OFTEN < shorter < 1:
        yield Finding(
            "note",
            f"{percent(shorter)} of the videos are shorter than a clip ({window:.3g} {unit}).",
            "Their frames are spread over their whole length, so that everything is slower in them than in the others.",
            "Take a clip that fits in nearly all.",
            line,
        )


def _proposed_length(lengths: np.ndarray, window: float, least: float) -> float:
    """What a clip should cover of videos of these lengths: one answer to all that is found, or ``window`` itself.

    Most of the usual video, but no more than most videos have; where many are shorter than the clip, it is to fit in
    nearly all, whatever it then covers of the others.
    """
    usual = float(np.median(lengths))
    if OFTEN < (lengths < window).mean() < 1:
        return max(float(np.quantile(lengths, 0.1)), least)
    if window < MIDDLE * usual:
        return max(min(COVER * usual, float(np.quantile(lengths, OFTEN))), window)
    return window


def _rates_differ(card: Card) -> bool:
    """Whether `frame_rates` finds that clips should be taken by time; then all findings propose them so."""
    return bool(differing_rates(card.index)) or any(info.times is not None for info in card.infos)


def _proposed_rate(card: Card) -> int:
    """The clip's rate, or the one that `clip_span` proposes in its place."""
    clip, lengths = card.settings.clip, np.array([info.frames for info in card.infos])
    length = _proposed_length(lengths, clip.frames * clip.rate, clip.frames)
    nearest = max(1, round(length / clip.frames))
    fits = (lengths < nearest * clip.frames).mean() <= OFTEN
    return nearest if fits else max(1, int(length // clip.frames))


def _by_time(card: Card, rate: int) -> dict[str, float | None]:
    """The clip by time that is one of every ``rate`` frames at the usual frame rate."""
    usual = np.median([info.fps for info in card.infos if info.fps])
    return {"rate": None, "fps": float(f"{usual / rate:.2g}")}


def frame_rates(card: Card) -> Iterator[Finding]:
    """Rates that differ by class, or vary within videos."""
    clip = card.settings.clip
    rates = [info.fps for info in card.infos if info.fps]
    if not rates:
        return
    changes = {} if card.settings.unit == "second" else {"flow": {"unit": "second"}}
    by_time = {} if clip.fps else {"clip": _by_time(card, _proposed_rate(card))}
    told = differing_rates(card.index)
    if told and (changes or by_time):
        yield Finding(
            "warning",
            f"The videos of {number(len(told), 'class', 'classes')} have another frame rate than the others: "
            f"{'; '.join(text.partition(':')[0].removeprefix('the videos of ') for text in told[:3])}"
            f"{' and so on' if len(told) > 3 else ''}.",
            "Where motion is counted in pixels a frame, the camera decides which classes are static; and a clip of "
            "every so many frames is of another time.",
            "Count motion, and take clips, by time.",
            config(**changes, **by_time),
        )
    varying = sum(info.times is not None for info in card.infos)
    if varying and by_time:
        yield Finding(
            "note",
            f"The frame rate of {number(varying, 'video')} of {len(card.infos)} varies.",
            "A clip of every so many frames jumps in time there.",
            "Take clips by time.",
            config(**by_time),
        )
