"""Lists of videos drawn by group: where a data set has none of its own, and for what is held out."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

from dtkd.common.errors import DtkdError


def draw_lists(
    classes: Mapping[str, str], groups: Mapping[str, str], lists: int, test_fraction: float, seed: int,
    where: str | Path, what: str = "group",
) -> list[set[str]]:  # fmt: skip
    """The test videos of each list, drawn by group; ``classes`` and ``groups`` are of each video's path.

    Groups are visited in an order hashed from (seed, list, group), those least tested in earlier lists first, and go
    to the test side where that brings their classes nearer to `test_fraction`. So the draw is the same on every
    machine; test sets of different lists overlap only where they must; more lists leave the first ones as they were;
    and, where no group spans classes, a video added to a class leaves the other classes' lists as they were.

    Raises DtkdError, which names ``where`` and calls a group ``what``, if a class has one only or groups are too large.
    """
    members: dict[str, Counter[str]] = defaultdict(Counter)
    for path, group in groups.items():
        members[group][classes[path]] += 1
    sizes = Counter(classes.values())
    for class_name in sizes:
        if sum(class_name in own for own in members.values()) < 2:
            raise DtkdError(
                f"{where}: class {class_name} has one {what} only and cannot be both trained and tested on; "
                f"add another {what}" + (", or change `group_pattern`" if what == "group" else "")
            )
    tested: Counter[str] = Counter()
    drawn = []
    for number in range(1, lists + 1):
        test, lacking = draw_groups(members, sizes, test_fraction, tested.__getitem__, seed, number)
        if lacking is not None:
            raise DtkdError(
                f"{where}: found no test groups for class {lacking} in list {number} that leave every class "
                "something to train on; `group_pattern` gives too few or too large groups, or lower "
                "`test_fraction`"
            )
        tested.update(test)
        drawn.append({path for path, group in groups.items() if group in test})
    return drawn


def draw_groups(
    members: Mapping[str, Counter[str]], sizes: Mapping[str, int], fraction: float, rank: Callable[[str], int],
    *seed: object,
) -> tuple[set[str], str | None]:  # fmt: skip
    """Groups with about ``fraction`` of each class's videos, and a class that has none in them or no others (None: each
    has both).

    Args:
        members: group -> class -> its number of videos.
        sizes: class -> its number of videos.
        rank: of a group; those of a low rank come first, and among them ``seed`` decides.
    """
    for attempt in range(20):
        order = sorted(members, key=lambda group: (rank(group), _hash(*seed, attempt, group)))
        drawn, lacking = _draw(order, members, sizes, fraction)
        if lacking is None:
            break
    return drawn, lacking


def _draw(
    order: list[str], members: Mapping[str, Counter[str]], sizes: Mapping[str, int], fraction: float
) -> tuple[set[str], str | None]:
    """The test groups, and a class that could not be given any test video (None if all is well)."""
    target = {name: min(max(fraction * size, 1), size - 1) for name, size in sizes.items()}
    held: Counter[str] = Counter()
    test: set[str] = set()

    def change(group: str) -> float:  # of the squared distance to the target, summed over the group's classes
        return sum(
            ((held[name] + number - target[name]) ** 2 - (held[name] - target[name]) ** 2) / sizes[name] ** 2
            for name, number in members[group].items()
        )

    def leaves_train(group: str) -> bool:
        return all(held[name] + number < sizes[name] for name, number in members[group].items())

    def take(group: str) -> None:
        test.add(group)
        held.update(members[group])

    for group in order:
        if change(group) < 0 and leaves_train(group):
            take(group)
    for class_name in sizes:
        if not held[class_name]:
            able = [group for group in order if class_name in members[group] and leaves_train(group)]
            if not able:
                return test, class_name
            take(min(able, key=change))
    return test, None


def _hash(*values: object) -> bytes:
    return hashlib.sha256("\0".join(map(str, values)).encode()).digest()
