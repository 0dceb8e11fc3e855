"""The registry of checks: each is a function of a `Card` that yields what it found.

A new check is one function, in the module of its theme (`classes`, `views`, `lists`,
`worth`), and one entry of `CHECKS`. What it asks of the card is computed when it asks. `needs` is for what must
have been made before: a check without it is named as not done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from dtkd.checks import classes, lists, views, worth
from dtkd.checks.card import Card
from dtkd.checks.findings import Finding, ordered

VIDEOS, FLOW = "videos", "flow"


@dataclass(frozen=True)
class Check:
    find: Callable[[Card], Iterable[Finding]]
    needs: str = VIDEOS
    """VIDEOS and lists alone, or the classes' FLOW tables."""
    persons: bool = False
    """Whether it is one of studies alone that measure the motion of persons."""

    @property
    def name(self) -> str:
        return self.find.__name__


CHECKS = (
    Check(classes.broken_files),
    Check(classes.passed_over),
    Check(classes.mirrored_classes),
    Check(views.unseen_motion),
    Check(lists.copies),
    Check(lists.shared_recordings),
    Check(lists.shared_places),
    Check(lists.groups_in_names),
    Check(lists.occasions),
    Check(lists.nothing_groups),
    Check(lists.file_tells_class),
    Check(views.frame_rates),
    Check(views.clip_span),
    Check(worth.chosen_on_test),
    Check(worth.test_size),
    Check(classes.few_and_many),
    Check(classes.lone_static_class),
    Check(worth.persons_found, needs=FLOW, persons=True),
    Check(worth.unsteady_groups, needs=FLOW),
)


def needing(what: str) -> tuple[Check, ...]:
    return tuple(check for check in CHECKS if check.needs == what)


def run(card: Card, checks: Sequence[Check] = CHECKS) -> tuple[list[Finding], list[str]]:
    """(what the checks found, the most serious first; the names of those that lacked the flow tables they need).

    A check that needs flow is none of a data set whose groups do not come from flow.
    """
    found, undone = [], []
    for check in checks:
        if check.persons and "on_no_person" not in card.settings.split:
            continue
        if check.needs == FLOW:
            if card.settings.split["source"] != "flow":
                continue
            if card.flows is None:
                undone.append(check.name)
                continue
        found += [replace(finding, check=check.name) for finding in check.find(card)]
    return ordered(found), undone
