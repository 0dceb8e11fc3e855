"""Weights over HTTP from a server on this computer: whole, cut, missing, altered; and files that are no weights."""

import argparse
import fcntl
import hashlib
import http.server
import io
import os
import pickle
import socket
import threading

import pytest
import torch

from dtkd import engine, networks, weights
from dtkd.errors import DtkdError

STATE = {"blocks.0.weight": torch.arange(6.0).view(2, 3), "blocks.0.bias": torch.zeros(2)}


def saved(content):
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()


BODY = saved({"model_state": STATE})
SHA256 = hashlib.sha256(BODY).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """/good.pyth is whole, /cut.pyth ends early, /away.pyth redirects to what is not HTTP, all else is missing.

    /range.pyth ends early too, after 100 bytes, but can go on from where it was: the server's ``body`` and ``etag``.
    """

    def do_GET(self):
        self.server.requests.append(self.path)
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
        self.wfile.write(body[start : start + self.server.most])

    def log_message(self, *arguments):
        """Keep the tests' output quiet."""


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.requests, server.starts = [], []
        server.body, server.etag, server.most = BODY, '"1"', 100
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def fetch(server, tmp_path):
    """fetch("good.pyth") fetches from the server to ``tmp_path / "weights" / "w.pyth"``."""

    def fetch(name, sha256=None, **options):
        url = f"http://127.0.0.1:{server.server_port}/{name}"
        options = {"progress": False, "allow_http": True} | options
        return weights.fetch(url, tmp_path / "weights" / "w.pyth", sha256, **options)

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
    state = weights.load_state_dict(path)
    assert list(state) == list(STATE)
    assert torch.equal(state["blocks.0.weight"], STATE["blocks.0.weight"])
    assert files(tmp_path) == ["w.pyth", "w.pyth.sha256"]


def test_a_known_checksum_needs_no_record(fetch, tmp_path):
    path = fetch("good.pyth", SHA256.upper())
    assert files(tmp_path) == ["w.pyth"]
    assert weights.load_state_dict(path, SHA256).keys() == STATE.keys()


def test_a_wrong_checksum_leaves_nothing(fetch, tmp_path):
    message = error(fetch, "good.pyth", "0" * 64)
    assert SHA256 in message
    assert "expected " + "0" * 64 in message
    assert files(tmp_path) == []


def test_an_altered_file_is_refused(fetch, tmp_path):
    path = fetch("good.pyth")
    path.write_bytes(saved(STATE))
    for function in (lambda: fetch("good.pyth"), lambda: weights.load_state_dict(path)):
        message = error(function)
        assert f"expected {SHA256}" in message
        assert "w.pyth.sha256" in message
    assert "remove it" in error(weights.load_state_dict, path, SHA256)


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
    server.most = len(BODY) // 2 - 10  # the third try has the rest
    assert fetch("range.pyth", SHA256).read_bytes() == BODY
    assert server.starts == [0, server.most, 2 * server.most]
    assert files(tmp_path) == ["w.pyth"]


def test_the_next_call_goes_on_too_and_says_how_far_it_was(fetch, server, tmp_path):
    assert f"cut short after 300 of {len(BODY)} bytes: try again" in error(fetch, "range.pyth")
    assert (tmp_path / "weights" / ".w.pyth.partial").read_bytes() == BODY[:300]
    server.most = len(BODY)
    assert fetch("range.pyth").read_bytes() == BODY
    assert server.starts == [0, 100, 200, 300]
    assert files(tmp_path) == ["w.pyth", "w.pyth.sha256"]


def test_a_file_that_has_changed_meanwhile_begins_anew(fetch, server):
    error(fetch, "range.pyth")
    server.body, server.etag, server.most = saved(STATE), '"2"', 10**6
    assert fetch("range.pyth").read_bytes() == server.body
    assert server.starts == [0, 100, 200, 0]


@pytest.mark.parametrize(("sha256", "starts"), [(None, [0, 0, 0]), (SHA256, [0, 100, 200])])
def test_without_a_version_only_a_known_checksum_lets_it_go_on(fetch, server, sha256, starts):
    server.etag = ""
    error(fetch, "range.pyth", sha256)
    assert server.starts == starts


def test_what_was_whole_when_the_process_ended_is_not_fetched_again(fetch, server, tmp_path):
    error(fetch, "range.pyth", SHA256)
    (tmp_path / "weights" / ".w.pyth.partial").write_bytes(BODY)
    assert fetch("range.pyth", SHA256).read_bytes() == BODY
    assert server.starts[3:] == [len(BODY)]


def test_a_rest_that_does_not_fit_is_found_out(fetch, server, tmp_path):
    error(fetch, "range.pyth", SHA256)
    server.body, server.most = BODY[:350] + bytes([BODY[350] ^ 1]) + BODY[351:], 10**6
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
    message = error(weights.fetch, url, tmp_path / "w.pyth", progress=False, allow_http=True)
    assert "refused" in message
    assert f"download {url} by other means and put it at {tmp_path / 'w.pyth'}" in message


def test_http_is_refused(fetch, server, tmp_path):
    assert "not an HTTPS address" in error(fetch, "good.pyth", allow_http=False)
    assert "not an HTTPS address" in error(weights.fetch, "file:///etc/hosts", tmp_path / "w", progress=False)
    assert server.requests == []


def test_a_folder_that_cannot_be_written(fetch, tmp_path):
    (tmp_path / "weights").write_text("a file where the folder should be")
    assert "cannot be written" in error(fetch, "good.pyth")


def test_progress_goes_to_the_error_stream(fetch, capsys):
    fetch("good.pyth", progress=True)
    captured = capsys.readouterr()
    assert "good.pyth: 100%" in captured.err
    assert captured.out == ""


def prefixed(prefix):
    return {f"{prefix}{name}": value for name, value in STATE.items()}


@pytest.mark.parametrize("content", [
    STATE, {"model_state": STATE, "epoch": 3}, {"model": STATE, "optimizer": {}}, {"state_dict": STATE, "meta": {}},
    {"model_state_dict": STATE, "loss": 0.5}, {"module": STATE}, {"net": STATE, "acc": 93.1},
    {"model": {"state_dict": STATE}, "epoch": 1}, {"state_dict": {"model_state": prefixed("module.")}},
    *map(prefixed, ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "model.", "net.module.",
                    "_forward_module.", "_fsdp_wrapped_module._checkpoint_wrapped_module."]),
    {"state_dict": prefixed("model._orig_mod.")}, prefixed("module.") | {"n_averaged": torch.tensor(3)},
])  # fmt: skip
def test_every_way_to_hold_parameters(tmp_path, content):
    (tmp_path / "w.pt").write_bytes(saved(content))
    found = weights.load_state_dict(tmp_path / "w.pt")
    assert found.keys() == STATE.keys()
    assert all(torch.equal(found[name], STATE[name]) for name in STATE)


@pytest.mark.parametrize("content", [
    {"module.a": torch.ones(1), "b": torch.ones(1)}, {"n_averaged": torch.tensor(1), "a": torch.ones(1)},
    {"model": torch.ones(2), "module": torch.ones(1)}, {"stem.module.weight": torch.ones(1)},
    {"my_orig_mod.weight": torch.ones(1)},
])  # fmt: skip
def test_names_that_are_the_networks_own(tmp_path, content):
    (tmp_path / "w.pt").write_bytes(saved(content))
    assert weights.load_state_dict(tmp_path / "w.pt").keys() == content.keys()


def test_what_wrappers_save(tmp_path):
    """As PyTorch names things, not as we think that it does."""
    network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    inner = torch.nn.Sequential(torch.compile(network[0]), network[1])
    parallel = torch.nn.DataParallel(network)
    averaged = torch.optim.swa_utils.AveragedModel(network)
    for wrapped in (parallel, torch.compile(network), torch.compile(parallel), averaged, inner):
        (tmp_path / "w.pt").write_bytes(saved({"state_dict": wrapped.state_dict()}))
        assert wrapped.state_dict().keys() != network.state_dict().keys()
        assert weights.load_state_dict(tmp_path / "w.pt").keys() == network.state_dict().keys()


def test_a_file_with_more_than_parameters_says_what(tmp_path):
    (tmp_path / "w.pt").write_bytes(saved({"state_dict": STATE, "hyper_parameters": argparse.Namespace(lr=1)}))
    assert error(weights.load_state_dict, tmp_path / "w.pt") == (
        f"{tmp_path}/w.pt holds argparse.Namespace, more than tensors and plain values, and so is not safe to load: "
        "put its parameters alone into a file (torch.save(model.state_dict(), ...)), or have it from one you trust"
    )


def test_a_file_that_holds_itself(tmp_path):
    content = {"epoch": 1}
    content["model"] = content
    (tmp_path / "w.pt").write_bytes(saved(content))
    assert "no network's parameters" in error(weights.load_state_dict, tmp_path / "w.pt")


class Malicious:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_code_in_a_file_is_not_run(tmp_path):
    attack = {"model_state": Malicious(f"touch {tmp_path / 'ran'}")}
    for name, body in (("a.pt", saved(attack)), ("b.pt", pickle.dumps(attack)), ("c.pt", pickle.dumps(attack, 2))):
        (tmp_path / name).write_bytes(body)
        assert "not safe to load" in error(weights.load_state_dict, tmp_path / name)
    assert not (tmp_path / "ran").exists()
    os.system(attack["model_state"].command)
    assert (tmp_path / "ran").exists()  # the attack itself works


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_nor_is_it_in_a_checkpoint_in_teachers_logits_or_in_a_state_to_resume(tmp_path, capsys):
    path = tmp_path / "a.pt"
    path.write_bytes(saved({"logits": Malicious(f"touch {tmp_path / 'ran'}"), "videos": [], "format": engine.RESUME}))
    assert "not safe to load" in error(networks.known_logits, path, None, 1)
    assert "not safe to load" in error(weights.load_state_dict, path, part="last")
    assert engine._load_resume(path, {}) is None
    assert "not readable" in capsys.readouterr().out
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("body", [b"", b"<html>not weights</html>", BODY[:200], BODY[:-30], bytes(range(256))])
def test_damaged_files(tmp_path, body):
    (tmp_path / "w.pt").write_bytes(body)
    assert "damaged" in error(weights.load_state_dict, tmp_path / "w.pt")


@pytest.mark.parametrize("content", [{}, [1, 2], {"model_state": {}}, {"lr": 0.1}, {"model_state": {"a": 1}}])
def test_other_contents(tmp_path, content):
    (tmp_path / "w.pt").write_bytes(saved(content))
    assert "no network's parameters" in error(weights.load_state_dict, tmp_path / "w.pt")


def test_no_such_file(tmp_path):
    assert "cannot be read" in error(weights.load_state_dict, tmp_path / "none.pt")
