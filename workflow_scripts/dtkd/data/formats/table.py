"""``csv``: one table that names each video's class, its side in each list, and where wanted its group."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from dtkd.common.errors import DtkdError
from dtkd.data.formats.lists import SIDES, Lists, at, check_class, check_path, text_of, video_name
from dtkd.data.scene_names import scenes_in_names


def read(file: Path) -> Lists:
    """What the table says."""
    rows = rows_of(file)
    line, header = next(rows, (0, None))
    if header is None:
        raise DtkdError(f"{file}: the file is empty; it needs a header with the columns video, class, split")
    for name in ("video", "class", "split"):
        if name not in header:
            raise at(file, line, f"no column {name}; the header needs video,class,split and has {','.join(header)!r}")
    splits = {}
    for name in header:
        if name.startswith("split"):
            if not re.fullmatch(r"split([2-9]|[1-9][0-9])?", name):
                raise at(file, line, f"column {name!r} is unknown; further lists are called split2, split3 ...")
            splits[name] = int(name[5:] or 1)
        if name and header.count(name) > 1:
            raise at(file, line, f"column {name!r} is there twice; remove one of the two")
    found = Lists({})
    names: dict[tuple[str, str], str] = {}
    sides: dict[tuple[int, str], tuple[str, int]] = {}
    for line, cells in rows:
        if len(cells) != len(header):
            raise at(
                file,
                line,
                f"{len(cells)} fields, but the header has {len(header)}; put a name with a comma in double quotes",
            )
        row = dict(zip(header, cells, strict=True))
        path, class_name = row["video"].removeprefix("./"), row["class"]
        check_path(path, file, line)
        check_class(class_name, file, line)
        found.labels.setdefault(class_name, 0)
        for column, number in splits.items():
            if row[column] not in SIDES:
                raise at(file, line, f"{column} is {row[column]!r}; choose one of {', '.join(SIDES)}")
            found.add(number, path, class_name, row[column], file, line)
            group = row.get("group")
            if "group" in row:
                found.groups[path] = group or path
            if group and row[column] != "unused":
                side, first = sides.setdefault((number, group), (row[column], line))
                if side != row[column]:
                    raise at(
                        file,
                        line,
                        f"group {group!r} is {row[column]} here and {side} on line {first}; "
                        "put a group's videos on one side, or give the groups different names",
                    )
        name = video_name(path, class_name)
        if (other := names.setdefault((class_name, name), path)) != path:
            raise at(file, line, f"{path} and {other} would have the same name {name}; rename one of the files")
    if not found.labels:
        raise DtkdError(f"{file}: no videos below the header; add one line per video")
    found.labels = {name: label for label, name in enumerate(sorted(found.labels))}
    return found.checked(file)


def groups(file: Path, paths: Iterable[str]) -> dict[str, str]:
    """Path -> group: of the column `group`, or else of names that tell of scenes; a video of none is alone."""
    (_, header), *rows = rows_of(file)
    own = [dict(zip(header, cells, strict=True)) for _, cells in rows]
    known = {row["video"].removeprefix("./"): row.get("group") for row in own}
    if not any(known.values()):  # names may tell
        found = scenes_in_names(paths := list(paths))
        return {path: path for path in paths} | (found.scenes if found else {})
    return {path: known.get(path) or path for path in paths}


def rows_of(file: Path) -> Iterator[tuple[int, list[str]]]:
    """The line number and stripped cells of each row that is not blank, the header first."""
    reader = csv.reader(io.StringIO(text_of(file)), strict=True)
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if any(cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise at(file, reader.line_num, f"is not valid CSV: {error}; check the quotes") from error
