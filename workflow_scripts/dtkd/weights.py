"""Pretrained weights: fetched once over HTTPS, checked before every use, and read without running anything in them."""

import fcntl
import hashlib
import http.client
import json
import os
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import torch
from torch import Tensor
from tqdm import tqdm

from dtkd.errors import DtkdError
from dtkd.files import atomic, write_json

TIMEOUT = 30  # seconds without a byte before a connection counts as lost
CHUNK = 1 << 20  # bytes
TRIES = 3  # of a download that is cut
# Under which keys training programs keep a network's parameters: published weights, this project's checkpoints,
# Lightning, PyTorch's tutorials, DeepSpeed. What wrappers put before all names: DistributedDataParallel, Lightning. And
# what they put anywhere into a name: torch.compile, FullyShardedDataParallel, activation checkpoints.
CONTAINERS = ("model_state", "model", "state_dict", "model_state_dict", "module", "net", "network")
PREFIXES = ("module.", "model.", "net.", "network.")
_WRAPPERS = re.compile(r"\b(?:_orig_mod|_fsdp_wrapped_module|_checkpoint_wrapped_module|_forward_module)\.")
_REFUSED = re.compile(r"Unsupported global: GLOBAL (\S+) was not an allowed")  # torch's words


def fetch(
    url: str, path: str | Path, sha256: str | None = None, *, progress: bool = True, allow_http: bool = False
) -> Path:
    """Bring ``url`` to ``path`` unless it is there already, check it, and return ``path``.

    ``sha256`` (hexadecimal) is the checksum that the file must have. Where none is known, that of the first file seen
    at ``path`` is recorded beside it in ``<path>.sha256`` (readable by ``sha256sum -c``), and every later use must
    match it: trust on first use. A file put at ``path`` by hand is treated the same. A download appears at ``path``
    only when it is whole and its checksum is right. One that is cut is tried again, and what has come stays beside
    ``path``, as ``.<name>.partial``, for the next call: it goes on from there if the server can send the rest (HTTP
    Range) of the same file. ``progress`` shows a bar with the time left. Only HTTPS is spoken, also when the server
    redirects, unless ``allow_http``.

    Raises DtkdError when the file cannot be had or written, is cut short or has another checksum.
    """
    path = Path(path)
    try:
        if not path.exists():
            by_hand = f"download {url} by other means and put it at {path}"
            expected = sha256.lower() if sha256 else _recorded(path)
            part = path.with_name(f".{path.name}.partial")
            path.parent.mkdir(parents=True, exist_ok=True)
            digest = _download(url, part, known=bool(expected), by_hand=by_hand, progress=progress, http=allow_http)
            if expected and digest != expected:
                _remove(part)
                change = "correct the checksum in the config" if sha256 else f"remove {_record(path)}"
                raise DtkdError(
                    f"{url} has SHA-256 {digest}, expected {expected}; nothing was kept: try again, "
                    f"or {change} if its publisher has replaced the file"
                )
            os.replace(part, path)
            _remove(part)
        digest = verify(path, sha256)
        if not sha256 and not _record(path).exists():
            with atomic(_record(path)) as temporary:
                temporary.write_text(f"{digest}  {path.name}\n", encoding="utf-8")
    except OSError as error:
        raise DtkdError(f"{path} cannot be written ({_reason(error)}): free space or choose another folder") from error
    return path


def verify(path: str | Path, sha256: str | None = None) -> str:
    """Return the SHA-256 of ``path`` in hexadecimal, once it is seen to match ``sha256`` and ``<path>.sha256``, if any.

    Raises DtkdError if it does not match, or if there is no such file.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DtkdError(f"{path} cannot be read ({_reason(error)}): check the path to the weights") from error
    if sha256 and digest != sha256.lower():
        raise DtkdError(f"{path} has SHA-256 {digest}, expected {sha256.lower()}: remove it, and it is fetched again")
    recorded = _recorded(path)
    if not sha256 and recorded and digest != recorded:
        raise DtkdError(
            f"{path} has SHA-256 {digest}, expected {recorded} as {_record(path)} recorded when it was first used: "
            f"remove {path.name} to fetch it again, or the record too if the change is yours"
        )
    return digest


def load_state_dict(path: str | Path, sha256: str | None = None, part: str | None = None) -> dict[str, Tensor]:
    """Read a network's parameters from ``path`` to the CPU, as names to tensors.

    The file may hold them bare or under a key of `CONTAINERS`, which may hold another; ``part`` names another key, such
    as "last" (the last epoch of this project's checkpoints). What DistributedDataParallel, torch.compile and the like
    put into all names is taken away. It is checked first against ``sha256`` and the record that ``fetch`` made, if any.
    Only tensors and plain values are read: a file that would run code is refused.

    Raises DtkdError for a file that is missing, altered, damaged, unsafe, or holds something else.
    """
    path = Path(path)
    verify(path, sha256)
    state = load_safely(path)
    if part and isinstance(state, Mapping):
        state = state.get(part)
    for _ in CONTAINERS:  # one within another, but not for ever
        if isinstance(state, Mapping) and not _are_parameters(state):
            state = next((state[key] for key in CONTAINERS if isinstance(state.get(key), Mapping)), None)
    if not _are_parameters(state):
        raise DtkdError(
            f"{path} holds no network's parameters: give a file with tensors by name, bare or under one of "
            f"{', '.join(CONTAINERS)}"
        )
    return _unwrapped(state)


def _are_parameters(state: Any) -> bool:
    """Whether it is what `nn.Module.state_dict` gives: tensors by name."""
    return isinstance(state, Mapping) and bool(state) and all(isinstance(value, Tensor) for value in state.values())


def _unwrapped(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors by the names that they have in the network itself, whatever it was wrapped in when it was saved."""
    state = {_WRAPPERS.sub("", name): value for name, value in state.items()}
    averaged = {name: value for name, value in state.items() if name != "n_averaged"}  # AveragedModel's, beside module.
    while prefix := next((word for word in PREFIXES if averaged and all(n.startswith(word) for n in averaged)), None):
        state = averaged = {name.removeprefix(prefix): value for name, value in averaged.items()}
    return state


def load_safely(path: str | Path) -> Any:
    """Read tensors and plain values to the CPU; nothing in the file is run.

    Raises DtkdError for a file that is damaged, or that would run code.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged bytes can raise anything; all of it means that the file is not usable
        if found := _REFUSED.search(str(error)):
            raise DtkdError(
                f"{path} holds {found[1]}, more than tensors and plain values, and so is not safe to load: put its "
                "parameters alone into a file (torch.save(model.state_dict(), ...)), or have it from one you trust"
            ) from error
        raise DtkdError(
            f"{path} is damaged, or holds more than tensors and plain values and so is not safe to load "
            f"({type(error).__name__}): fetch it again from a source you trust, or remove it and have it made anew"
        ) from error


def save_tensors(path: str | Path, value: Any) -> None:
    """`torch.save`, atomically, and through a file of Python's, whose errors say what is wrong with the disk."""
    with atomic(path) as temporary, temporary.open("wb") as file:
        torch.save(value, file)


class _SameSecurity(urllib.request.HTTPRedirectHandler):
    """Follow redirects, but not to a scheme that is not allowed."""

    def __init__(self, schemes: set[str]) -> None:
        self.schemes = schemes

    def redirect_request(self, request, file, code, message, headers, new_url):
        if urlsplit(new_url).scheme not in self.schemes:
            raise urllib.error.URLError(f"redirected to {new_url}, which is not HTTPS")
        return super().redirect_request(request, file, code, message, headers, new_url)


class _CutShort(Exception):
    """A download ended before the file did."""


def _download(url: str, part: Path, *, known: bool, by_hand: str, progress: bool, http: bool) -> str:
    """Bring what ``url`` gives to ``part``, or the rest of it, and return its SHA-256.

    ``known``: the whole will be held against a checksum, so that a server that cannot say whether the file is still
    the same may send the rest too. Errors of writing are left as OSError.
    """
    schemes = {"https", "http"} if http else {"https"}
    if urlsplit(url).scheme not in schemes:
        raise DtkdError(f"{url} is not an HTTPS address: use an https:// one, or {by_hand}")
    opener = urllib.request.build_opener(_SameSecurity(schemes))
    with part.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DtkdError(f"{part} is being written by another process: wait until its download is done") from None
        try:
            for tries in range(TRIES, 0, -1):
                try:
                    _receive(opener, url, part, file, known=known, by_hand=by_hand, progress=progress)
                    break
                except _CutShort as cut:
                    if tries == 1:
                        raise DtkdError(
                            f"{url} {cut}: try again, it then goes on from there if it can, or {by_hand}"
                        ) from cut
        finally:
            if not os.fstat(file.fileno()).st_size:
                _remove(part)
    with part.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _receive(
    opener: urllib.request.OpenerDirector, url: str, part: Path, file: IO[bytes], *, known: bool, by_hand: str,
    progress: bool,
) -> None:  # fmt: skip
    """Ask once for what ``file`` lacks of ``url`` and append it; begin anew where the rest cannot be had."""
    headers = {"User-Agent": "dtkd"}
    have, state = file.seek(0, os.SEEK_END), _state(part)
    if have and state.get("url") == url and (state.get("validator") or known):
        headers["Range"] = f"bytes={have}-"
        if state.get("validator"):
            headers["If-Range"] = state["validator"]
    try:
        response = opener.open(urllib.request.Request(url, headers=headers), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            if error.headers.get("Content-Range") == f"bytes */{have}":
                return  # it was whole already
            file.truncate(0)
            raise _CutShort("is shorter than what has come of it") from error
        raise DtkdError(
            f"{url} cannot be fetched (the server answers {error.code} {error.reason}): {by_hand}"
        ) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DtkdError(f"{url} cannot be reached ({_reason(error)}): go online, or {by_hand}") from error
    with response:
        if not response.headers.get("Content-Range", "").startswith(f"bytes {have}-") or response.status != 206:
            have = 0
            file.truncate(0)
            tag = response.headers.get("ETag", "W/")  # a weak one does not tell bytes apart
            validator = response.headers.get("Last-Modified") if tag.startswith("W/") else tag
            write_json(_state_file(part), {"url": url, "validator": validator})
        length = response.headers.get("Content-Length", "")
        size = have + int(length) if length.isdigit() else None
        name = url.rsplit("/", 1)[-1]
        with tqdm(total=size, initial=have, unit="B", unit_scale=True, desc=name, disable=not progress) as bar:
            for chunk in _chunks(response):
                file.write(chunk)
                have += len(chunk)
                bar.update(len(chunk))
    file.flush()
    if size is not None and have != size:
        raise _CutShort(f"was cut short after {have} of {size} bytes")


def _state_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _state(part: Path) -> dict[str, Any]:
    """Where a cut download came from, and what the server called that version of it."""
    with suppress(OSError, ValueError, TypeError):  # none, or nobody's: the download begins anew
        return dict(json.loads(_state_file(part).read_text(encoding="utf-8")))
    return {}


def _remove(part: Path) -> None:
    part.unlink(missing_ok=True)
    _state_file(part).unlink(missing_ok=True)


def _chunks(response: http.client.HTTPResponse) -> Iterator[bytes]:
    try:
        while chunk := response.read(CHUNK):
            yield chunk
    except (OSError, http.client.HTTPException) as error:
        raise _CutShort(f"stopped coming ({_reason(error)})") from error


def _record(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _recorded(path: Path) -> str | None:
    """The checksum recorded beside ``path``, or None if there is no record."""
    record = _record(path)
    if not record.exists():
        return None
    words = record.read_text(encoding="utf-8", errors="replace").split()
    digest = words[0].lower() if words else ""
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise DtkdError(f"{record} does not begin with a SHA-256: remove it, and it is written anew")
    return digest


def _reason(error: BaseException) -> str:
    """What went wrong, in one line, from the innermost error."""
    inner = getattr(error, "reason", None)
    if isinstance(inner, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted: {inner.verify_message}"
    text = inner if inner is not None else getattr(error, "strerror", None) or error
    return " ".join(str(text).split()) or type(error).__name__
