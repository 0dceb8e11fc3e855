"""Files fetched over HTTPS: once, from where a download was cut, and held against a checksum. No torch is needed.

``fetch`` is for a single file that stays at its place, ``download`` for what is still to be unpacked.
"""

import fcntl
import hashlib
import http.client
import json
import os
import shutil
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPMessage
from itertools import chain
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from tqdm import tqdm

from dtkd.common.errors import DtkdError
from dtkd.common.files import atomic, write_json

TIMEOUT = 30  # seconds without a byte before a connection counts as lost
CHUNK = 1 << 20  # bytes
TRIES = 3  # in a row that bring nothing
WAIT = 1.0  # seconds before the second try of these, twice as long before the third
BUSY = {408, 425, 429, 500, 502, 503, 504}  # HTTP's ways to say: try again


class Untrusted(DtkdError):
    """The server's certificate is not trusted: whoever answers may be somebody else."""


def fetch(
    url: str, path: str | Path, sha256: str | None = None, *, progress: bool = True, allow_http: bool = False
) -> Path:
    """Bring ``url`` to ``path`` unless it is there already, check it, and return ``path``.

    ``sha256`` (hexadecimal) is the checksum that the file must have. Where none is known, that of the first file seen
    at ``path`` is recorded beside it in ``<path>.sha256`` (readable by ``sha256sum -c``), and every later use must
    match it: trust on first use. A file put at ``path`` by hand is treated the same. A download appears at ``path``
    only when it is whole and its checksum is right. ``progress`` shows a bar with the time left. Only HTTPS is spoken,
    also when the server redirects, unless ``allow_http``.

    Raises DtkdError when the file cannot be had or written, is cut short or has another checksum.
    """
    path = Path(path)
    try:
        if not path.exists():
            otherwise = f"download {url} by other means and put it at {path}"
            expected = sha256.lower() if sha256 else _recorded(path)
            part = path.with_name(f".{path.name}.partial")
            digest = download(url, part, expected, otherwise=otherwise, progress=progress, http=allow_http)
            if expected and digest != expected:
                discard(part)
                change = "correct the checksum in the config" if sha256 else f"remove {_record(path)}"
                raise DtkdError(
                    f"{url} has SHA-256 {digest}, expected {expected}; nothing was kept: try again, "
                    f"or {change} if its publisher has replaced the file"
                )
            os.replace(part, path)
            discard(part)
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


def download(
    url: str, part: Path, sha256: str | None = None, *, otherwise: str, progress: bool = True, http: bool = False,
    any_certificate: bool = False, wrong: Callable[[bytes], str | None] = lambda first: None,
) -> str:  # fmt: skip
    """Bring what ``url`` gives to ``part``, or the rest of it, and return its SHA-256, for the caller to compare.

    A download that is cut, or whose server is busy, is tried again, with pauses, until `TRIES` in a row have brought
    nothing; what has come stays at ``part``, and the next call goes on from there if the server can send the rest
    (HTTP Range) of the same file. ``sha256``, if it is known, lets it go on where the server does not say which
    version it has.

    ``otherwise`` is what the user can do instead, ``wrong`` says of a file's first bytes what they are if they cannot
    be of this file: such an answer, an error page say, does not replace what has come. ``any_certificate`` and
    ``http`` are for callers who insist on ``sha256``.

    Raises DtkdError when nothing more comes, Untrusted among them, or the disk has no room; other errors of writing
    are left as OSError.
    """
    schemes = {"https", "http"} if http else {"https"}
    if urlsplit(url).scheme not in schemes:
        raise DtkdError(f"{url} is not an HTTPS address: use an https:// one, or {otherwise}")
    opener = urllib.request.build_opener(_SameSecurity(schemes), *([_any_certificate()] if any_certificate else []))
    part.parent.mkdir(parents=True, exist_ok=True)
    with part.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DtkdError(f"{part} is being written by another process: wait until its download is done") from None
        try:
            furthest, failures = _size(file), 0
            while True:
                try:
                    _receive(opener, url, part, file, sha256, otherwise=otherwise, progress=progress, wrong=wrong)
                    break
                except _Interrupted as interrupted:
                    failures = 1 if _size(file) > furthest else failures + 1
                    furthest = max(furthest, _size(file))
                    if failures == TRIES:
                        raise DtkdError(f"{url} {interrupted}") from interrupted
                    time.sleep(WAIT * 2 ** (failures - 1))
        finally:
            if not _size(file):
                discard(part)
    with part.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def discard(part: Path) -> None:
    """Remove what has come of a download."""
    part.unlink(missing_ok=True)
    _state_file(part).unlink(missing_ok=True)


class _SameSecurity(urllib.request.HTTPRedirectHandler):
    """Follow redirects, but not to a scheme that is not allowed."""

    def __init__(self, schemes: set[str]) -> None:
        self.schemes = schemes

    def redirect_request(
        self, request: urllib.request.Request, file: IO[bytes], code: int, message: str, headers: HTTPMessage,
        new_url: str,
    ) -> urllib.request.Request | None:  # fmt: skip
        if urlsplit(new_url).scheme not in self.schemes:
            raise urllib.error.URLError(f"redirected to {new_url}, which is not HTTPS")
        return super().redirect_request(request, file, code, message, headers, new_url)


def _any_certificate() -> urllib.request.HTTPSHandler:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return urllib.request.HTTPSHandler(context=context)


class _Interrupted(Exception):
    """A download ended before the file did, or could not begin just now."""


def _receive(
    opener: urllib.request.OpenerDirector, url: str, part: Path, file: IO[bytes], sha256: str | None, *, otherwise: str,
    progress: bool, wrong: Callable[[bytes], str | None],
) -> None:  # fmt: skip
    """Ask once for what ``file`` lacks of ``url`` and append it; start over where the rest cannot be had."""
    again = f"try again, it then goes on from there if it can, or {otherwise}"
    headers = {"User-Agent": "dtkd"}
    have, state = file.seek(0, os.SEEK_END), _state(part)
    if have and state.get("url") == url and (state.get("validator") or sha256):
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
            raise _Interrupted(f"is shorter than what has come of it: {again}") from error
        text = f"cannot be fetched (the server answers {error.code} {error.reason}): {otherwise}"
        if error.code in BUSY:
            raise _Interrupted(text) from error
        raise DtkdError(f"{url} {text}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        text = f"cannot be reached ({_reason(error)}): go online, or {otherwise}"
        if isinstance(getattr(error, "reason", None), ssl.SSLCertVerificationError):
            raise Untrusted(f"{url} {text}") from error
        if isinstance(error, urllib.error.URLError) and not isinstance(error.reason, OSError):
            raise DtkdError(f"{url} {text}") from error  # it is the address that is wrong
        if isinstance(error, OSError):
            raise _Interrupted(text) from error
        raise DtkdError(f"{url} {text}") from error
    with response:
        continued = response.status == 206 and response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        chunks = _chunks(response, again)
        first = b"" if continued else next(chunks, b"")
        if not continued:
            if what := wrong(first):
                raise DtkdError(f"{url} gives {what}: {otherwise}")
            have = 0
            file.truncate(0)
            tag = response.headers.get("ETag", "W/")  # a weak one does not tell bytes apart
            validator = response.headers.get("Last-Modified") if tag.startswith("W/") else tag
            write_json(_state_file(part), {"url": url, "validator": validator})
        length = response.headers.get("Content-Length", "")
        size = have + int(length) if length.isdigit() else None
        if size is not None and (room := shutil.disk_usage(part.parent).free) < size - have:
            raise DtkdError(
                f"{part.parent} has {room / 1e9:.1f} GB free and {url} needs {(size - have) / 1e9:.1f} GB: "
                "free space there, or choose another folder"
            )
        name = urlsplit(url).path.rsplit("/", 1)[-1]
        with tqdm(total=size, initial=have, unit="B", unit_scale=True, desc=name, disable=not progress) as bar:
            for chunk in chain([first], chunks):
                file.write(chunk)
                have += len(chunk)
                bar.update(len(chunk))
    file.flush()
    if size is not None and have != size:
        raise _Interrupted(f"was cut short after {have} of {size} bytes: {again}")


def _size(file: IO[bytes]) -> int:
    return os.fstat(file.fileno()).st_size


def _state_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _state(part: Path) -> dict[str, Any]:
    """Where a cut download came from, and what the server called that version of it."""
    with suppress(OSError, ValueError, TypeError):  # none, or nobody's: the download starts over
        return dict(json.loads(_state_file(part).read_text(encoding="utf-8")))
    return {}


def _chunks(response: http.client.HTTPResponse, again: str) -> Iterator[bytes]:
    try:
        while chunk := response.read(CHUNK):
            yield chunk
    except (OSError, http.client.HTTPException) as error:
        raise _Interrupted(f"stopped coming ({_reason(error)}): {again}") from error


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
        raise DtkdError(f"{record} does not begin with a SHA-256: remove it, and it is written again")
    return digest


def _reason(error: BaseException) -> str:
    """What went wrong, in one line, from the innermost error."""
    inner = getattr(error, "reason", None)
    if isinstance(inner, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted: {inner.verify_message}"
    text = inner if inner is not None else getattr(error, "strerror", None) or error
    return " ".join(str(text).split()) or type(error).__name__
