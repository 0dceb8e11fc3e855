"""``hmdb51``: for each class and list a file ``<class>_test_split<k>.txt`` of video names and where they belong."""

import re
from collections import defaultdict
from pathlib import Path

from dtkd.common.errors import DtkdError
from dtkd.data.folders import SUFFIXES, names_in
from dtkd.data.formats.lists import Lists, at, check_class, check_path, last_word, lines_of

_IDS = {"0": "unused", "1": "train", "2": "test"}


def read(folder: Path) -> Lists:
    """What the lists in a folder say."""
    files: dict[str, dict[int, Path]] = defaultdict(dict)
    for file in names_in(folder, "annotations"):
        if match := re.fullmatch(r"(.+)_test_split([1-9][0-9]*)\.txt", file, re.ASCII):
            files[match[1]][int(match[2])] = folder / file
    if not files:
        raise DtkdError(
            f"{folder}: no <class>_test_split1.txt here; `annotations` must be the folder of the HMDB51 lists"
        )
    numbers = {number for own in files.values() for number in own}
    found = Lists({name: label for label, name in enumerate(sorted(files))})
    for class_name in found.labels:
        check_class(class_name, folder / f"{class_name}_test_split<k>.txt", 0)
        if absent := sorted(numbers - set(files[class_name])):
            raise DtkdError(f"{folder}: {class_name}_test_split{absent[0]}.txt is missing; each class needs each list")
        for number, file in sorted(files[class_name].items()):
            line = 0
            for line, text in lines_of(file):
                name, identifier = last_word(text)
                if "/" in name or not name.lower().endswith(SUFFIXES):
                    check_path(name or text, file, line)
                    raise at(file, line, f"{text!r} should be '<video> <id>', a file name with a suffix such as .avi")
                if identifier not in _IDS:
                    raise at(file, line, f"id {identifier!r} of {name!r} is unknown: 0 is unused, 1 train, 2 test")
                found.add(number, f"{class_name}/{name}", class_name, _IDS[identifier], file, line)
            if not line:
                raise DtkdError(f"{file}: the list is empty; every class needs train and test videos")
    return found.checked(folder)
