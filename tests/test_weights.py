"""Files that hold a network's parameters in one way or another, and files that are no weights."""

import hashlib
import io
import os
import pickle

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


def error(function, *arguments, **options):
    """The message of the DtkdError that a call raises, seen to be one line."""
    with pytest.raises(DtkdError) as caught:
        function(*arguments, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_record_of_the_download_is_heeded(tmp_path):
    path = tmp_path / "w.pyth"
    path.write_bytes(BODY)
    (tmp_path / "w.pyth.sha256").write_text(f"{SHA256}  w.pyth\n")
    assert torch.equal(weights.load_state_dict(path)["blocks.0.weight"], STATE["blocks.0.weight"])
    assert weights.load_state_dict(path, SHA256).keys() == STATE.keys()
    path.write_bytes(saved(STATE))
    assert "w.pyth.sha256" in error(weights.load_state_dict, path)
    assert "remove it" in error(weights.load_state_dict, path, SHA256)


@pytest.mark.parametrize("content", [{"model_state": STATE, "epoch": 3}, {"model": STATE, "optimizer": {}}, STATE])
def test_three_ways_to_hold_parameters(tmp_path, content):
    (tmp_path / "w.pt").write_bytes(saved(content))
    assert weights.load_state_dict(tmp_path / "w.pt").keys() == STATE.keys()


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
