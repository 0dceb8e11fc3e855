"""Every check finds what it is for and is silent otherwise, and what it proposes is a setting that fixes it."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from dtkd.checks import classes as checks_classes
from dtkd.checks import lists as checks_lists
from dtkd.checks import registry, worth
from dtkd.checks import views as checks_views
from dtkd.checks.card import Card, Settings
from dtkd.checks.duplicates import Pair
from dtkd.checks.findings import ordered
from dtkd.checks.name_groups import Grouping
from dtkd.checks.windows import View
from dtkd.config import read
from dtkd.config.overlays import study_of
from dtkd.data.inspection import read_problems
from dtkd.training.sampling import Window

PROJECT = Path(__file__).parents[2]
STUDY = study_of([PROJECT / "studies/own_videos.yaml"], PROJECT, ["train={selection: best}"])
CLASSES = ("climb", "jump", "run", "sit", "walk")
NOTHING = {"views": [], "twins": [], "named": None, "occasions": None, "numbered": None}


def card(classes=CLASSES, train=20, test=10, lists=1, infos=None, known=None, **settings):
    """A card whose measurements are ``known``; by default nothing is there to be found in them.

    ``train`` and ``test`` are numbers of videos of each class, or of each by name; settings change those of the study,
    a mapping key by key.
    """
    plain = STUDY.checked("my_videos")
    for name, value in settings.items():
        plain[name] = plain[name] | value if isinstance(value, dict) else value
    number = {side: count if isinstance(count, dict) else dict.fromkeys(classes, count)
              for side, count in (("train", train), ("test", test))}  # fmt: skip
    rows = [
        {"path": f"{name}/{label}{side}{k}.avi", "video": f"{label}{side}{k}.avi", "class": name, "label": label,
         **{f"list{n}": side for n in range(1, lists + 1)}, "bytes": 1, "mtime_ns": 0}
        for label, name in enumerate(classes) for side in ("train", "test") for k in range(number[side][name])
    ]  # fmt: skip
    index = pd.DataFrame(rows)
    info = {"frames": 100, "fps": 25.0, "width": 320, "height": 240, "keys": (), "start": 0.0, "times": None}
    for column, value in (info | (infos or {})).items():
        index[column] = [value(row) if callable(value) else value for _, row in index.iterrows()]
    made = Card("my_videos", Settings.of(plain), index, read_problems("none"), Path("results/my_videos"))
    made.__dict__.update(NOTHING | {"places": list(range(len(index)))} | (known(made) if known else {}))
    return made


def only(found):
    [finding] = list(found)
    return finding


def assert_mends(finding, check, made):
    """The proposed setting is a valid one, and with it the check has nothing to say of the same measurements."""
    made.settings = Settings.of(changed(finding).checked("my_videos"))
    assert list(check(made)) == []


def changed(finding):
    """The study with what a finding proposes."""
    return read(merged(STUDY.model_dump(mode="json"), yaml.safe_load(finding.config)))


def merged(config, changes):
    return {key: merged(config[key], changes[key]) if isinstance(changes.get(key), dict) and config.get(key)
            else changes.get(key, config.get(key)) for key in {**config, **changes}}  # fmt: skip


# The registry


def test_every_function_of_the_themes_is_registered_once():
    """A check that is written and not entered would never run."""
    names = [check.name for check in registry.CHECKS]
    assert len(set(names)) == len(names)
    written = set()
    for module in (checks_classes, checks_lists, checks_views, worth):
        source = Path(module.__file__).read_text(encoding="utf-8")
        written |= set(re.findall(r"^def ([a-z]\w*)\(card: Card\) -> Iterator\[Finding\]", source, flags=re.M))
    assert written == set(names)


def test_a_sound_data_set_has_no_errors_and_no_warnings_but_of_its_lists_and_the_papers_rule():
    made = card(infos={"frames": 30}, train=100, test=60)
    found, undone = registry.run(made, [check for check in registry.CHECKS if check.name != "passed_over"])
    assert {finding.check for finding in found if finding.level != "note"} == {"nothing_groups", "chosen_on_test"}
    assert undone == ["unsteady_groups"]


def test_the_most_serious_come_first_with_their_checks_names():
    made = card(classes=("kick_left", "kick_right", "run", "sit", "walk"))
    found, _ = registry.run(made, [check for check in registry.CHECKS if check.name != "passed_over"])
    assert found[0].check == "mirrored_classes"
    assert found == ordered(found)


@pytest.mark.parametrize("source", ["listed", "random"])
def test_groups_that_are_not_by_flow_need_none(source):
    made = card()
    made.settings = replace(made.settings, split={"source": source})
    assert registry.run(made, registry.needing(registry.FLOW)) == ([], [])


# Files and classes


def test_broken_files():
    made = card()
    assert list(checks_classes.broken_files(made)) == []
    made.problems = pd.DataFrame([["run/x.avi", "run", "list1 test", "is empty (0 bytes)"]],
                                 columns=["video", "class", "lists", "reason"])  # fmt: skip
    found = only(checks_classes.broken_files(made))
    assert found.what == "1 of 151 videos cannot be used."
    assert found.rows == ({"video": "run/x.avi", "class": "run", "why": "is empty (0 bytes)"},)
    assert changed(found).on_bad_video == "skip"


def test_passed_over(tmp_path):
    """Files that are no videos, and videos in deeper folders, by `datasets.passed_over`."""
    for name in ("run/1.avi", "run/2.avi", "run/3.xyz", "sit/1.avi", "sit/more/2.avi"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = only(checks_classes.passed_over(card(dataset={"videos": str(tmp_path)})))
    assert found.level == "note"
    assert "passes over 1 file with another suffix (.xyz: 1), such as run/3.xyz" in found.what
    assert "sit/more/2.avi" in found.what
    (tmp_path / "run/3.xyz").unlink()
    (tmp_path / "sit/more/2.avi").unlink()
    assert list(checks_classes.passed_over(card(dataset={"videos": str(tmp_path)}))) == []


def test_mirrored_classes():
    made = card(("turn_left", "turn_right", "run", "sit", "walk"))
    found = only(checks_classes.mirrored_classes(made))
    assert found.level == "error"
    assert "turns 1 pair of classes into each other" in found.what
    assert found.rows == ({"class": "turn_left", "its mirror image": "turn_right"},)
    assert_mends(found, checks_classes.mirrored_classes, made)


@pytest.mark.parametrize(("classes", "level"), [
    (("left_righty", "right_righty", "run"), "warning"),
    (("kick_left", "run", "walk"), "note"),
])  # fmt: skip
def test_names_with_a_side_and_no_mirror_image(classes, level):
    assert only(checks_classes.mirrored_classes(card(classes))).level == level


def test_up_and_down_are_no_mirror_images():
    assert list(checks_classes.mirrored_classes(card(("look_up", "look_down", "forward", "backward")))) == []


@pytest.mark.parametrize(("train", "what", "level"), [
    ({"climb": 9, "jump": 3, "run": 11, "sit": 11, "walk": 8},
     "3 classes of 5 have fewer than 10 training videos (list 1): climb, jump, walk.", "warning"),
    ({"climb": 12, "jump": 36, "run": 20, "sit": 20, "walk": 20}, "jump has 36 training videos, climb 12.", "note"),
    ({"climb": 12, "jump": 120, "run": 20, "sit": 20, "walk": 20}, "jump has 120 training videos, climb 12.",
     "warning"),
])  # fmt: skip
def test_few_and_many(train, what, level):
    found = list(checks_classes.few_and_many(card(train=train)))
    assert (found[0].what, found[0].level) == (what, level)
    assert list(checks_classes.few_and_many(card(train=12))) == []


@pytest.mark.parametrize(("number", "quantile", "alone"), [
    (4, 0.25, True), (5, 0.25, False), (8, 0.25, False), (5, 0.5, False), (8, 0.9, True), (5, 0.75, True),
])  # fmt: skip
def test_lone_static_class(number, quantile, alone):
    made = card([f"c{k}" for k in range(number)], split={"quantile": quantile})
    found = list(checks_classes.lone_static_class(made))
    assert bool(found) == alone
    if found:
        assert_mends(found[0], checks_classes.lone_static_class, made)


@pytest.mark.parametrize(("number", "quantile", "names", "alone"), [
    (8, [0.1, 0.5], None, "1 static"),
    (8, [0.5, 0.55], ["slow", "medium", "fast"], "0 medium"),
    (5, [0.3, 0.6], ["slow", "medium", "fast"], "1 medium"),
    (6, [0.33, 0.67], None, None),
])  # fmt: skip
def test_a_lone_class_among_three_groups(number, quantile, names, alone):
    split = {"quantile": quantile} | ({"names": names} if names else {})
    made = card([f"c{k}" for k in range(number)], split=split)
    found = list(checks_classes.lone_static_class(made))
    assert bool(found) == bool(alone)
    if found:
        assert f"makes {alone}." in found[0].what
        if number < 6:
            assert (found[0].remedy, found[0].config) == ("Add classes, or make fewer groups.", "")
        else:
            assert yaml.safe_load(found[0].config) == {"split": {"quantile": [0.33, 0.67]}}
            made.settings = replace(made.settings, split=dict(made.settings.split) | {"quantile": [0.33, 0.67]})
            assert list(checks_classes.lone_static_class(made)) == []


# What the network sees


def views(*shares):
    """Views of the classes' first videos, with these shares of the motion in the test crop, and half in training."""
    return lambda made: {"views": [
        View(int(np.flatnonzero(made.index["class"] == made.classes[k % len(made.classes)])[k // len(made.classes)]),
             np.zeros((9, 16, 3), np.uint8), np.ones((9, 16), np.float32), share, 0.5, (Window(0, 3, 9, 9),), ())
        for k, share in enumerate(shares)
    ]}  # fmt: skip


@pytest.mark.parametrize(("shares", "level"), [
    ([0.1] * 5, "error"),
    ([0.4] * 5, "warning"),
    ([0.9, 0.9, 0.9, 0.9, 0.3], "warning"),
    ([0.7] * 5, "note"),
    ([0.8] * 5, None),
    ([float("nan")] * 5, None),
    ([0.8, 0.9, float("nan")], None),
])  # fmt: skip
def test_unseen_motion(shares, level):
    found = list(checks_views.unseen_motion(card(known=views(*shares))))
    assert [finding.level for finding in found] == [level] * bool(level)
    assert all(finding.config == "augment: {fit: letterbox}" for finding in found)


def test_unseen_motion_names_the_classes():
    found = only(checks_views.unseen_motion(card(known=views(0.9, 0.9, 0.2, 0.9, 0.9, 0.9, 0.9, 0.4))))
    assert "Of run it is less than half." in found.what
    assert found.rows[0] == {"class": "run", "motion in the test crop": "30 %"}


def test_whole_frames_are_a_setting():
    assert changed(only(checks_views.unseen_motion(card(known=views(0.1))))).augment.fit == "letterbox"


@pytest.mark.parametrize(("frames", "level"), [(200, "warning"), (60, "note"), (40, None), (24, None), (10, None)])
def test_clip_span(frames, level):
    made = card(infos={"frames": frames})  # the clip is of 8 frames, every third one
    found = list(checks_views.clip_span(made))
    assert [finding.level for finding in found] == [level] * bool(level)
    if found:
        assert f"its middle {2400 / frames:.0f} %" in found[0].what
        assert_mends(found[0], checks_views.clip_span, made)


def test_clip_span_by_time():
    made = card(infos={"frames": 250}, clip={"rate": None, "fps": 8.0})
    found = only(checks_views.clip_span(made))  # a clip of 1 s in 10 s
    assert found.what == "A clip covers 1 seconds, and the median video has 10: the test sees its middle 10 %."
    assert found.config == "clip: {fps: 1.1}"


def test_videos_shorter_than_a_clip():
    made = card(infos={"frames": lambda row: 20 if row["class"] in ("run", "sit") else 40})
    found = only(checks_views.clip_span(made))
    assert found.what == "40 % of the videos are shorter than a clip (24 frames)."
    assert found.config == "clip: {rate: 2}"


@pytest.mark.parametrize(("some", "clip", "mended", "line"), [
    (20, {}, {"rate": 2}, "clip: {rate: 2}"),
    (23, {}, {"rate": 2}, "clip: {rate: 2}"),  # 3 would be nearer to 23 frames, and not fit
    (20, {"rate": None, "fps": 8.0}, {"rate": None, "fps": 10.0}, "clip: {fps: 10.0}"),
])  # fmt: skip
def test_a_clip_too_short_for_most_and_too_long_for_some_has_one_remedy(some, clip, mended, line):
    frames = {"frames": lambda row: some if row["class"] in ("run", "sit") else 100}
    made = card(infos=frames, clip=clip)
    short, long = checks_views.clip_span(made)  # 24 frames, or 1 s of 25
    assert "the test sees its middle" in short.what
    assert "40 % of the videos are shorter than a clip" in long.what
    assert short.config == long.config == line
    again = only(checks_views.clip_span(card(infos=frames, clip=mended)))
    assert "the test sees its middle" in again.what
    assert again.config == "", "most videos are still far longer, and no line undoes this one"


def test_frame_rates():
    made = card(infos={"fps": lambda row: 50.0 if row["class"] == "run" else 25.0})
    found = only(checks_views.frame_rates(made))
    assert found.level == "warning"
    assert "run have 50 frames a second, the data set's 25" in found.what
    assert found.config == "flow: {unit: second}\nclip: {rate: null, fps: 2.8}"  # as `clip_span` has it
    assert_mends(found, checks_views.frame_rates, made)
    assert list(checks_views.frame_rates(card())) == []


def test_a_clip_that_is_too_short_and_frame_rates_that_differ_have_one_remedy():
    made = card(infos={"fps": lambda row: 50.0 if row["class"] == "run" else 25.0, "frames": 250})
    span, rates = only(checks_views.clip_span(made)), only(checks_views.frame_rates(made))
    assert span.config in rates.config
    assert "rate: null, fps: " in span.config
    assert_mends(rates, checks_views.frame_rates, made)
    assert list(checks_views.clip_span(made)) == []


def test_varying_frame_rates():
    times = tuple(float(k) for k in range(100))
    made = card(infos={"times": lambda row: times if row["path"].endswith("train0.avi") else None})
    found = only(checks_views.frame_rates(made))
    assert (found.level, found.what) == ("note", "The frame rate of 5 videos of 150 varies.")
    assert_mends(found, checks_views.frame_rates, made)


# Train and test


def twins(*pairs):
    return lambda made: {"twins": [Pair(*pair) for pair in pairs]}


def test_copies_across_and_within():
    """Of each class, numbers 0 to 19 are trained on and 20 to 29 tested."""
    made = card(known=twins((0, 20, "file"), (1, 2, "copy"), (3, 40, "copy"), (4, 41, "copy", True)))
    odd, across, rest = checks_lists.copies(made)
    assert [row["other"] for row in odd.rows] == ["jump/1train10.avi"], "a mirror image may be another class"
    assert odd.level == "error"
    assert across.level == "error"
    assert across.what.startswith("1 pair of videos are the same and stand on both sides, train and test, of list 1.")
    assert across.rows == ({"video": "climb/0train0.avi", "other": "climb/0test0.avi", "how": "the same file",
                            "on both sides of": "list 1"},)  # fmt: skip
    entry = yaml.safe_load(across.config)["datasets"]["my_videos"]
    assert entry == {"format": "csv", "annotations": "results/my_videos/lists_by_group.csv"}
    assert rest.level == "note"
    assert [row["how"] for row in rest.rows] == ["a copy", "a copy", "a copy, mirrored"]


def test_where_no_lists_can_help():
    """All of one class belong together, by a chain of copies: there is nothing to propose."""
    made = card(known=twins(*((number, number + 1, "copy") for number in range(29))))
    across = next(finding for finding in checks_lists.copies(made) if "both sides" in finding.what)
    assert across.config == ""
    assert across.remedy.startswith("Keep one of each. No lists can keep them on one side")


def test_shared_recordings():
    made = card(known=twins((0, 20, "part"), (1, 2, "copy")))
    found = only(checks_lists.shared_recordings(made))
    assert found.level == "warning"
    assert found.rows[0]["how"] == "moments in common"
    assert list(checks_lists.shared_recordings(card())) == []


def test_places_on_both_sides():
    """Thirty places, each of one class and on both sides: the place tells the class."""
    made = card(known=lambda made: {"places": [number % 6 + 6 * label
                                               for number, label in enumerate(made.index["label"])]})  # fmt: skip
    found = only(checks_lists.shared_places(made))
    assert found.level == "warning"
    assert "50 of 50 in list 1" in found.what
    assert "the place alone tells the class of 100 %" in found.what
    assert "lists_by_group.csv" in found.config


def test_places_that_say_nothing_of_the_class():
    made = card(known=lambda made: {"places": [number % 6 for number in range(len(made.index))]})
    found = only(checks_lists.shared_places(made))
    assert "alone" not in found.what


def test_one_place_and_places_apart():
    hall = card(known=lambda made: {"places": [0] * 140 + list(range(140, 150))})
    found = only(checks_lists.shared_places(hall))
    assert (found.level, found.what) == ("note", "93 % of the videos show the same place.")
    apart = card(known=lambda made: {"places": [0 if side == "train" else 1 for side in made.index["list1"]]})
    assert list(checks_lists.shared_places(apart)) == []
    few = card(known=lambda made: {"places": [0, *range(1, 20), 0, *range(21, 150)]})
    assert list(checks_lists.shared_places(few)) == [], "one of fifty is no leak worth a warning"


def named(groups, pattern="(person[0-9]+)"):
    return lambda made: {"named": Grouping("person", tuple(map(groups, range(len(made.index)))), pattern)}


def test_groups_in_names():
    made = card(known=named(lambda number: f"person{number % 7}"))
    found = only(checks_lists.groups_in_names(made))
    assert found.what == ("By their names (such as person0), test videos are of the same person as training videos: "
                          "50 of 50 in list 1.")  # fmt: skip
    assert found.config == "datasets: {my_videos: {group_pattern: '(person[0-9]+)'}}"
    assert list(checks_lists.nothing_groups(made)) == []
    kept = card(known=named(lambda number: f"person{number // 10}"))
    assert list(checks_lists.groups_in_names(kept)) == []


def test_names_that_the_workflow_refuses_are_an_error():
    """By which lists drawn by clip would part scenes; with a word of the user's, or another sign, it is a warning."""
    made = card(known=named(lambda number: f"g{number % 7}"))
    made.index["path"] = [f"{row['class']}/v_{row['class']}_g{number % 7:02d}_c{number:03d}.avi"
                          for number, row in made.index.iterrows()]  # fmt: skip
    found = only(checks_lists.groups_in_names(made))
    assert (found.level, found.why.endswith("The workflow refuses such lists.")) == ("error", True)
    made.settings = Settings.of(dict(made.settings.plain) | {
        "dataset": made.settings.plain["dataset"] | {"group_pattern": "none"}})  # fmt: skip
    assert only(checks_lists.groups_in_names(made)).level == "warning"


def test_groups_in_names_of_lists_that_are_given():
    made = card(known=named(lambda number: f"person{number % 7}"), dataset={"format": "csv", "annotations": "x.csv"})
    found = only(checks_lists.groups_in_names(made))
    assert yaml.safe_load(found.config) == {"datasets": {"my_videos": {
        "format": "csv", "annotations": "results/my_videos/lists_by_group.csv"}}}  # fmt: skip


def test_occasions():
    groups = tuple(f"occasion{number % 9}" for number in range(150))
    made = card(known=lambda made: {"occasions": Grouping("occasion", groups)})
    found = only(checks_lists.occasions(made))
    assert found.level == "warning"
    assert found.what.startswith("By the times of recording (within 60 s of each other), test videos are of the same")
    assert "lists_by_group.csv" in found.config
    assert list(checks_lists.nothing_groups(made)) == []


def test_times_of_files_may_be_those_of_copies():
    """They are worth a note, and no reason to think that the lists keep anything together."""
    groups = tuple(f"occasion{number % 9}" for number in range(150))
    made = card(known=lambda made: {"occasions": Grouping("occasion", groups, sure=False)})
    assert only(checks_lists.occasions(made)).level == "note"
    assert list(checks_lists.nothing_groups(made)) != []


def test_nothing_groups():
    made = card()
    found = only(checks_lists.nothing_groups(made))
    assert found.level == "warning"
    assert "such as climb/0train0.avi do not tell" in found.what
    assert found.config == ""
    own = re.search(r"every video is of its own, (.+) says so", found.remedy)[1]
    assert_mends(replace(found, config=own), checks_lists.nothing_groups, made)
    assert list(checks_lists.nothing_groups(card(dataset={"format": "csv", "annotations": "x.csv"}))) == []
    found = only(checks_lists.nothing_groups(card(dataset={"format": "csv", "annotations": "mine/lists_by_group.csv"})))
    assert found.level == "note", "the check's own lists know of no persons"


def test_numbers_in_one_hall():
    """Names are numbers and all is filmed in one place: the same persons are likely, and neighbours can be kept."""
    made = card(known=lambda made: {"places": [0] * 150, "numbered": Grouping(
        "block", tuple(f"block{number % 12}" for number in range(150)))})  # fmt: skip
    found = only(checks_lists.nothing_groups(made))
    assert "the same persons are likely to come again" in found.what
    assert "lists_by_group.csv keep neighbours together" in found.remedy
    assert yaml.safe_load(found.config)["datasets"]["my_videos"]["format"] == "csv"
    assert made.proposal[1] == ["numbers"]


def test_file_tells_class():
    sizes = {"run": 640, "sit": 320}
    made = card(infos={"width": lambda row: sizes.get(row["class"], 480)})
    found = only(checks_lists.file_tells_class(made))
    assert "tell the class of 60 % of the test videos (chance: 20 %)" in found.what
    assert {"files": "640×240, 25 frames/s", "classes": "run"} in found.rows
    assert list(checks_lists.file_tells_class(card())) == []
    odd = card(infos={"width": lambda row: 320 + 2 * int(row["video"][-5])})
    assert list(checks_lists.file_tells_class(odd)) == [], "sizes that all classes share"


def test_an_entry_that_is_not_in_the_config_is_given_whole():
    made = card(known=named(lambda number: f"person{number % 7}"))
    made.in_config = False
    assert yaml.safe_load(only(checks_lists.groups_in_names(made)).config) == {"datasets": {"my_videos": {
        "format": "folders", "videos": "data/my_videos", "group_pattern": "(person[0-9]+)"}}}  # fmt: skip


# What results are worth


def test_chosen_on_test():
    made = card()
    found = only(worth.chosen_on_test(made))
    assert found.level == "warning"
    # the mean of the best of 10 standard normal numbers is 1.54; 50 videos at 60 % have a deviation of 6.9 points
    assert "With 50 test videos that adds up to 10.7 points" in found.why
    assert_mends(found, worth.chosen_on_test, made)
    assert only(worth.chosen_on_test(card(test=200, epochs=2))).level == "note"
    assert list(worth.chosen_on_test(card(epochs=1))) == []


@pytest.mark.parametrize(("test", "level"), [(2, "warning"), (10, "warning"), (60, "note"), (400, None)])
def test_test_size(test, level):
    found = list(worth.test_size(card(test=test)))
    assert [finding.level for finding in found] == [level] * bool(level)
    if test == 2:
        assert "to show no gain at all" in found[0].what
    if test == 10:
        assert found[0].config == "datasets: {my_videos: {test_fraction: 0.5}}"
        assert re.search(r"to show gains from 2\d points on; of 8 students, gains from 3\d points on", found[0].what)


def flows(made, means, spread):
    random = np.random.default_rng(0)
    return {name: pd.DataFrame({"video": made.index.loc[made.index["class"] == name, "video"],
                                "mean": mean + spread * random.standard_normal(30)})
            for name, mean in zip(made.classes, means, strict=True)}  # fmt: skip


def with_persons(shares, on_no_person="fail", means=(1, 1.1, 2, 3, 4)):
    """A card of a study by the motion of persons; ``shares`` of frames with a person, by class, of its first video."""

    def known(made):
        tables = flows(made, means, 0.01)
        for name, table in tables.items():
            table.insert(1, "pairs", 10)
            table["with_person"] = 1.0
            table.iloc[0, table.columns.get_loc("with_person")] = shares.get(name, 1.0)
            table["person"] = table["mean"].where(table["with_person"] > 0)
        return {"flows": tables}

    return card(known=known, split={"measure": "person", "on_no_person": on_no_person})


def test_persons_found():
    found, undone = registry.run(with_persons({"run": 0.4}), registry.needing(registry.FLOW))
    assert [finding.check for finding in found] == ["persons_found"]
    assert undone == []
    assert found[0].level == "note"
    assert found[0].what == "A person was found in 99.6 % of the frames."
    assert found[0].rows == ({"class": "run", "frames with a person": "98 %", "videos without": "0"},)


def test_a_video_without_a_person_is_an_error_unless_it_is_to_be_left_out():
    made = with_persons({"run": 0, "sit": 0})
    finding = only(worth.persons_found(made))
    assert finding.level == "error"
    assert finding.what.endswith("and nobody in 2 of 150 videos.")
    assert {row["class"]: row["videos without"] for row in finding.rows} == {"run": "1", "sit": "1"}
    assert changed(finding).split.on_no_person == "skip"
    assert list(worth.unsteady_groups(made)) == [], "there is no split"
    skipped = with_persons({"run": 0, "sit": 0}, "skip", means=(1, 1, 1, 1, 1))
    assert only(worth.persons_found(skipped)).level == "warning"
    assert only(worth.unsteady_groups(skipped)).check == ""


def test_classes_whose_persons_are_rarely_seen_are_worth_a_warning():
    made = with_persons({})
    made.flows["walk"]["with_person"] = 0.3
    assert only(worth.persons_found(made)).level == "warning"


def test_flow_that_knows_of_no_persons_has_to_be_made_first(tmp_path):
    made = with_persons({})
    tables = made.__dict__.pop("flows")
    made.folder = tmp_path
    (tmp_path / "flow").mkdir()
    for lacks, undone in ((["with_person"], ["persons_found", "unsteady_groups"]), ([], [])):
        for name, table in tables.items():
            table.drop(columns=lacks).to_parquet(tmp_path / "flow" / f"{name}.parquet")
        made.__dict__.pop("flows", None)
        assert registry.run(made, registry.needing(registry.FLOW))[1] == undone


def test_unsteady_groups():
    made = card(known=lambda made: {"flows": flows(made, [1, 1, 1, 1, 1], 0.5)})
    found, undone = registry.run(made, registry.needing(registry.FLOW))
    [finding] = found
    assert undone == []
    assert finding.level == "warning"
    assert "static classes stay static in" in finding.what
    assert changed(finding).split.measure == "residual"
    apart = card(known=lambda made: {"flows": flows(made, [1, 1.1, 2, 3, 4], 0.1)})
    assert list(worth.unsteady_groups(apart)) == []


def test_of_three_groups_the_loosest_is_named():
    """The first and the last are far away; those in the middle are alike the ones above."""
    split = {"quantile": [0.25, 0.5], "names": ["slow", "medium", "fast"]}
    classes = [f"c{k}" for k in range(8)]
    known = lambda made: {"flows": flows(made, [0.1, 0.2, 3, 3, 3, 3, 3, 3], 0.5)}  # noqa: E731
    found = only(worth.unsteady_groups(card(classes, known=known, split=split)))
    assert "medium classes stay medium in" in found.what
    assert found.level == "warning"
    assert "fast classes move" in found.what
    assert {row["group"] for row in found.rows} == {"medium", "fast"}


def test_unsteady_groups_of_the_training_videos():
    """Of the test videos, which would make a difference, nothing is read."""
    made = card(known=lambda made: {"flows": flows(made, [1, 1.1, 2, 3, 4], 0.01)}, split={"over": "train"})
    for table in made.flows.values():
        table.loc[table["video"].str.contains("test"), "mean"] = 100 * np.random.default_rng(0).random(10)
    assert list(worth.unsteady_groups(made)) == []
    made.settings = replace(made.settings, split=dict(made.settings.split) | {"over": "all"})
    assert list(worth.unsteady_groups(made)) != []
