"""``ucf101``: ``classInd.txt`` with the labels, ``trainlist01.txt`` and ``testlist01.txt`` with the videos."""

import re
from collections import defaultdict
from pathlib import Path

from dtkd.common.errors import DtkdError
from dtkd.data.folders import SUFFIXES, hint, names_in
from dtkd.data.formats.lists import NUMBER, Lists, at, check_class, check_path, last_word, lines_of


def read(folder: Path) -> Lists:
    """What the lists in a folder say."""
    files: dict[int, dict[str, Path]] = defaultdict(dict)
    for name in names_in(folder, "annotations"):
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
    found = Lists(_class_ind(folder / "classInd.txt"))
    for number, sides in sorted(files.items()):
        for side in ("train", "test"):
            if side not in sides:
                raise DtkdError(f"{folder}: {side}list{number:02d}.txt is missing; lists come in pairs, train and test")
            _read_list(found, number, side, sides[side])
    return found.checked(folder)


def _read_list(found: Lists, number: int, side: str, file: Path) -> None:
    line = 0
    for line, text in lines_of(file):
        path, label = text, None
        if side == "train":
            path, label = last_word(text)
            if not NUMBER.fullmatch(label):
                raise at(file, line, f"{text!r} should be '<class>/<video> <label>'")
        class_name, _, name = path.partition("/")
        if not name or "/" in name or not name.lower().endswith(SUFFIXES):
            check_path(path, file, line)
            form = "<class>/<video>, without a label" if side == "test" else "<class>/<video> <label>"
            raise at(file, line, f"{text!r} should be '{form}', with a video's suffix such as .avi")
        if class_name not in found.labels:
            check_path(path, file, line)
            raise at(file, line, f"class {class_name} is not in classInd.txt{hint(class_name, found.labels)}")
        if label is not None and int(label) != found.labels[class_name] + 1:
            raise at(
                file,
                line,
                f"{path} has label {int(label)}, but classInd.txt gives {class_name} the label "
                f"{found.labels[class_name] + 1}; correct one of the two",
            )
        found.add(number, path, class_name, side, file, line)
    if not line:
        raise DtkdError(f"{file}: the list is empty; every list needs train and test videos")


def _class_ind(file: Path) -> dict[str, int]:
    """Class -> label (from 0), in label order."""
    classes: dict[int, str] = {}
    for line, text in lines_of(file):
        number, name = (*text.split(None, 1), "")[:2]
        if not (NUMBER.fullmatch(number) and name):
            raise at(file, line, f"{text!r} should be '<label> <class>', such as '1 ApplyEyeMakeup'")
        check_class(name, file, line)
        if int(number) in classes or name in classes.values():
            raise at(file, line, f"label {int(number)} or class {name} is given twice; remove one of the two lines")
        classes[int(number)] = name
    if sorted(classes) != list(range(1, len(classes) + 1)) or not classes:
        raise DtkdError(f"{file}: the labels must run from 1 to the number of classes ({len(classes)}) without a gap")
    return {classes[number]: number - 1 for number in sorted(classes)}
