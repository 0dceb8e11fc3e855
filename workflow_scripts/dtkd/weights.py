"""Pretrained weights: fetched once over HTTPS, checked before every use, and read without running anything in them."""

import hashlib
import http.client
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import torch
from torch import Tensor
from tqdm import tqdm

from dtkd.errors import DtkdError
from dtkd.files import atomic

TIMEOUT = 30  # seconds without a byte before a connection counts as lost
CHUNK = 1 << 20  # bytes


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
            by_hand = f"download {url} by other means and put it at {path}"
            expected = sha256.lower() if sha256 else _recorded(path)
            with atomic(path) as temporary:
                digest = _download(url, temporary, by_hand=by_hand, progress=progress, allow_http=allow_http)
                if expected and digest != expected:
                    known = "correct the checksum in the config" if sha256 else f"remove {_record(path)}"
                    raise DtkdError(
                        f"{url} has SHA-256 {digest}, expected {expected}; nothing was kept: try again, "
                        f"or {known} if its publisher has replaced the file"
                    )
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

    The file may hold them under "model_state" (published weights), under "model" (this project's checkpoints) or bare;
    ``part`` names another key, such as "last" (the last epoch of this project's checkpoints).
    It is checked first against ``sha256`` and the record that ``fetch`` made, if any. Only tensors and plain values are
    read: a file that would run code is refused.

    Raises DtkdError for a file that is missing, altered, damaged, unsafe, or holds something else.
    """
    path = Path(path)
    verify(path, sha256)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged bytes can raise anything; all of it means that the file is not usable
        raise DtkdError(
            f"{path} is damaged, or holds more than tensors and plain values and so is not safe to load "
            f"({type(error).__name__}): fetch it again from a source you trust"
        ) from error
    state = content
    for key in (part,) if part else ("model_state", "model"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            state = content[key]
            break
    if not isinstance(state, Mapping) or not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise DtkdError(
            f"{path} holds no network's parameters: give a file with tensors by name, bare or under "
            f'"model_state" or "model"'
        )
    return dict(state)


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


def _download(url: str, target: Path, *, by_hand: str, progress: bool, allow_http: bool) -> str:
    """Write what ``url`` gives to ``target`` and return its SHA-256. Errors of writing are left as OSError."""
    schemes = {"https", "http"} if allow_http else {"https"}
    if urlsplit(url).scheme not in schemes:
        raise DtkdError(f"{url} is not an HTTPS address: use an https:// one, or {by_hand}")
    digest, received = hashlib.sha256(), 0
    try:
        opener = urllib.request.build_opener(_SameSecurity(schemes))
        response = opener.open(urllib.request.Request(url, headers={"User-Agent": "dtkd"}), timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        raise DtkdError(
            f"{url} cannot be fetched (the server answers {error.code} {error.reason}): {by_hand}"
        ) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DtkdError(f"{url} cannot be reached ({_reason(error)}): go online, or {by_hand}") from error
    with response, target.open("wb") as file:
        length = response.headers.get("Content-Length", "")
        size = int(length) if length.isdigit() else None
        name = url.rsplit("/", 1)[-1]
        with tqdm(total=size, unit="B", unit_scale=True, desc=name, disable=not progress) as bar:
            for chunk in _chunks(response, url, by_hand):
                file.write(chunk)
                digest.update(chunk)
                received += len(chunk)
                bar.update(len(chunk))
    if size is not None and received != size:
        raise DtkdError(f"{url} was cut short after {received} of {size} bytes: try again, or {by_hand}")
    return digest.hexdigest()


def _chunks(response: http.client.HTTPResponse, url: str, by_hand: str) -> Iterator[bytes]:
    try:
        while chunk := response.read(CHUNK):
            yield chunk
    except (OSError, http.client.HTTPException) as error:
        raise DtkdError(f"{url} stopped coming ({_reason(error)}): try again, or {by_hand}") from error


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
