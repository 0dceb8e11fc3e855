"""Files that hold a network's parameters in one way or another, and files that are no weights."""

import argparse
import hashlib
import io
import os
import pickle
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file

from dtkd.common.errors import DtkdError
from dtkd.common.published import Published
from dtkd.models import on_hub, weights
from dtkd.training import checkpoints
from dtkd.training.targets import Targets

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


def test_published_weights_are_checked_by_what_is_known_of_them(tmp_path):
    """A file put there by hand, as where there is no internet."""
    path = tmp_path / "w.pth"
    path.write_bytes(BODY)
    for known in (SHA256[:8], SHA256, ""):
        assert weights.download(Published("https://publisher/w.pth", known), path) == path
    said = error(weights.download, Published("https://publisher/w.pth", "00000000"), path)
    assert "but that of https://publisher/w.pth begins with 00000000: remove it" in said
    assert "expected" in error(weights.download, Published("https://publisher/w.pth"), path, sha256="0" * 64)


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
def test_nor_is_it_in_a_checkpoint_in_targets_or_in_a_state_to_resume(tmp_path, capsys):
    path = tmp_path / "a.pt"
    path.write_bytes(
        saved({"logits": Malicious(f"touch {tmp_path / 'ran'}"), "videos": [], "format": checkpoints.FORMAT})
    )
    assert "not safe to load" in error(Targets.load, path, None, 1)
    assert "not safe to load" in error(weights.load_state_dict, path, part="last")
    assert checkpoints.load(path, {}) is None
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


# Hugging Face's files and hub


def test_safetensors_and_folders(tmp_path):
    """By what is in a file, whatever it is called; of a folder, the file of weights in it."""
    save_file(STATE, tmp_path / "w.pyth")
    assert torch.equal(weights.load_state_dict(tmp_path / "w.pyth")["blocks.0.weight"], STATE["blocks.0.weight"])
    folder = tmp_path / "network"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    assert "has neither model.safetensors nor pytorch_model.bin" in error(weights.load_state_dict, folder)
    (folder / "pytorch_model.bin").write_bytes(saved(STATE))
    assert weights.load_state_dict(folder).keys() == STATE.keys()
    save_file({"other": torch.ones(1)}, folder / "model.safetensors")
    assert list(weights.load_state_dict(folder)) == ["other"]
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-2])
    assert f"{folder}/model.safetensors is damaged" in error(weights.load_state_dict, folder)


class Hub:
    """What `huggingface_hub` says of a repository."""

    def __init__(self, *files):
        self.files = files

    def model_info(self, repository, files_metadata):
        if not self.files:
            raise ConnectionError("no route\nto the hub")
        lfs = {"model.safetensors": SimpleNamespace(sha256=SHA256)}
        siblings = [SimpleNamespace(rfilename=name, lfs=lfs.get(name)) for name in self.files]
        return SimpleNamespace(sha="0123", siblings=siblings)


def test_weights_on_a_hub(tmp_path, monkeypatch):
    """Of the version that there is now, with its checksum; where the file is there already, nobody is asked."""
    fetched = []

    def fetch(url, path, sha256):
        fetched.append(url)
        path.write_bytes(BODY)
        return path

    monkeypatch.setattr(weights, "fetch", fetch)
    monkeypatch.setattr(on_hub, "HfApi", lambda: Hub("config.json", "pytorch_model.bin", "model.safetensors"))
    weights.download(Published("hf:owner/name"), tmp_path / "w.pyth")
    assert fetched == ["https://huggingface.co/owner/name/resolve/0123/model.safetensors"]
    monkeypatch.setattr(on_hub, "HfApi", lambda: Hub("pytorch_model.bin"))
    assert on_hub.published("owner/name").sha256 == ""
    monkeypatch.setattr(on_hub, "HfApi", lambda: Hub("config.json"))
    assert "hf:owner/name: it has neither" in error(on_hub.published, "owner/name")
    monkeypatch.setattr(on_hub, "HfApi", Hub)
    said = error(weights.download, Published("hf:owner/name"), tmp_path / "other.pyth")
    assert "hf:owner/name: huggingface.co could not be asked for it (ConnectionError: no route to the hub)" in said
    assert "name its path in model.weights" in said
    weights.download(Published("hf:owner/name"), tmp_path / "w.pyth")
    assert len(fetched) == 2, "which finds the file"
