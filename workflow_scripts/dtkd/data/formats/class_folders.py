"""``folders``: one folder of videos per class, and no lists: they are drawn."""

from pathlib import Path

from dtkd.common.errors import DtkdError
from dtkd.data.folders import SUFFIXES, deeper, is_video, names_in, some
from dtkd.data.formats.lists import UNSAFE, Lists, check_class, check_video


def read(root: Path) -> Lists:
    """Classes and videos; the lists are drawn only for the index."""
    found = Lists({})
    for class_name in sorted(names_in(root, "videos", folders=True)):
        files = names_in(root / class_name, "videos")
        names = [name for name in files if is_video(name)]
        if not names:
            there, remedy = "", "add some, or move the folder out of `videos`"
            if told := some(deeper(root, class_name), "video in a deeper folder", "videos in deeper folders"):
                there, remedy = f", but {told}", "put them directly here, or list them in a CSV file (format: csv)"
            elif told := some(files, "file with another suffix", "files with other suffixes"):
                there, remedy = f", but {told}", "end their names so, or move the folder out of `videos`"
            endings = " ".join(SUFFIXES)
            raise DtkdError(f"{root / class_name}: no videos ({endings}) in this class folder{there}; {remedy}")
        found.labels[class_name] = len(found.labels)
        for name in sorted(names):
            path = f"{class_name}/{name}"
            if UNSAFE.search(path):
                raise DtkdError(
                    f"{root}: the name {path!r} has a backslash or control character, or is not UTF-8; rename it"
                )
            check_class(class_name, root, 0)
            check_video(path, class_name, root, 0)
            found.classes[path] = class_name
    if not found.labels:
        raise DtkdError(f"{root}: no class folders here; `videos` must hold one folder of videos per class")
    return found
