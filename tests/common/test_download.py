"""Files over HTTP from a server on this computer: whole, cut, missing, altered, or another than they should be."""

import fcntl
import hashlib
import http.server
import shutil
import socket
import ssl
import subprocess
import threading

import pytest

from dtkd.common import download
from dtkd.common.errors import DtkdError

BODY = bytes(range(256)) * 4
SHA256 = hashlib.sha256(BODY).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """/good.pyth is whole, /cut.pyth ends early, /away.pyth redirects to what is not HTTP, all else is missing.

    /range.pyth ends early too, after 100 bytes, but can go on from where it was, as far as ``end``: the server's
    ``body`` and ``etag``. The first ``busy`` requests get no more than a 503.
    """

    def do_GET(self):
        self.server.requests.append(self.path)
        if len(self.server.requests) <= self.server.busy:
            return self.send_error(503)
        if self.path == "/range.pyth":
            return self.part()
        if self.path == "/away.pyth":
            self.send_response(302)
            self.send_header("Location", "ftp://127.0.0.1/good.pyth")
            self.end_headers()
        elif self.path in ("/good.pyth", "/cut.pyth"):
            self.send_response(200)
            self.send_header("Content-Length", str(len(BODY)))
            self.end_headers()
            self.wfile.write(BODY if self.path == "/good.pyth" else BODY[:100])
        else:
            self.send_error(404)

    def part(self):
        body, etag = self.server.body, self.server.etag
        start = 0
        if "Range" in self.headers and self.headers.get("If-Range", etag) == etag:
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        self.server.starts.append(start)
        if start >= len(body):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(body)}")
            return self.end_headers()
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if etag:
            self.send_header("ETag", etag)
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        self.wfile.write(body[start : min(start + self.server.most, self.server.end)])

    def log_message(self, *arguments):
        """Keep the tests' output quiet."""


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(download, "WAIT", 0)


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.requests, server.starts, server.busy = [], [], 0
        server.body, server.etag, server.most, server.end = BODY, '"1"', 100, 300
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def fetch(server, tmp_path):
    """fetch("good.pyth") fetches from the server to ``tmp_path / "weights" / "w.pyth"``."""

    def fetch(name, sha256=None, **options):
        url = f"http://127.0.0.1:{server.server_port}/{name}"
        options = {"progress": False, "allow_http": True} | options
        return download.fetch(url, tmp_path / "weights" / "w.pyth", sha256, **options)

    return fetch


def files(tmp_path):
    return sorted(path.name for path in (tmp_path / "weights").glob("*"))


def error(function, *arguments, **options):
    """The message of the DtkdError that a call raises, seen to be one line."""
    with pytest.raises(DtkdError) as caught:
        function(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_fetched_once_and_recorded(fetch, server, tmp_path):
    path = fetch("good.pyth")
    assert path.read_bytes() == BODY
    assert (tmp_path / "weights" / "w.pyth.sha256").read_text() == f"{SHA256}  w.pyth\n"
    assert fetch("good.pyth") == path
    assert server.requests == ["/good.pyth"]
    assert files(tmp_path) == ["w.pyth", "w.pyth.sha256"]


def test_a_known_checksum_needs_no_record(fetch, tmp_path):
    path = fetch("good.pyth", SHA256.upper())
    assert files(tmp_path) == ["w.pyth"]
    assert download.verify(path, SHA256) == SHA256


def test_a_wrong_checksum_leaves_nothing(fetch, tmp_path):
    message = error(fetch, "good.pyth", "0" * 64)
    assert SHA256 in message
    assert "expected " + "0" * 64 in message
    assert files(tmp_path) == []


def test_an_altered_file_is_refused(fetch, tmp_path):
    path = fetch("good.pyth")
    path.write_bytes(BODY[:-1])
    for function in (lambda: fetch("good.pyth"), lambda: download.verify(path)):
        message = error(function)
        assert f"expected {SHA256}" in message
        assert "w.pyth.sha256" in message
    assert "remove it" in error(download.verify, path, SHA256)


def test_the_record_outlives_the_file(fetch, tmp_path):
    """Once trusted, a publisher's file that changes later is not."""
    path = fetch("good.pyth")
    path.unlink()
    record = tmp_path / "weights" / "w.pyth.sha256"
    record.write_text("1" * 64 + "  w.pyth\n")
    assert str(record) in error(fetch, "good.pyth")
    assert files(tmp_path) == ["w.pyth.sha256"]
    record.write_text("nonsense")
    assert "does not begin with a SHA-256" in error(fetch, "good.pyth")


def test_a_file_put_by_hand_is_used(fetch, server, tmp_path):
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "w.pyth").write_bytes(BODY)
    fetch("good.pyth")
    assert server.requests == []
    assert files(tmp_path) == ["w.pyth", "w.pyth.sha256"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("none.pyth", "404"), ("cut.pyth", f"cut short after 100 of {len(BODY)} bytes"), ("away.pyth", "not HTTPS")],
)
def test_a_download_that_fails_leaves_no_weights(fetch, server, tmp_path, name, reason):
    message = error(fetch, name)
    assert reason in message
    assert f"put it at {tmp_path / 'weights' / 'w.pyth'}" in message
    assert files(tmp_path) == ([".w.pyth.partial", ".w.pyth.partial.json"] if name == "cut.pyth" else [])
    assert fetch("good.pyth").read_bytes() == BODY  # what was left of another address is left aside
    assert files(tmp_path) == ["w.pyth", "w.pyth.sha256"]


def test_a_cut_download_goes_on_from_there(fetch, server, tmp_path):
    server.most, server.end = len(BODY) // 5, len(BODY)  # so often as something comes
    assert fetch("range.pyth", SHA256).read_bytes() == BODY
    assert server.starts == [number * server.most for number in range(6)]
    assert files(tmp_path) == ["w.pyth"]


def test_the_next_call_goes_on_too_and_says_how_far_it_was(fetch, server, tmp_path):
    assert f"cut short after 300 of {len(BODY)} bytes: try again" in error(fetch, "range.pyth")
    assert (tmp_path / "weights" / ".w.pyth.partial").read_bytes() == BODY[:300]
    server.most = server.end = len(BODY)
    assert fetch("range.pyth").read_bytes() == BODY
    assert server.starts == [0, 100, 200, 300, 300, 300]
    assert files(tmp_path) == ["w.pyth", "w.pyth.sha256"]


def test_a_file_that_has_changed_meanwhile_begins_anew(fetch, server):
    error(fetch, "range.pyth")
    server.body, server.etag, server.most, server.end = BODY[::-1], '"2"', 10**6, 10**6
    assert fetch("range.pyth").read_bytes() == server.body
    assert server.starts == [0, 100, 200, 300, 300, 0]


@pytest.mark.parametrize(("sha256", "starts"), [(None, [0, 0, 0]), (SHA256, [0, 100, 200, 300, 300])])
def test_without_a_version_only_a_known_checksum_lets_it_go_on(fetch, server, sha256, starts):
    server.etag = ""
    error(fetch, "range.pyth", sha256)
    assert server.starts == starts


def test_what_was_whole_when_the_process_ended_is_not_fetched_again(fetch, server, tmp_path):
    error(fetch, "range.pyth", SHA256)
    (tmp_path / "weights" / ".w.pyth.partial").write_bytes(BODY)
    assert fetch("range.pyth", SHA256).read_bytes() == BODY
    assert server.starts[5:] == [len(BODY)]


def test_a_rest_that_does_not_fit_is_found_out(fetch, server, tmp_path):
    error(fetch, "range.pyth", SHA256)
    server.body, server.most, server.end = BODY[:350] + bytes([BODY[350] ^ 1]) + BODY[351:], 10**6, 10**6
    assert "nothing was kept" in error(fetch, "range.pyth", SHA256)
    assert files(tmp_path) == []


def test_two_downloads_of_one_file(fetch, tmp_path):
    (tmp_path / "weights").mkdir()
    with (tmp_path / "weights" / ".w.pyth.partial").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert "is being written by another process" in error(fetch, "good.pyth")


def test_offline_says_what_to_do(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/good.pyth"
    message = error(download.fetch, url, tmp_path / "w.pyth", progress=False, allow_http=True)
    assert "refused" in message
    assert f"download {url} by other means and put it at {tmp_path / 'w.pyth'}" in message


def test_http_is_refused(fetch, server, tmp_path):
    assert "not an HTTPS address" in error(fetch, "good.pyth", allow_http=False)
    assert "not an HTTPS address" in error(download.fetch, "file:///etc/hosts", tmp_path / "w", progress=False)
    assert server.requests == []


def test_a_folder_that_cannot_be_written(fetch, tmp_path):
    (tmp_path / "weights").write_text("a file where the folder should be")
    assert "cannot be written" in error(fetch, "good.pyth")


def test_progress_goes_to_the_error_stream(fetch, capsys):
    fetch("good.pyth", progress=True)
    captured = capsys.readouterr()
    assert "good.pyth: 100%" in captured.err
    assert captured.out == ""


def test_a_busy_server_is_asked_again(fetch, server):
    server.busy = download.TRIES - 1
    assert fetch("good.pyth").read_bytes() == BODY


def test_but_not_for_ever(fetch, server):
    server.busy = 100
    assert "the server answers 503 Service Unavailable" in error(fetch, "good.pyth")
    assert len(server.requests) == download.TRIES


def test_a_wrong_answer_does_not_replace_what_has_come(fetch, server, tmp_path):
    """A page that says that the file is not to be had just now, and says it with status 200."""
    url, part = f"http://127.0.0.1:{server.server_port}/range.pyth", tmp_path / "part"
    options = {"otherwise": "call", "progress": False, "http": True}
    options["wrong"] = lambda first: "a page" if first.startswith(b"<html>") else None
    error(download.download, url, part, **options)
    server.body, server.etag, server.most, server.end = b"<html>Come back later", '"2"', 10**6, 10**6
    assert error(download.download, url, part, **options) == f"{url} gives a page: call"
    assert part.read_bytes() == BODY[:300]
    server.body, server.etag = BODY, '"1"'
    assert download.download(url, part, **options) == SHA256
    assert server.starts[-1] == 300


def test_a_disk_without_room_is_found_out_before(fetch, server, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: type("usage", (), {"free": len(BODY) - 1})())
    assert f"{tmp_path / 'weights'} has 0.0 GB free" in error(fetch, "good.pyth")
    assert files(tmp_path) == []


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
def test_a_certificate_that_is_not_trusted(server, tmp_path):
    """It is refused, and not by trying again; for what has a known checksum the caller may do without."""
    made = [tmp_path / "key.pem", tmp_path / "certificate.pem"]
    request = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=elsewhere"
    subprocess.run(["openssl", *request.split(), "-keyout", made[0], "-out", made[1]], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made[1], made[0])
    server.socket = context.wrap_socket(server.socket, server_side=True)
    url = f"https://127.0.0.1:{server.server_port}/good.pyth"
    options = {"otherwise": "call", "progress": False}
    with pytest.raises(download.Untrusted, match="certificate is not trusted: self-signed certificate"):
        download.download(url, tmp_path / "part", **options)
    assert server.requests == []
    assert download.download(url, tmp_path / "part", SHA256, any_certificate=True, **options) == SHA256
