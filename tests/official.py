"""UCF101 and HMDB51 as they lie on a disk, without their videos: the official names and lists over tiny files.

UCF101's names and lists are the official ones, rebuilt from the clips per class and group: group g of class C holds
``v_C_g<gg>_c01.avi`` ..., and list k tests on groups 7k-6 to 7k. HMDB51 has its class names and clips per class; the
names of its clips are made up.
"""

import json
from pathlib import Path

DATA = Path(__file__).parent / "golden"
GROUPS = 25  # per class of UCF101; groups 22 to 25 are never tested on


def ucf101_clips() -> dict[str, list[list[str]]]:
    """Class, in the order of classInd.txt -> the clips of groups 1 to 25, as '<class>/<file name>'."""
    classes = {}
    for name, clips in json.loads((DATA / "ucf101_counts.json").read_text(encoding="utf-8")).items():
        stem = "HandStandPushups" if name == "HandstandPushups" else name  # as in the real files
        classes[name] = [
            [f"{name}/v_{stem}_g{group:02d}_c{clip:02d}.avi" for clip in range(1, number + 1)]
            for group, number in enumerate(clips, start=1)
        ]
    return classes


def write_ucf101(
    root: Path, create_videos: bool = True, classes: dict[str, list[list[str]]] | None = None
) -> tuple[Path, Path]:
    """Write ``root/videos`` (13,320 files of one byte) and ``root/annotations``; return both folders.

    ``classes``, in the form of ``ucf101_clips``, are other clips under the same rules.
    """
    videos, annotations = _folders(root)
    classes = classes or ucf101_clips()
    _write(annotations / "classInd.txt", [f"{label} {name}" for label, name in enumerate(classes, start=1)])
    for number in (1, 2, 3):
        tested = range(7 * number - 6, 7 * number + 1)
        train, test = [], []
        for label, groups in enumerate(classes.values(), start=1):
            for group, clips in enumerate(groups, start=1):
                test += clips if group in tested else []
                train += [f"{clip} {label}" for clip in clips if group not in tested]
        _write(annotations / f"trainlist{number:02d}.txt", train)
        _write(annotations / f"testlist{number:02d}.txt", test)
    if create_videos:
        _create(videos, [clip for groups in classes.values() for clips in groups for clip in clips])
    return videos, annotations


def write_hmdb51(root: Path, create_videos: bool = True) -> tuple[Path, Path]:
    """Write ``root/videos`` (6,766 files of one byte) and ``root/annotations``; return both folders."""
    videos, annotations = _folders(root)
    names = []
    for name, number in json.loads((DATA / "hmdb51_counts.json").read_text(encoding="utf-8")).items():
        clips = [f"A_film_{clip // 5}_{name}_u_cm_np1_fr_med_{clip % 5}.avi" for clip in range(number)]
        for split in (1, 2, 3):
            turned = clips[30 * split :] + clips[: 30 * split]
            sides = dict.fromkeys(turned[:70], 1) | dict.fromkeys(turned[70:100], 2)
            lines = [f"{clip} {sides.get(clip, 0)} " for clip in clips]  # with the real lists' space at the end
            (annotations / f"{name}_test_split{split}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        names += [f"{name}/{clip}" for clip in clips]
    if create_videos:
        _create(videos, names)
    return videos, annotations


def _folders(root: Path) -> tuple[Path, Path]:
    folders = Path(root) / "videos", Path(root) / "annotations"
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    return folders


def _write(file: Path, lines: list[str]) -> None:
    file.write_bytes("".join(f"{line}\r\n" for line in lines).encode())


def _create(videos: Path, names: list[str]) -> None:
    for folder in {name.partition("/")[0] for name in names}:
        (videos / folder).mkdir(exist_ok=True)
    for name in names:
        with open(f"{videos}/{name}", "wb", buffering=0) as file:
            file.write(b"\0")
