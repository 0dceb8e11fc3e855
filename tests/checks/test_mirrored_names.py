"""Names that a mirror swaps, and names that it does not."""

import doctest

import pytest

from dtkd.checks import mirrored_names
from dtkd.checks.mirrored_names import mirrored, one_sided


def test_doctests():
    assert doctest.testmod(mirrored_names).failed == 0


@pytest.mark.parametrize(("one", "other"), [
    ("wave_left", "wave_right"),
    ("TurnLeft", "TurnRight"),
    ("left-hand wave", "right-hand wave"),
    ("lefthand", "righthand"),
    ("punch_l", "punch_r"),
    ("L punch", "R punch"),
    ("left_righty_backhand_shot", "right_lefty_backhand_shot"),
    ("spin_clockwise", "spin_counterclockwise"),
    ("spin clockwise", "spin_anti-clockwise"),
    ("spin_cw", "spin_ccw"),
    ("links", "rechts"),
    ("drehung_links", "drehung_rechts"),
])  # fmt: skip
def test_a_mirror_turns_them_into_each_other(one, other):
    whole, partly = mirrored([one, "jump", other])
    assert (whole, partly) == ([tuple(sorted((one, other)))], [])


@pytest.mark.parametrize(("one", "other"), [
    ("look_up", "look_down"),
    ("roll_forward", "roll_backward"),
    ("sit_up", "sit_down"),
    ("upright", "uplift"),
    ("rolling", "crawling"),  # no letter within a word is a side
    ("walk", "run"),
    ("wave_left", "jump_right"),
])  # fmt: skip
def test_a_mirror_leaves_them_apart(one, other):
    assert mirrored([one, other]) == ([], [])


def test_the_eight_strokes_of_table_tennis():
    """Both words of a name change in the mirror, so that four pairs are each other's image, and no others are told."""
    names = [f"{side}_{hand}_{stroke}" for side in ("left", "right") for hand in ("lefty", "righty")
             for stroke in ("backhand", "forehand")]  # fmt: skip
    whole, partly = mirrored(names)
    assert whole == [
        ("left_lefty_backhand", "right_righty_backhand"),
        ("left_lefty_forehand", "right_righty_forehand"),
        ("left_righty_backhand", "right_lefty_backhand"),
        ("left_righty_forehand", "right_lefty_forehand"),
    ]
    assert partly == []


def test_a_part_of_the_words_changes_where_the_mirror_image_is_no_class():
    assert mirrored(["left_righty", "right_righty"]) == ([], [("left_righty", "right_righty")])


def test_one_sided():
    assert one_sided(["kick_left", "jump", "bright_light", "TurnRight", "l_hook"]) == ["kick_left", "TurnRight"]
