"""What of a data set's folder no list names, and nobody would miss."""

from collections import Counter
from pathlib import Path

from dtkd.data.datasets import Source
from dtkd.data.folders import SUFFIXES, deeper, entries, is_video, names_in, some
from dtkd.data.formats import FORMATS


def passed_over(source: Source) -> str | None:
    """What of the videos' folder is not used though it may have been meant to be, and what to do; None: nothing is.

    ``folders``: files of other suffixes, and videos that do not lie directly in a class's folder. Formats with lists:
    videos that no list names, beside those that lists name; of ucf101 and hmdb51 also in folders of other classes.
    """
    read, root = source.read(), Path(source.videos)
    classes = {path.rpartition("/")[0] for path in read.classes}
    below = [name for name in names_in(root, "videos", folders=True) if root / name != Path(source.annotations or "")]
    if source.drawn:
        inside = {name: names_in(root / name, "videos") for name in below}
        others = [f"{name}/{file}" for name, files in inside.items() for file in files if not is_video(file)]
        outside = [name for name in names_in(root, "videos") if is_video(name)]
        outside += [path for name in below for path in deeper(root, name)]
        endings = Counter(Path(path).suffix.lower() or "none" for path in others)
        kinds = ", ".join(f"{suffix}: {count}" for suffix, count in endings.most_common(5))
        parts = [
            some(others, f"file with another suffix ({kinds})", f"files with other suffixes ({kinds})"),
            some(outside, "video not directly in a class's folder", "videos not directly in a class's folder"),
        ]
        remedy = (
            f"to use one, end its name in one of {' '.join(SUFFIXES)} and put it directly into its class's folder, or "
            "list it in a CSV file (format: csv)"
        )
    else:
        suffixes = FORMATS[source.format].suffixes
        inside = {name: [file for file in entries(root / name) if is_video(file, suffixes)] for name in sorted(classes)}
        paths = [f"{name}/{file}".lstrip("/") for name, files in inside.items() for file in files]
        unlisted = [path for path in paths if path not in read.classes]
        others = sorted(set(below) - classes) if FORMATS[source.format].one_folder_per_class else []
        others = [name for name in others if any(map(is_video, entries(root / name)))]
        parts = [some(unlisted, "video that no list names", "videos that no list names"),
                 some(others, "folder of videos that is no class of the lists",
                       "folders of videos that are no classes of the lists")]  # fmt: skip
        remedy = f"to use them, add them to {source.annotations}"
    parts = [part for part in parts if part]
    return f"{root}: passes over {', and '.join(parts)}; {remedy}" if parts else None
