"""Bring UCF101 and HMDB51 to where studies/paper.yaml expects them: python -m dtkd.prepare ucf101 hmdb51 --to data

Lists come first: they name every video, so that each member of an archive has one place, however the archive is laid
out, and what is missing is known exactly. What is not whole yet lies in ``<data set>.unfinished``, which goes in the
end; videos are renamed to their places when all of them are there and checked.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from tqdm import tqdm

from dtkd.common import download
from dtkd.common.command import command
from dtkd.common.errors import DtkdError
from dtkd.common.files import check_writable
from dtkd.data import archives, datasets, published

STUDY = "studies/paper.yaml"
SHOWN = 3  # of what is missing


@dataclass(frozen=True)
class Archive:
    """A file as its publisher calls it, about how large it is, and where it is to be had: addresses with the SHA-256
    of what they give. The checksums are those that torchvision (its prototype data sets) and TensorFlow Datasets have
    recorded."""

    name: str
    gb: float
    sources: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class DataSet:
    """What a data set is made of; ``videos`` and ``annotations`` are its folders in studies/paper.yaml."""

    page: str
    videos: str
    annotations: str
    clips: Archive
    lists: Archive


_UCF101 = "ca8dfadb4c891cb11316f94d52b6b0ac2a11994e67a0cae227180cd160bd8e55"
_UCF101_LISTS = "5c0d1a53b8ed364a2ac830a73f405e51bece7d98ce1254fd19ed4a36b224bd27"
_HMDB51 = "9e714a0d8b76104d76e932764a7ca636f929fff66279cda3f2e326fa912a328e"
_HMDB51_LISTS = "229c94f845720d01eb3946d39f39292ea962d50a18136484aa47c1eba251d2b7"
_DRIVE = "https://drive.usercontent.google.com/download?export=download&confirm=t&id="

DATA_SETS = {
    "ucf101": DataSet(
        "https://www.crcv.ucf.edu/data/UCF101.php", "UCF-101", "ucfTrainTestlist",
        Archive("UCF101.rar", 7.0, (
            ("https://www.crcv.ucf.edu/data/UCF101/UCF101.rar", _UCF101),
            ("https://www.crcv.ucf.edu/datasets/human-actions/ucf101/UCF101.rar", _UCF101),
            # The same videos as the THUMOS challenge has them: a ZIP archive, flat.
            ("https://storage.googleapis.com/thumos14_files/UCF101_videos.zip",
             "dabf56f573cd19c79e096563529fec8126a2a34e18e10c72eb621dd687532b0d"),
        )),
        Archive("UCF101TrainTestSplits-RecognitionTask.zip", 0.0002, (
            ("https://www.crcv.ucf.edu/data/UCF101/UCF101TrainTestSplits-RecognitionTask.zip", _UCF101_LISTS),
            ("https://www.crcv.ucf.edu/wp-content/uploads/2019/03/UCF101TrainTestSplits-RecognitionTask.zip",
             _UCF101_LISTS),
        )),
    ),
    "hmdb51": DataSet(
        "https://serre.lab.brown.edu/hmdb51.html", "hmdb51", "testTrainMulti_7030_splits",
        Archive("hmdb51_org.rar", 2.2, (
            ("https://huggingface.co/datasets/Serrelab/hmdb51/resolve/main/hmdb51_org.rar", _HMDB51),
            (f"{_DRIVE}17anw5Oxp7lmp9cMwXPOyOpL5olDLmPpj", _HMDB51),
            ("http://serre-lab.clps.brown.edu/wp-content/uploads/2013/10/hmdb51_org.rar", _HMDB51),
        )),
        Archive("test_train_splits.rar", 0.0002, (
            ("https://huggingface.co/datasets/Serrelab/hmdb51/resolve/main/test_train_splits.rar", _HMDB51_LISTS),
            (f"{_DRIVE}1NQxJWJSYWefyNS-LFYCenFih4gRDUPCX", _HMDB51_LISTS),
            ("http://serre-lab.clps.brown.edu/wp-content/uploads/2013/10/test_train_splits.rar", _HMDB51_LISTS),
        )),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A data set on the disk."""

    name: str
    root: Path

    @property
    def data(self) -> DataSet:
        return DATA_SETS[self.name]

    @property
    def videos(self) -> Path:
        return self.root / self.data.videos

    @property
    def annotations(self) -> Path:
        return self.root / self.data.annotations

    @property
    def unfinished(self) -> Path:
        return self.root / f"{self.name}.unfinished"

    @property
    def source(self) -> datasets.Source:
        return datasets.Source(self.name, self.videos, self.annotations)


# What there is


def list_files(name: str) -> list[str]:
    """The names of a data set's official lists."""
    if name == "ucf101":
        return ["classInd.txt", *(f"{side}list{k:02d}.txt" for k in published.LISTS for side in ("train", "test"))]
    return [f"{cls}_test_split{k}.txt" for cls in published.classes(name) for k in published.LISTS]


def check_lists(place: Place) -> dict[str, list[str]]:
    """Class -> its videos' paths, once the lists are seen to have the official numbers, and so the paper's Table 2.

    Raises DtkdError where they have others, or cannot be read.
    """
    remedy = f"remove {place.annotations} to have them fetched again"
    found = datasets.side_counts(place.source)
    for k, official in published.list_counts(place.name).items():
        own = found.get(k, {})
        for cls in sorted(official.keys() | own.keys()):
            if own.get(cls) != official.get(cls):
                train, test = own.get(cls, (0, 0))
                right = "{} and {}".format(*official[cls]) if cls in official else "no such class"
                raise DtkdError(
                    f"{place.annotations}: list {k} has {train} train and {test} test videos of class {cls}, the "
                    f"official one has {right}: {remedy}"
                )
    videos = datasets.videos_by_class(place.source)
    for cls, number in published.videos(place.name).items():
        if len(videos[cls]) != number:
            raise DtkdError(
                f"{place.annotations}: the lists name {len(videos[cls])} videos of class {cls}, the official ones "
                f"{number}: {remedy}"
            )
    return videos


def missing(place: Place, videos: Mapping[str, Iterable[str]]) -> list[str]:
    """The paths of listed videos that are not there, or are empty files."""
    found = set(_files(place.videos))
    return [path for paths in videos.values() for path in paths if path not in found]


def _files(root: Path) -> Iterator[str]:
    """The files of ``root``'s folders that are not empty, as '<folder>/<name>'."""
    for folder in _entries(root):
        if folder.is_dir():
            for entry in _entries(Path(folder.path)):
                if entry.is_file() and entry.stat().st_size:
                    yield f"{folder.name}/{entry.name}"


def _entries(folder: Path) -> list[os.DirEntry]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []
    except NotADirectoryError:
        raise DtkdError(f"{folder} is a file: move it away, a folder has to be there") from None


def lacking(place: Place, videos: Mapping[str, list[str]], paths: list[str]) -> str:
    """'12 of 13,320 videos are missing (Archery: 3 of 145 ...)'."""
    total = sum(map(len, videos.values()))
    by_class = Counter(path.partition("/")[0] for path in paths)
    shown = ", ".join(f"{cls} {number} of {len(videos[cls])}" for cls, number in sorted(by_class.items())[:SHOWN])
    more = f" and {len(by_class) - SHOWN} more classes" if len(by_class) > SHOWN else ""
    return f"{len(paths):,} of {total:,} videos are missing in {place.videos}: {shown}{more}"


def check(place: Place) -> str | None:
    """What is lacking of a data set, in a line; None if all is there."""
    if absent := [name for name in list_files(place.name) if not (place.annotations / name).is_file()]:
        number = len(list_files(place.name))
        return f"{len(absent)} of {number} lists are missing in {place.annotations}, such as {absent[0]}"
    videos = check_lists(place)
    paths = missing(place, videos)
    return lacking(place, videos, paths) if paths else None


# Bringing it there


def prepare(place: Place, urls: Mapping[str, str], keep: bool = False) -> None:
    """Fetch and unpack what is missing of a data set; call it again after any interruption.

    ``urls``: archive's name -> an address of the user's own. ``keep``: downloaded archives stay beside the videos.

    Raises DtkdError with what to do, for each step that cannot be done.
    """
    if not check(place):
        _tidy(place, keep)
        return
    check_writable(place.root)
    with _alone(place):
        get = partial(_archive, place, urls)
        wanted = [name for name in list_files(place.name) if not (place.annotations / name).is_file()]
        if wanted:
            _bring_lists(place, wanted, get(place.data.lists))
        videos = check_lists(place)
        print(f"{place.name}: lists with the numbers of the paper's Table 2: {place.annotations}", flush=True)
        _respell(place, missing(place, videos))
        if paths := missing(place, videos):
            _announce(place, len(paths) / sum(map(len, videos.values())), keep)
            _bring_videos(place, videos, paths, get(place.data.clips))
            if paths := missing(place, videos):
                raise DtkdError(lacking(place, videos, paths))
    _tidy(place, keep)


@contextmanager
def _alone(place: Place) -> Iterator[None]:
    """Hold the unfinished folder, which two calls at once would make a mess of."""
    place.unfinished.mkdir(parents=True, exist_ok=True)
    folder = os.open(place.unfinished, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise DtkdError(f"{place.unfinished} is being written by another process: wait until it is done") from None
    finally:
        os.close(folder)
        with suppress(OSError):  # it is not empty, or not there any more
            place.unfinished.rmdir()


def _bring_lists(place: Place, names: list[str], archive: Path) -> None:
    new = place.unfinished / place.data.annotations
    for _ in archives.unpack(archive, lambda member: new / _base(member) if _base(member) in names else None):
        pass
    if absent := [name for name in names if not (new / name).exists()]:
        raise DtkdError(f"{archive} has no {absent[0]}: it is another archive than {place.data.lists.name}; remove it")
    _move(names, new, place.annotations)


def _bring_videos(place: Place, videos: Mapping[str, list[str]], paths: list[str], archive: Path) -> None:
    """Unpack the videos at ``paths``, and the archives of their classes within ``archive``, then rename them all."""
    new = place.unfinished / place.data.videos
    by_name = {_base(path).casefold(): path for path in paths}  # archives and lists may differ in capitals
    whole = videos.keys() - {path.partition("/")[0] for path in paths}

    def target(member: str) -> Path | None:
        name = _base(member)
        if name.endswith((".rar", ".zip")) and not name.startswith("."):
            return None if name[:-4] in whole else new / name
        return new / by_name[name.casefold()] if name.casefold() in by_name else None

    with tqdm(total=len(paths), desc=f"{place.name}: unpack", unit="video") as bar:

        def unpack(archive: Path) -> None:
            for file in archives.unpack(archive, target):
                if file.parent == new:
                    unpack(file)
                    file.unlink()
                else:
                    bar.update()

        unpack(archive)
    if absent := [path for path in paths if not (new / path).exists()]:
        raise DtkdError(
            f"{archive} lacks {len(absent):,} of {len(paths):,} videos that the lists name, such as {absent[0]}: it is "
            "another archive, or was cut short; remove it, and run the same command again"
        )
    _move(paths, new, place.videos)


def _archive(place: Place, urls: Mapping[str, str], archive: Archive) -> Path:
    """The archive that the user has put into the folder, or one that is downloaded."""
    if given := _by_hand(place, archive):
        print(f"{place.name}: {given} is taken as it is, and stays", flush=True)
        return given
    ours = place.unfinished / archive.name
    if ours.is_file():
        return ours
    sources = [(urls[archive.name], archive.sources[0][1])] if archive.name in urls else list(archive.sources)
    if archive.name not in urls and not archives.programs():
        sources = [(url, sha256) for url, sha256 in sources if url.endswith(".zip")]
        if not sources:
            archives.check_program()
    for number, (url, sha256) in enumerate(sources):
        own = "own" if archive.name in urls else number  # what has come of one address is not lost to the next
        part = place.unfinished / f".{archive.name}.{own}.partial"
        try:
            _download(url, sha256, part)
        except DtkdError as problem:
            print(f"note: {problem}", file=sys.stderr, flush=True)
            continue
        part.replace(ours)
        for rest in place.unfinished.glob(f".{archive.name}.*.partial*"):
            rest.unlink()
        return ours
    raise DtkdError(
        f"{archive.name} cannot be downloaded: get it from {place.data.page} in a browser and put it at "
        f"{place.root / archive.name}, or give an address of it (--url {archive.name}=https://...), and run the same "
        "command again"
    )


def _by_hand(place: Place, archive: Archive) -> Path | None:
    """What the user has put into the folder, under the archive's name or one that an address ends in."""
    names = [archive.name, *(_base(urlsplit(url).path) for url, _ in archive.sources)]
    files = (place.root / name for name in names if name.endswith((".rar", ".zip")))
    return next((file for file in files if file.is_file()), None)


def _download(url: str, sha256: str, part: Path) -> None:
    """Download to ``part``. Either the connection or the checksum has to say that the file is the right one."""
    given = {"otherwise": "take another address", "wrong": archives.wrong}
    secure = url.startswith("https:")
    try:
        digest = download.download(url, part, None if secure else sha256, http=not secure, **given)
    except download.Untrusted as problem:
        print(f"note: {problem}; it is taken if it has the known SHA-256", file=sys.stderr, flush=True)
        secure = False
        digest = download.download(url, part, sha256, any_certificate=True, **given)
    if digest == sha256:
        return
    text = f"{url} has SHA-256 {digest}, and the file that is known has {sha256}"
    if not secure:
        download.discard(part)
        raise DtkdError(f"{text}: nothing was kept")
    print(f"note: {text}: what is in it is held against the lists", file=sys.stderr, flush=True)


def _announce(place: Place, share: float, keep: bool) -> None:
    """Say how much disk it takes, before hours of download. ``share`` of the videos are missing.

    Raises DtkdError if there is less.
    """
    gb, given = place.data.clips.gb, _by_hand(place, place.data.clips)
    done = sum(file.stat().st_size for file in place.unfinished.rglob("*") if file.is_file()) / 1e9
    need = max((0 if given else gb) + gb * share - done, 0)
    room = shutil.disk_usage(place.root).free / 1e9
    takes = f"{need:.1f} GB more while it works, and {gb * (2 if keep or given else 1):.1f} GB in the end"
    if room < need:
        raise DtkdError(f"{place.name} takes {takes}; {place.root} has {room:.1f} GB free: free space, or use --to")
    print(f"{place.name}: takes {takes}; {room:.0f} GB are free in {place.root}", flush=True)


def _respell(place: Place, paths: list[str]) -> None:
    """Rename videos unpacked by hand that lie elsewhere in the folder, or under a name with other capitals."""
    wanted = {_base(path).casefold(): path for path in paths}
    listed = set(paths)
    for path in [*_files(place.videos), *(entry.name for entry in _entries(place.videos) if entry.is_file())]:
        if path not in listed and (right := wanted.pop(_base(path).casefold(), None)):
            (place.videos / right).parent.mkdir(exist_ok=True)
            (place.videos / path).replace(place.videos / right)


def _move(paths: Iterable[str], old: Path, new: Path) -> None:
    os.sync()  # a file has its name only once the disk has its content
    for folder in {(new / path).parent for path in paths}:
        folder.mkdir(parents=True, exist_ok=True)
    for path in paths:
        (old / path).replace(new / path)


def _tidy(place: Place, keep: bool) -> None:
    """Remove what was downloaded and unpacked on the way; what the user has put there stays."""
    for archive in (place.data.lists, place.data.clips):
        if keep and (place.unfinished / archive.name).is_file():
            (place.unfinished / archive.name).replace(place.root / archive.name)
    if place.unfinished.exists():
        shutil.rmtree(place.unfinished)


def _base(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


# The command


def summary(place: Place) -> str:
    """Of a data set that is there."""
    counts = published.videos(place.name)
    return (
        f"{place.name}: all there: {sum(counts.values()):,} videos in {len(counts)} classes ({place.videos}) and "
        f"{len(published.LISTS)} lists with the numbers of the paper's Table 2 ({place.annotations})"
    )


def commands(root: Path) -> str:
    """The two commands to type next, for those data sets that are there."""
    there, config = [], []
    for name in DATA_SETS:
        with suppress(DtkdError):  # of one that was not asked for
            there += [] if check(Place(name, root)) else [name]
    if len(there) < len(DATA_SETS):
        config.append(f"'use=[{', '.join(there)}]'")
    if root != Path("data"):
        places = (Place(name, root) for name in there)
        paths = (f"{place.name}: {{videos: {place.videos}, annotations: {place.annotations}}}" for place in places)
        config.append(f"'datasets={{{', '.join(paths)}}}'")
    given = f"--configfile {STUDY}" + (f" --config {' '.join(config)}" if config else "")
    return (
        "next, what it will cost, and the run:\n"
        f'  make plan ARGS="{given} --gpus 1"\n'
        f"  snakemake --cores 8 --resources gpu=1 {given} results/tables/table5.csv"
    )


def arguments() -> argparse.Namespace:
    what = __doc__.partition(":")[0]
    parser = argparse.ArgumentParser("python -m dtkd.prepare", description=what, allow_abbrev=False)
    parser.add_argument("names", nargs="+", choices=sorted(DATA_SETS), metavar="ucf101|hmdb51", help="one or both")
    parser.add_argument("--to", type=Path, default=Path("data"), metavar="FOLDER", help="default: %(default)s")
    parser.add_argument("--check", action="store_true", help="only say what is there and what is missing")
    parser.add_argument(
        "--keep-archives", action="store_true",
        help="leave downloaded archives in FOLDER (7 and 2 GB more); those put there by hand stay in any case",
    )  # fmt: skip
    parser.add_argument(
        "--url", action="append", default=[], metavar="ARCHIVE=URL",
        help=f"another address of an archive, one of {', '.join(_archive_names())}",
    )  # fmt: skip
    given = parser.parse_intermixed_args()
    given.urls = dict(pair.partition("=")[::2] for pair in given.url)
    for name, url in given.urls.items():
        if name not in _archive_names() or urlsplit(url).scheme not in ("http", "https"):
            parser.error(f"--url {name}={url}: give ARCHIVE=https://..., ARCHIVE one of {', '.join(_archive_names())}")
    return given


def _archive_names() -> list[str]:
    return [archive.name for data in DATA_SETS.values() for archive in (data.clips, data.lists)]


def main() -> None:
    given = arguments()
    places = [Place(name, given.to) for name in dict.fromkeys(given.names)]
    with command(goes_on=True):
        if given.check:
            found = {place: check(place) for place in places}
        else:
            for place in places:
                prepare(place, given.urls, given.keep_archives)
            found = dict.fromkeys(places)
    for place, lacks in found.items():
        print(f"{place.name}: {lacks}" if lacks else summary(place))
    if any(found.values()):
        sys.exit(f"error: python -m dtkd.prepare {' '.join(place.name for place in found if found[place])} --to "
                 f"{given.to} brings what is missing")  # fmt: skip
    print(commands(given.to))
