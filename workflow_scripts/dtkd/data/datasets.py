"""On-disk datasets -> one table of videos and lists.

A list (a split in some papers) says of each video whether it is for training, for testing, or unused. Four formats:

``ucf101``   `annotations` holds ``classInd.txt``, ``trainlist01.txt``, ``testlist01.txt`` ...; videos are at
             ``<class>/<name>``. The class is the folder (files of HandstandPushups are ``v_HandStandPushups_*``).
``hmdb51``   `annotations` holds ``<class>_test_split<k>.txt`` with lines ``<name> <id>``, id 0 unused, 1 train, 2 test.
``folders``  one folder per class, no lists: they are drawn, with the groups of `group_pattern` kept together.
``csv``      `annotations` is a CSV file with columns video (relative path), class, split (train, test or unused) and,
             where wanted, split2, split3 ... for more lists and group (never on both sides of one list).

``videos_by_class`` reads the lists only, for the workflow, which does it at every start: this module's top level
imports nothing outside the standard library. ``index`` is the checked table, ``counts`` the paper's Table 2.
Whatever is wrong with the lists or the videos is a ``DtkdError`` that names the file and line.
"""

import csv
import hashlib
import io
import os
import re
import stat
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dtkd.common.errors import DtkdError
from dtkd.data.groups import SUBSETS

if TYPE_CHECKING:
    import pandas as pd

    from dtkd.data.video_info import VideoInfo

SUFFIXES = (".avi", ".mp4", ".mkv", ".mov", ".webm", ".mpg", ".mpeg", ".m4v", ".wmv")
SIDES = ("train", "test", "unused")
_NUMBER = re.compile(r"[0-9]{1,6}")
_HMDB51_IDS = {"0": "unused", "1": "train", "2": "test"}
# A part that is empty, "." or ".."; a drive letter; a backslash, a control or line separator, undecodable bytes.
_UNSAFE = re.compile(r"(?:^|/)\.{0,2}(?=/|$)|^[A-Za-z]:/|[\\\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_WILDCARD = re.compile(r"[{}<>]")  # Snakemake replaces what stands in these, and knows no way to escape them
_NOT_A_CLASS = re.compile(r",|^['\"]|['\"]$")  # a job on a cluster is told of its class as cls=<name>,...
# Names that tell which clips are of one scene: of a file's name, the scene's part and what follows it.
_SCENES = {
    "UCF101": (r".+_g\d+", r"_c\d+\."),
    "HMDB51": (r".+", r"_[fhlu]_[cn]m_np\d+_(?:ba|fr|le|ri)_(?:bad|goo|med)_\d+\."),
    "KTH": (r"person\d+", r"_[A-Za-z]+_d\d[_.]"),
    "clips cut from YouTube": (r"[\w-]{11}", r"_\d{6}_\d{6}\."),
}
_LONGEST_NAME = 200  # bytes; file systems have 255, of which a temporary file's name takes some


@dataclass(frozen=True)
class Source:
    """Where a dataset lies, and how its lists are drawn where it has none.

    `videos` is the root of the videos; `annotations` the folder of lists (ucf101, hmdb51) or the file (csv).
    Only ``folders`` uses the rest: `group_pattern` is a regular expression searched in a video's relative path,
    whose group named "group" (or else its first) is the video's group, by default each video is its own; `lists`
    is how many lists to draw, `test_fraction` the share of each class's videos to test on, `seed` the draw.
    """

    format: str
    videos: str | Path
    annotations: str | Path | None = None
    group_pattern: str | None = None
    lists: int = 3
    test_fraction: float = 0.3
    seed: int = 0

    def __post_init__(self) -> None:
        if self.format not in _READERS:
            raise DtkdError(f"format: {self.format!r} is unknown; choose one of {', '.join(_READERS)}")
        if self.format == "folders":
            if self.annotations is not None:
                raise DtkdError("annotations: format folders draws its own lists; remove it, or use format csv")
        elif not self.annotations:
            raise DtkdError(f"annotations: format {self.format} needs it: {_ANNOTATIONS[self.format]}")
        elif self.group_pattern is not None:
            raise DtkdError(f"group_pattern: format {self.format} has its own lists; remove it, or use format folders")
        if self.lists < 1:
            raise DtkdError(f"lists: must be at least 1, not {self.lists}")
        if not 0 < self.test_fraction < 1:
            raise DtkdError(f"test_fraction: must lie between 0 and 1, not {self.test_fraction}")
        if self.group_pattern is not None:
            try:
                groups = re.compile(self.group_pattern).groups
            except re.error as error:
                raise DtkdError(f"group_pattern: {self.group_pattern!r} is no regular expression: {error}") from error
            if not groups:
                raise DtkdError(f"group_pattern: {self.group_pattern!r} needs parentheses around the group's name")


def videos_by_class(source: Source) -> dict[str, list[str]]:
    """Class -> its videos' sorted paths relative to the root, classes in label order; no video is looked at.

    Videos of every list count, unused ones too. Reads the lists (folders: scans the folders); ``DtkdError`` for any
    entry that is malformed, leaves the root, or contradicts another, and for a class without train or test videos.
    """
    read = _READERS[source.format](source)
    classes = {name: [] for name in read.labels}
    for path, name in read.classes.items():
        classes[name].append(path)
    for paths in classes.values():
        paths.sort()
    return classes


def side_counts(source: Source) -> dict[int, dict[str, tuple[int, int]]]:
    """List -> class -> how many videos it trains and tests on, from the lists alone; ``DtkdError`` as in `index`."""
    read = _READERS[source.format](source)
    if source.format == "folders":
        read = _drawn(source, read)
    counted = {}
    for number, entries in sorted(read.lists.items()):
        found = Counter((read.classes[path], side) for path, (side, _, _) in entries.items())
        counted[number] = {name: (found[name, "train"], found[name, "test"]) for name in read.labels}
    return counted


def check_scenes(root: str | Path, paths: Iterable[str]) -> None:
    """Raise DtkdError if the names of ``folders`` tell of clips of one scene, which lists drawn by clip would part.

    ``paths`` are those of `videos_by_class`. To be asked where there is no `group_pattern`: the message offers one.
    """
    paths = list(paths)
    if (found := scenes_in_names(paths)) is None:
        return
    sizes = Counter(found.scenes.values())
    several = [path for path, scene in found.scenes.items() if sizes[scene] > 1]
    pattern = f"/({found.scene}){found.rest}"
    if len(found.scenes) < len(paths):  # the pattern has to find something in every name
        pattern = f"/({found.scene}(?={found.rest})|.+)"
    raise DtkdError(
        f"{root}: by their names, such as {several[0]} (like those of {found.known}), {len(several)} videos show a "
        "scene that others show too, and lists drawn clip by clip would train and test on it; keep scenes together "
        f"with `group_pattern: '{pattern}'`, or say `group_pattern: none` if they are none"
    )


class _InNames(NamedTuple):
    """Scenes that names of a known kind tell of: whose kind, the two parts of its pattern, path -> scene."""

    known: str
    scene: str
    rest: str
    scenes: dict[str, str]


def scenes_in_names(paths: Iterable[str]) -> _InNames | None:
    """The scenes that videos' names tell of, of those videos whose names do; None where no two show the same."""
    paths = list(paths)
    for known, (scene, rest) in _SCENES.items():
        found = {path: match[1] for path in paths if (match := re.search(f"/({scene}){rest}", path))}
        if len(set(found.values())) < len(found):
            return _InNames(known, scene, rest, found)
    return None


def video_name(path: str, class_name: str) -> str:
    """A video's name, unique within its class: the file name, or for a CSV's deeper folders ``<folder>__<file name>``.

    >>> video_name("Archery/v_Archery_g01_c01.avi", "Archery"), video_name("monday/1.mp4", "wave")
    ('v_Archery_g01_c01.avi', 'monday__1.mp4')
    """
    return path.removeprefix(f"{class_name}/").replace("/", "__")


def index(source: Source) -> "pd.DataFrame":
    """The table of videos, sorted by label and path, after checking lists and files.

    Columns: video (see ``video_name``), path (relative to the root, "/" between its parts), class, label (from 0, the
    order of classInd.txt or of the sorted names), ``list<k>`` for each list k (train, test or unused), bytes (file
    size) and mtime_ns (modification time, nanoseconds since 1970), by which a later stage can tell a changed video.
    Where the lists are drawn by group or a CSV names groups, ``group``: videos that share one belong together; a video
    of no group has its path there.

    ``DtkdError`` as in ``videos_by_class``, and for missing files (all of them in one message) and for classes whose
    groups cannot be put on two sides. Whether the files are videos, ``inspection`` finds out.
    """
    import pandas as pd

    read = _READERS[source.format](source)
    if source.format == "folders":
        read = _drawn(source, read)
    rows = sorted(read.classes.items(), key=lambda item: (read.labels[item[1]], item[0]))
    status = _statuses(Path(source.videos), read, [path for path, _ in rows])
    table = {
        "video": [video_name(path, name) for path, name in rows],
        "path": [path for path, _ in rows],
        "class": [name for _, name in rows],
        "label": [read.labels[name] for _, name in rows],
    }
    for number, entries in sorted(read.lists.items()):
        table[f"list{number}"] = [entries[path][0] if path in entries else "unused" for path, _ in rows]
    if groups := _groups(source, read.classes) if source.format == "folders" else read.groups:
        table["group"] = [groups[path] for path, _ in rows]
    table["bytes"] = [size for size, _ in status]
    table["mtime_ns"] = [modified for _, modified in status]
    return pd.DataFrame(table)


def passed_over(source: Source) -> str | None:
    """What of the videos' folder is not used though it may have been meant to be, and what to do; None: nothing is.

    ``folders``: files of other suffixes, and videos that do not lie directly in a class's folder. Formats with lists:
    videos that no list names, beside those that lists name; of ucf101 and hmdb51 also in folders of other classes.
    """
    read, root = _READERS[source.format](source), Path(source.videos)
    classes = {path.rpartition("/")[0] for path in read.classes}
    below = [name for name in _names(root, "videos", folders=True) if root / name != Path(source.annotations or "")]
    if source.format == "folders":
        inside = {name: _names(root / name, "videos") for name in below}
        others = [f"{name}/{file}" for name, files in inside.items() for file in files if not _is_video(file)]
        outside = [name for name in _names(root, "videos") if _is_video(name)]
        outside += [path for name in below for path in _deeper(root, name)]
        suffixes = Counter(Path(path).suffix.lower() or "none" for path in others)
        kinds = ", ".join(f"{suffix}: {count}" for suffix, count in suffixes.most_common(5))
        parts = [
            _some(others, f"file with another suffix ({kinds})", f"files with other suffixes ({kinds})"),
            _some(outside, "video not directly in a class's folder", "videos not directly in a class's folder"),
        ]
        remedy = (
            f"to use one, end its name in one of {' '.join(SUFFIXES)} and put it directly into its class's folder, or "
            "list it in a CSV file (format: csv)"
        )
    else:
        inside = {name: [file for file in _entries(root / name) if _is_video(file)] for name in sorted(classes)}
        paths = [f"{name}/{file}".lstrip("/") for name, files in inside.items() for file in files]
        unlisted = [path for path in paths if path not in read.classes]
        others = [] if source.format == "csv" else sorted(set(below) - classes)
        others = [name for name in others if any(map(_is_video, _entries(root / name)))]
        parts = [_some(unlisted, "video that no list names", "videos that no list names"),
                 _some(others, "folder of videos that is no class of the lists",
                       "folders of videos that are no classes of the lists")]  # fmt: skip
        remedy = f"to use them, add them to {source.annotations}"
    parts = [part for part in parts if part]
    return f"{root}: passes over {', and '.join(parts)}; {remedy}" if parts else None


@dataclass(frozen=True)
class Videos:
    """Some videos of one dataset: absolute or cwd-relative paths, labels and names, in a fixed order."""

    names: tuple[str, ...]
    paths: tuple[Path, ...]
    labels: tuple[int, ...]
    infos: tuple["VideoInfo", ...] = ()
    """What an inspection has found of each, or nothing."""

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def of(
        cls, index: "pd.DataFrame", root: str | Path, column: str, side: str, classes: Iterable[str] | None = None
    ) -> "Videos":
        """The rows of an index (`videos.parquet`) that are on ``side`` of a list, of some classes or of all."""
        from dtkd.data.video_info import infos

        if column not in index:
            known = ", ".join(name for name in index.columns if re.fullmatch(r"list\d+", name))
            raise DtkdError(
                f"the dataset has no {column}; it has {known}: choose one of these in baselines and students"
            )
        rows = index[index[column] == side]
        if classes is not None:
            rows = rows[rows["class"].isin(list(classes))]
        paths = tuple(Path(root) / path for path in rows["path"])
        return cls(tuple(rows["path"]), paths, tuple(int(label) for label in rows["label"]), infos(rows))


def class_names(index: "pd.DataFrame") -> list[str]:
    """The classes of an index, in the order of their labels."""
    return list(index.drop_duplicates("class").sort_values("label")["class"])


def counts(
    index: "pd.DataFrame", subsets: dict[str, str] | None = None, groups: Sequence[str] = SUBSETS
) -> "pd.DataFrame":
    """Classes and videos per list and subset: the paper's Table 2.

    `subsets` gives each class's subset, one of `groups`; without it there are only the overall rows. Columns: list
    (number), subset (overall, then the groups, the last first), classes, train, test, total (train + test, so without
    the unused videos of HMDB51), all counts. ``DtkdError`` if `subsets` and the index have different classes.
    """
    import pandas as pd

    classes = set(index["class"])
    if subsets is not None:
        if odd := sorted(classes ^ set(subsets)):
            where = "subsets" if odd[0] in classes else "videos"
            raise DtkdError(f"class {odd[0]} is missing from the {where}: split and videos are of different datasets")
        if odd := sorted(name for name in classes if subsets[name] not in groups):
            raise DtkdError(f"class {odd[0]} has subset {subsets[odd[0]]!r}; choose one of {', '.join(groups)}")
    rows = []
    for column in (name for name in index.columns if re.fullmatch(r"list\d+", name)):
        for subset in ("overall", *(reversed(groups) if subsets is not None else ())):
            own = {name for name in classes if subset == "overall" or subsets[name] == subset}
            sides = index.loc[index["class"].isin(own), column]
            train, test = int((sides == "train").sum()), int((sides == "test").sum())
            rows.append((int(column[4:]), subset, len(own), train, test, train + test))
    return pd.DataFrame(rows, columns=["list", "subset", "classes", "train", "test", "total"])


# Reading lists


@dataclass
class _Lists:
    """What the lists say: class -> label, path -> class, per list path -> (side, file, line), and a CSV's groups."""

    labels: dict[str, int]
    classes: dict[str, str] = field(default_factory=dict)
    lists: dict[int, dict[str, tuple[str, Path, int]]] = field(default_factory=lambda: defaultdict(dict))
    groups: dict[str, str] = field(default_factory=dict)  # path -> group

    def add(self, number: int, path: str, class_name: str, side: str, file: Path, line: int) -> None:
        """Enter a video into a list, or refuse it with the file and line."""
        known = self.classes.get(path)
        if known is None:
            _check_video(path, class_name, file, line)
            self.classes[path] = class_name
        elif known != class_name:
            raise _at(file, line, f"{path} is of class {class_name} here and of {known} before; keep one of the two")
        entries = self.lists[number]
        if path in entries:
            before, first_file, first_line = entries[path]
            where = f"line {first_line}" if first_file == file else f"{first_file.name} line {first_line}"
            if before == side:
                raise _at(file, line, f"{path} is listed twice (first on {where}); remove one of the two lines")
            raise _at(file, line, f"{path} is {side} here and {before} on {where} of the same list; keep one")
        entries[path] = (side, file, line)

    def checked(self, where: Path) -> "_Lists":
        """Itself, if each class has train and test videos in each list."""
        for number, entries in sorted(self.lists.items()):
            found = {(self.classes[path], side) for path, (side, _, _) in entries.items()}
            for name in self.labels:
                for side in ("train", "test"):
                    if (name, side) not in found:
                        raise DtkdError(
                            f"{where}: class {name} has no {side} video in list {number}; add one to the "
                            "list, or remove the class from every list"
                        )
        return self


def _ucf101(source: Source) -> _Lists:
    folder = Path(source.annotations)
    files: dict[int, dict[str, Path]] = defaultdict(dict)
    for name in _names(folder, "annotations"):
        if match := re.fullmatch(r"(train|test)list0*([1-9][0-9]*)\.txt", name, re.ASCII):
            side, number = match[1], int(match[2])
            if side in files[number]:
                raise DtkdError(f"{folder}: {name} and {files[number][side].name} are the same list; remove one")
            files[number][side] = folder / name
    if not files:
        raise DtkdError(
            f"{folder}: no trainlist01.txt and testlist01.txt here; `annotations` must be the folder of "
            "the UCF101 lists"
        )
    read = _Lists(_class_ind(folder / "classInd.txt"))
    for number, sides in sorted(files.items()):
        for side in ("train", "test"):
            if side not in sides:
                raise DtkdError(f"{folder}: {side}list{number:02d}.txt is missing; lists come in pairs, train and test")
            _ucf101_list(read, number, side, sides[side])
    return read.checked(folder)


def _ucf101_list(read: _Lists, number: int, side: str, file: Path) -> None:
    line = 0
    for line, text in _lines(file):
        path, label = text, None
        if side == "train":
            path, label = _last_word(text)
            if not _NUMBER.fullmatch(label):
                raise _at(file, line, f"{text!r} should be '<class>/<video> <label>'")
        class_name, _, name = path.partition("/")
        if not name or "/" in name or not name.lower().endswith(SUFFIXES):
            _check_path(path, file, line)
            form = "<class>/<video>, without a label" if side == "test" else "<class>/<video> <label>"
            raise _at(file, line, f"{text!r} should be '{form}', with a video's suffix such as .avi")
        if class_name not in read.labels:
            _check_path(path, file, line)
            raise _at(file, line, f"class {class_name} is not in classInd.txt{_hint(class_name, read.labels)}")
        if label is not None and int(label) != read.labels[class_name] + 1:
            raise _at(
                file,
                line,
                f"{path} has label {int(label)}, but classInd.txt gives {class_name} the label "
                f"{read.labels[class_name] + 1}; correct one of the two",
            )
        read.add(number, path, class_name, side, file, line)
    if not line:
        raise DtkdError(f"{file}: the list is empty; every list needs train and test videos")


def _class_ind(file: Path) -> dict[str, int]:
    """Class -> label (from 0), in label order."""
    classes: dict[int, str] = {}
    for line, text in _lines(file):
        number, name = (*text.split(None, 1), "")[:2]
        if not (_NUMBER.fullmatch(number) and name):
            raise _at(file, line, f"{text!r} should be '<label> <class>', such as '1 ApplyEyeMakeup'")
        _check_class(name, file, line)
        if int(number) in classes or name in classes.values():
            raise _at(file, line, f"label {int(number)} or class {name} is given twice; remove one of the two lines")
        classes[int(number)] = name
    if sorted(classes) != list(range(1, len(classes) + 1)) or not classes:
        raise DtkdError(f"{file}: the labels must run from 1 to the number of classes ({len(classes)}) without a gap")
    return {classes[number]: number - 1 for number in sorted(classes)}


def _hmdb51(source: Source) -> _Lists:
    folder = Path(source.annotations)
    files: dict[str, dict[int, Path]] = defaultdict(dict)
    for file in _names(folder, "annotations"):
        if match := re.fullmatch(r"(.+)_test_split([1-9][0-9]*)\.txt", file, re.ASCII):
            files[match[1]][int(match[2])] = folder / file
    if not files:
        raise DtkdError(
            f"{folder}: no <class>_test_split1.txt here; `annotations` must be the folder of the HMDB51 lists"
        )
    numbers = {number for own in files.values() for number in own}
    read = _Lists({name: label for label, name in enumerate(sorted(files))})
    for class_name in read.labels:
        _check_class(class_name, folder / f"{class_name}_test_split<k>.txt", 0)
        if absent := sorted(numbers - set(files[class_name])):
            raise DtkdError(f"{folder}: {class_name}_test_split{absent[0]}.txt is missing; each class needs each list")
        for number, file in sorted(files[class_name].items()):
            line = 0
            for line, text in _lines(file):
                name, identifier = _last_word(text)
                if "/" in name or not name.lower().endswith(SUFFIXES):
                    _check_path(name or text, file, line)
                    raise _at(file, line, f"{text!r} should be '<video> <id>', a file name with a suffix such as .avi")
                if identifier not in _HMDB51_IDS:
                    raise _at(file, line, f"id {identifier!r} of {name!r} is unknown: 0 is unused, 1 train, 2 test")
                read.add(number, f"{class_name}/{name}", class_name, _HMDB51_IDS[identifier], file, line)
            if not line:
                raise DtkdError(f"{file}: the list is empty; every class needs train and test videos")
    return read.checked(folder)


def _folders(source: Source) -> _Lists:
    """Classes and videos; the lists are drawn only for the index."""
    root = Path(source.videos)
    read = _Lists({})
    for class_name in sorted(_names(root, "videos", folders=True)):
        files = _names(root / class_name, "videos")
        names = [name for name in files if _is_video(name)]
        if not names:
            there, remedy = "", "add some, or move the folder out of `videos`"
            if found := _some(_deeper(root, class_name), "video in a deeper folder", "videos in deeper folders"):
                there, remedy = f", but {found}", "put them directly here, or list them in a CSV file (format: csv)"
            elif found := _some(files, "file with another suffix", "files with other suffixes"):
                there, remedy = f", but {found}", "end their names so, or move the folder out of `videos`"
            endings = " ".join(SUFFIXES)
            raise DtkdError(f"{root / class_name}: no videos ({endings}) in this class folder{there}; {remedy}")
        read.labels[class_name] = len(read.labels)
        for name in sorted(names):
            path = f"{class_name}/{name}"
            if _UNSAFE.search(path):
                raise DtkdError(
                    f"{root}: the name {path!r} has a backslash or control character, or is not UTF-8; rename it"
                )
            _check_class(class_name, root, 0)
            _check_video(path, class_name, root, 0)
            read.classes[path] = class_name
    if not read.labels:
        raise DtkdError(f"{root}: no class folders here; `videos` must hold one folder of videos per class")
    return read


def _csv(source: Source) -> _Lists:
    file = Path(source.annotations)
    rows = _csv_rows(file)
    line, header = next(rows, (0, None))
    if header is None:
        raise DtkdError(f"{file}: the file is empty; it needs a header with the columns video, class, split")
    for name in ("video", "class", "split"):
        if name not in header:
            raise _at(file, line, f"no column {name}; the header needs video,class,split and has {','.join(header)!r}")
    splits = {}
    for name in header:
        if name.startswith("split"):
            if not re.fullmatch(r"split([2-9]|[1-9][0-9])?", name):
                raise _at(file, line, f"column {name!r} is unknown; further lists are called split2, split3 ...")
            splits[name] = int(name[5:] or 1)
        if name and header.count(name) > 1:
            raise _at(file, line, f"column {name!r} is there twice; remove one of the two")
    read = _Lists({})
    names: dict[tuple[str, str], str] = {}
    sides: dict[tuple[int, str], tuple[str, int]] = {}
    for line, cells in rows:
        if len(cells) != len(header):
            raise _at(
                file,
                line,
                f"{len(cells)} fields, but the header has {len(header)}; put a name with a comma in double quotes",
            )
        row = dict(zip(header, cells, strict=True))
        path, class_name = row["video"].removeprefix("./"), row["class"]
        _check_path(path, file, line)
        _check_class(class_name, file, line)
        read.labels.setdefault(class_name, 0)
        for column, number in splits.items():
            if row[column] not in SIDES:
                raise _at(file, line, f"{column} is {row[column]!r}; choose one of {', '.join(SIDES)}")
            read.add(number, path, class_name, row[column], file, line)
            group = row.get("group")
            if "group" in row:
                read.groups[path] = group or path
            if group and row[column] != "unused":
                side, first = sides.setdefault((number, group), (row[column], line))
                if side != row[column]:
                    raise _at(
                        file,
                        line,
                        f"group {group!r} is {row[column]} here and {side} on line {first}; "
                        "put a group's videos on one side, or give the groups different names",
                    )
        name = video_name(path, class_name)
        if (other := names.setdefault((class_name, name), path)) != path:
            raise _at(file, line, f"{path} and {other} would have the same name {name}; rename one of the files")
    if not read.labels:
        raise DtkdError(f"{file}: no videos below the header; add one line per video")
    read.labels = {name: label for label, name in enumerate(sorted(read.labels))}
    return read.checked(file)


def _csv_rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    """The line number and stripped cells of each row that is not blank, the header first."""
    reader = csv.reader(io.StringIO(_text(file)), strict=True)
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if any(cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise _at(file, reader.line_num, f"is not valid CSV: {error}; check the quotes") from error


_READERS = {"ucf101": _ucf101, "hmdb51": _hmdb51, "folders": _folders, "csv": _csv}
_ANNOTATIONS = {
    "ucf101": "the folder of classInd.txt, trainlist01.txt, testlist01.txt ...",
    "hmdb51": "the folder of <class>_test_split1.txt ...",
    "csv": "a CSV file with columns video, class, split",
}


# Drawing lists


def _drawn(source: Source, read: _Lists) -> _Lists:
    """`read` with lists drawn by group."""
    root = Path(source.videos)
    groups = _groups(source, read.classes)
    what = "video" if source.group_pattern is None else "group"
    lists = draw_lists(read.classes, groups, source.lists, source.test_fraction, source.seed, root, what)
    for number, tested in enumerate(lists, start=1):
        read.lists[number] = {path: ("test" if path in tested else "train", root, 0) for path in groups}
    return read


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


def groups(source: Source, paths: Iterable[str]) -> dict[str, str]:
    """Path -> the group that lists keep on one side: by `group_pattern`, a CSV's column, UCF101's and HMDB51's names.

    A video of which nothing tells a group is alone.
    """
    if source.format == "folders":
        return _groups(source, paths)
    if source.format == "csv":
        (_, header), *rows = _csv_rows(Path(source.annotations))
        own = [dict(zip(header, cells, strict=True)) for _, cells in rows]
        known = {row["video"].removeprefix("./"): row.get("group") for row in own}
        if not any(known.values()):  # names may tell
            found = scenes_in_names(paths := list(paths))
            return {path: path for path in paths} | (found.scenes if found else {})
        return {path: known.get(path) or path for path in paths}
    scene, rest = _SCENES[{"ucf101": "UCF101", "hmdb51": "HMDB51"}[source.format]]
    found = {path: re.search(f"^([^/]+/{scene}){rest}", path) for path in paths}
    return {path: match[1] if match else path for path, match in found.items()}


def _groups(source: Source, paths: Iterable[str]) -> dict[str, str]:
    """Path -> group."""
    if source.group_pattern is None:
        return {path: path for path in paths}
    pattern = re.compile(source.group_pattern)
    which = "group" if "group" in pattern.groupindex else 1
    groups = {}
    for path in paths:
        match = pattern.search(path)
        if not (match and match[which]):
            raise DtkdError(f"group_pattern: {source.group_pattern!r} finds no group in {path}; it must in every video")
        groups[path] = match[which]
    return groups


def _hash(*values: object) -> bytes:
    return hashlib.sha256("\0".join(map(str, values)).encode()).digest()


# Files


def _statuses(root: Path, read: _Lists, paths: list[str]) -> list[tuple[int, int]]:
    """(bytes, mtime_ns) of each video; each folder is scanned once, so that a missing file costs nothing."""
    _names(root, "videos")  # refuses a root that is not there
    folders: dict[str, dict[str, os.DirEntry]] = {}
    missing, status = [], []
    for path in paths:
        folder, _, name = path.rpartition("/")
        if folder not in folders:
            folders[folder] = _entries(root / folder)
        entry = folders[folder].get(name)
        try:
            found = entry.stat() if entry else None
        except FileNotFoundError:  # a link to nowhere
            found = None
        except OSError as error:
            raise DtkdError(f"{root / path}: cannot be read: {error.strerror}; check links and permissions") from error
        if found is None or not stat.S_ISREG(found.st_mode):
            missing.append(path)
        else:
            status.append((found.st_size, found.st_mtime_ns))
    if missing:
        shown = [f"{path}{_file_hint(root, path, folders)}" for path in missing[:3]]
        raise DtkdError(
            _report(root, read, missing, shown, len(paths)) + "; put the files there, or correct the lists or `videos`"
        )
    return status


def _report(root: Path, read: _Lists, missing: list[str], shown: list[str], total: int) -> str:
    """'<root>: 3 of 90 videos are missing: ...; a/b.avi is named in <list> line 7'."""
    more = f" and {len(missing) - len(shown)} more" if len(missing) > len(shown) else ""
    verb = "is" if len(missing) == 1 else "are"
    message = f"{root}: {len(missing)} of {total} videos {verb} missing: {', '.join(shown)}{more}"
    for _, entries in sorted(read.lists.items()):
        if missing[0] in entries and entries[missing[0]][2]:
            _, file, line = entries[missing[0]]
            return f"{message}; {missing[0]} is named in {file} line {line}"
    return message


def _file_hint(root: Path, path: str, folders: dict[str, dict[str, os.DirEntry]]) -> str:
    """What a missing file may be called on the disk."""
    folder, _, name = path.rpartition("/")
    if folders[folder] or not folder:
        return _hint(name, folders[folder])
    parent, _, last = folder.rpartition("/")
    siblings = _entries(root / parent)
    return _hint(last, siblings) or ("" if last in siblings else f" (there is no folder {folder})")


def _hint(name: str, candidates: Iterable[str]) -> str:
    """' (did you mean X?)' where a candidate differs only in case, in accents' encoding or in its suffix."""

    def plain(text: str) -> str:
        return unicodedata.normalize("NFC", text).casefold()

    candidates = sorted(candidates)
    for key in (plain, lambda text: plain(Path(text).stem)):
        for candidate in candidates:
            if candidate != name and key(candidate) == key(name):
                return f" (did you mean {candidate}?)"
    return ""


def _entries(folder: Path) -> dict[str, os.DirEntry]:
    """Name -> entry; nothing where there is no such folder."""
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry for entry in entries}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise DtkdError(f"{folder}: cannot be read: {error.strerror}; check its permissions") from error


def _names(folder: Path, setting: str, folders: bool = False) -> list[str]:
    """Names of the files (or folders) in `folder` that are not hidden, sorted; `setting` is what named the folder."""
    try:
        with os.scandir(folder) as entries:
            return sorted(
                entry.name for entry in entries if not entry.name.startswith(".") and entry.is_dir() == folders
            )
    except FileNotFoundError as error:
        raise DtkdError(f"{folder}: there is no such folder; correct `{setting}`") from error
    except NotADirectoryError as error:
        raise DtkdError(f"{folder}: is a file; `{setting}` must be a folder") from error
    except OSError as error:
        raise DtkdError(f"{folder}: cannot be read: {error.strerror}; check its permissions") from error


def _is_video(name: str) -> bool:
    """By its suffix; hidden files are none, such as those that some systems leave beside each file (``._v.avi``)."""
    return name.lower().endswith(SUFFIXES) and not name.startswith(".")


def _deeper(root: Path, class_name: str) -> list[str]:
    """The videos in folders of a class's folder, relative to the root."""
    found = []
    for folder, below, files in os.walk(root / class_name):
        below[:] = sorted(name for name in below if not name.startswith("."))
        if folder != str(root / class_name):
            found += [Path(folder, name).relative_to(root).as_posix() for name in sorted(files) if _is_video(name)]
    return found


def _some(paths: list[str], one: str, several: str) -> str:
    """'3 videos, such as a/1.avi'; nothing of none."""
    if not paths:
        return ""
    example = paths[0] if paths[0].isprintable() else ascii(paths[0])
    return f"{len(paths)} {one if len(paths) == 1 else several}, such as {example}"


def _text(file: Path) -> str:
    """A list's text without byte-order mark, lines ending in a newline however they did in the file."""
    try:
        return file.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise DtkdError(f"{file}: there is no such file; correct `annotations` or add the file") from error
    except UnicodeDecodeError as error:
        raise DtkdError(f"{file}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    except OSError as error:
        raise DtkdError(f"{file}: cannot be read as a file: {error.strerror}") from error


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """The number and stripped text of each line that is not blank."""
    for number, text in enumerate(_text(file).split("\n"), start=1):
        if text := text.strip():
            yield number, text


def _last_word(text: str) -> tuple[str, str]:
    """'a b.avi 1' -> ('a b.avi', '1'); '' before a single word."""
    first, last = ("", *text.rsplit(None, 1))[-2:]
    return first, last


def _check_path(path: str, file: Path, line: int) -> None:
    if _UNSAFE.search(path):
        raise _at(file, line, f"{path!r} must be a relative path inside the videos folder, with / between folders")


def _check_video(path: str, class_name: str, file: Path, line: int) -> None:
    _check_path(path, file, line)
    if _WILDCARD.search(path):
        raise _at(file, line, f"{path!r} has one of {{ }} < >, which stand for wildcards in the workflow; rename it")
    if len(video_name(path, class_name).encode()) > _LONGEST_NAME:
        raise _at(file, line, f"{path!r} makes a name of more than {_LONGEST_NAME} bytes; shorten it")


def _check_class(name: str, file: Path, line: int) -> None:
    if "/" in name or _UNSAFE.search(name):
        raise _at(file, line, f"{name!r} cannot be a class: a class is the name of a folder, without slashes")
    if _WILDCARD.search(name) or _NOT_A_CLASS.search(name):
        raise _at(file, line, f"{name!r} cannot be a class: no {{ }} < > and comma, and no quote at an end; rename it")
    if len(name.encode()) > _LONGEST_NAME:
        raise _at(file, line, f"{name!r} cannot be a class: it has more than {_LONGEST_NAME} bytes; shorten it")


def _at(file: Path, line: int, problem: str) -> DtkdError:
    return DtkdError(f"{file}, line {line}: {problem}" if line else f"{file}: {problem}")
