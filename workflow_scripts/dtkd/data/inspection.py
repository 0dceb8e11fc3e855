"""Which videos of a dataset can be used: every one is decoded from end to end before anything is learnt from it.

Decoders crash and hang on damaged files, and nothing inside a process helps against either. So child processes
decode, one for each thread, and tell of every second that they get on: a crash, or silence for ``PATIENCE`` seconds,
ends the child and is the video's reason like any other.

Only sound videos are remembered (by size and modification time). The few others are tried again every time: what
stood in their way may have been the disk's, the memory's or a permission's fault.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from dtkd.common.errors import DtkdError
from dtkd.common.files import atomic, read_parquet
from dtkd.data.video import REMEDY, VideoError, VideoInfo, scan

if TYPE_CHECKING:
    import pandas as pd

PATIENCE = 60.0
"""Seconds without a new frame, after which a decoder counts as hung (a frame of 8K takes less than one)."""

FORMAT = 2
"""Raise it when sound videos must be inspected again."""

Progress = Callable[..., Iterable]


def inspect(
    root: str | Path,
    paths: Iterable[str],
    known: str | Path,
    threads: int = 1,
    progress: Progress | None = None,
    patience: float = PATIENCE,
    store: bool = True,
) -> tuple[dict[str, VideoInfo], dict[str, str]]:
    """Decode every frame of the videos at ``paths`` below ``root``: path -> what it is, and path -> why it is no use.

    ``VideoInfo.frames`` are those decoded. ``known`` is a parquet file of what earlier inspections found: sound videos
    with the size and mtime_ns noted there are not decoded again. With ``store`` it is brought up to date, as far as
    this inspection gets. ``progress`` wraps the iteration over the others, as ``tqdm(iterable, total=n)`` does;
    ``threads`` of them are decoded at a time.
    """
    before = _read(known)
    states = {path: _state(Path(root) / path) for path in paths}
    sound = {path: before[path, *state] for path, state in states.items() if (path, *state) in before}
    todo = [path for path in states if path not in sound]
    reasons = {}
    decoders = [_Decoder(patience) for _ in range(min(threads, len(todo)))]
    idle: SimpleQueue[_Decoder] = SimpleQueue()
    for decoder in decoders:
        idle.put(decoder)

    def inspected(path: str) -> tuple[str, VideoInfo | str]:
        decoder = idle.get()
        try:
            return path, decoder(Path(root) / path)
        finally:
            idle.put(decoder)

    def remember() -> None:
        if store:
            _write(known, {(path, *states[path]): info for path, info in sound.items()})

    pool = ThreadPoolExecutor(max(1, len(decoders)))
    try:
        results, written = pool.map(inspected, todo), time.monotonic()
        for path, found in progress(results, total=len(todo)) if progress and todo else results:
            (sound if isinstance(found, VideoInfo) else reasons)[path] = found
            if time.monotonic() - written > 60:  # a killed job then loses a minute
                remember()
                written = time.monotonic()
    finally:
        pool.shutdown(cancel_futures=True)
        for decoder in decoders:
            decoder.close()
        if todo:
            remember()
    return sound, reasons


def described(index: "pd.DataFrame", sound: Mapping[str, Any], kind: type = VideoInfo) -> "pd.DataFrame":
    """An index without the videos that are not ``sound``, with a column for each field of what they are (``kind``)."""
    rows = index[index["path"].isin(sound)].reset_index(drop=True)
    for column in kind.__annotations__:
        rows[column] = [getattr(sound[path], column) for path in rows["path"]]
    return rows


def problems(index: "pd.DataFrame", reasons: dict[str, str]) -> "pd.DataFrame":
    """The unusable videos of an index: video (its path), class, lists ("list1 train, list2 test"), reason."""
    import pandas as pd

    lists = [column for column in index.columns if column.startswith("list")]
    return pd.DataFrame(
        [
            (row["path"], row["class"], ", ".join(f"{name} {row[name]}" for name in lists), reasons[row["path"]])
            for _, row in index[index["path"].isin(reasons)].iterrows()
        ],
        columns=["video", "class", "lists", "reason"],
    )


def read_problems(path: str | Path) -> "pd.DataFrame":
    """A file of `problems`; none where there is no such file."""
    import pandas as pd

    if not Path(path).exists():
        return pd.DataFrame(columns=["video", "class", "lists", "reason"])
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def refuse(root: str | Path, problems: "pd.DataFrame", total: int, listed: str | Path) -> None:
    """Raise the one DtkdError for all ``problems``, which are ``listed`` in a file, if there are any."""
    if problems.empty:
        return
    shown = [f"{row.video} ({row.reason})" for row in problems.head(3).itertuples()]
    more = f" and {len(problems) - len(shown)} more" if len(problems) > len(shown) else ""
    raise DtkdError(
        f"{root}: {len(problems)} of {total} videos cannot be used: {', '.join(shown)}{more}; {listed} lists them all: "
        "copy or download them again, take them off the lists, or go on without them (on_bad_video: skip)"
    )


def check_classes(index: "pd.DataFrame", sound: "pd.DataFrame", listed: str | Path) -> None:
    """Raise DtkdError if a class has lost all its training or test videos of a list to the problems ``listed``."""
    for column in (name for name in index.columns if name.startswith("list")):
        for side in ("train", "test"):
            before, after = (set(table.loc[table[column] == side, "class"]) for table in (index, sound))
            if lost := sorted(before - after):
                raise DtkdError(
                    f"class {lost[0]} has no {side} video in {column} that can be used ({listed} says why): fix one, "
                    "or remove the class from every list"
                )


class _Decoder:
    """A child process that scans videos (``serve``); started when first needed, and again after a video ended it."""

    def __init__(self, patience: float) -> None:
        self.patience, self.child = patience, None

    def __call__(self, path: Path) -> VideoInfo | str:
        """What the video is, or why it cannot be used."""
        if self.child is None:
            self._start()
        with suppress(BrokenPipeError):
            self.child.stdin.write(json.dumps(str(path)).encode() + b"\n")
        frames = 0
        while True:
            if not select.select([self.child.stdout], [], [], self.patience)[0]:
                self.close()
                return f"its decoder hangs at frame {frames} (silent for {self.patience:g} s)"
            line = self.child.stdout.readline()
            if not line:
                return f"its decoder crashes at frame {frames} or later ({self._cause_of_death()})"
            message = json.loads(line)
            if isinstance(message, dict):
                return VideoInfo(**message)
            if isinstance(message, str):
                return message
            frames = message

    def _start(self) -> None:
        command = [sys.executable, "-c", "from dtkd.data.inspection import serve; serve()"]
        python_path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
        environment = os.environ | {"PYTHONPATH": python_path}
        pipe = subprocess.PIPE
        self.child = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, bufsize=0, env=environment,
            process_group=0,  # Ctrl-C is the parent's to handle; without it, stdin ends
        )  # fmt: skip
        if not self.child.stdout.readline():  # however long it takes to start: no video is to blame for that
            raise RuntimeError(f"the decoder's process does not start ({self._cause_of_death()})")

    def _cause_of_death(self) -> str:
        status = self.child.wait()
        self.close()
        return signal.Signals(-status).name if status < 0 else f"exit status {status}"

    def close(self) -> None:
        if self.child is not None:
            self.child.kill()
            self.child.wait()
            self.child.stdin.close()
            self.child.stdout.close()
            self.child = None


def serve() -> None:
    """The child: for each path on stdin (a JSON string a line) a VideoInfo or a reason on stdout, until then frames.

    A first line says that it is ready.
    """
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints is no answer
    print("ready", file=out, flush=True)
    for line in sys.stdin:
        path = json.loads(line)
        try:
            answer = asdict(scanned(path, lambda frames: print(frames, file=out, flush=True)))
        except VideoError as error:
            answer = _reason(path, error)
        print(json.dumps(answer), file=out, flush=True)


def scanned(path: str | Path, alive: Callable[[int], object] = lambda frames: None) -> VideoInfo:
    """The result of ``scan``; ``alive`` is told the frames decoded so far, once a second.

    Raises VideoError as ``scan`` does, and for a video of one frame.
    """
    frames, told = scan(path), time.monotonic()
    while True:
        try:
            decoded = next(frames)
        except StopIteration as end:
            if end.value.frames < 2:
                raise VideoError(f"{path}: has one frame only, and motion needs two") from None
            return end.value
        if time.monotonic() - told > 1:
            alive(decoded)
            told = time.monotonic()


def _reason(path: str, error: VideoError) -> str:
    """What is wrong, without the file's name and the usual remedy."""
    reason = str(error).removeprefix(f"{path}: ").removesuffix(".")
    return reason.removesuffix(REMEDY).removesuffix(REMEDY.capitalize()).rstrip(": ")


def _state(path: Path) -> tuple[int, int]:
    """(bytes, mtime_ns); (-1, -1) where there is no such file."""
    try:
        status = os.stat(path)
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns


_STATE = ["path", "bytes", "mtime_ns"]


def _read(known: str | Path) -> dict[tuple[str, int, int], VideoInfo]:
    """(path, bytes, mtime_ns) -> a sound video; nothing where there is no such file, half of one or an older form."""
    import pyarrow as pa

    try:
        rows = read_parquet(known).to_dict("records")
        return {
            tuple(row[name] for name in _STATE): VideoInfo(**{name: row[name] for name in VideoInfo.__annotations__})
            for row in rows
            if row["format"] == FORMAT
        }
    except (OSError, pa.ArrowException, KeyError):
        return {}


def _write(known: str | Path, sound: dict[tuple[str, int, int], VideoInfo]) -> None:
    import pandas as pd

    rows = [dict(zip(_STATE, state, strict=True)) | asdict(info) for state, info in sound.items()]
    table = pd.DataFrame(rows, columns=[*_STATE, *VideoInfo.__annotations__]).assign(format=FORMAT)
    with atomic(known) as temporary:
        table.to_parquet(temporary, index=False)
