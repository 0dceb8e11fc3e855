"""Classes that a horizontal flip turns into each other, by their names: `wave_left` and `wave_right`.

Left and right change sides in a mirror, and so does the sense of a rotation. Up and down do not, nor do forward and
backward: these stay what they are for whoever acts, and need no finding.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import combinations

PAIRS = (
    ("left", "right"), ("lefty", "righty"), ("lhs", "rhs"), ("clockwise", "counterclockwise"), ("cw", "ccw"),
    ("links", "rechts"), ("gauche", "droite"), ("izquierda", "derecha"), ("sinistra", "destra"),
    ("esquerda", "direita"), ("左", "右"),
)  # fmt: skip
LETTERS = (("l", "r"),)
"""Only as words of their own: `punch_l`."""

_SWAP = {word: other for pair in (*PAIRS, *LETTERS) for word, other in (pair, pair[::-1])}
_WORDS = re.compile("|".join(sorted((word for pair in PAIRS for word in pair), key=len, reverse=True)))
_COUNTER = re.compile(r"\b(?:anti|counter|contra) ?clockwise\b")


def plain(name: str) -> str:
    """A name as lower-case words between spaces.

    >>> plain("turnLeft_Hand-2"), plain("anti-clockwise")
    ('turn left hand 2', 'counterclockwise')
    """
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|[\W_]+", " ", name).casefold()
    return _COUNTER.sub("counterclockwise", " ".join(words.split()))


def sides(name: str) -> list[tuple[int, int]]:
    """Where the words that a mirror changes stand in a `plain` name.

    >>> sides("left righty shot")
    [(0, 4), (5, 11)]
    """
    found = [match.span() for match in _WORDS.finditer(name)]
    letters = "|".join(letter for pair in LETTERS for letter in pair)
    return sorted(found + [match.span() for match in re.finditer(rf"(?<!\S)(?:{letters})(?!\S)", name)])


def swapped(name: str, places: Iterable[tuple[int, int]]) -> str:
    """A `plain` name with the words at ``places`` as a mirror shows them.

    >>> swapped("left righty shot", [(0, 4), (5, 11)])
    'right lefty shot'
    """
    for start, end in sorted(places, reverse=True):
        name = name[:start] + _SWAP[name[start:end]] + name[end:]
    return name


def mirrored(classes: Iterable[str]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """(pairs of classes each of which a flip shows as the other, pairs that it brings nearer to each other).

    Of the second kind are names in which a part of the words changes: mirrored, `left_righty` is a `right_lefty`,
    and where there is no such class, `right_righty` is what it looks like most.
    """
    by_words = {plain(name): name for name in classes}
    whole, partly = set(), set()
    for words, name in by_words.items():
        places = sides(words)
        for size in range(1, len(places) + 1):
            for some in combinations(places, size):
                other = by_words.get(swapped(words, some))
                if other is not None and other != name:
                    (whole if size == len(places) else partly).add(tuple(sorted((name, other))))
    one_of_a_pair = {name for pair in whole for name in pair}
    return sorted(whole), sorted(pair for pair in partly if not set(pair) <= one_of_a_pair)


def one_sided(classes: Iterable[str]) -> list[str]:
    """The classes whose names have a word that a mirror changes (single letters apart), in their order."""
    return [name for name in classes if any(_WORDS.fullmatch(word) for word in plain(name).split())]
