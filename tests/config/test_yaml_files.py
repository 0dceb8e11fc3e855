"""Config files: every way to be no config is one line, with the file's; and nothing is lost without a word."""

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dtkd.common.errors import DtkdError
from dtkd.config import yaml_files

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Path("mine.yaml")


def refusal(function, *arguments):
    with pytest.raises(DtkdError) as error:
        function(*arguments)
    return str(error.value)


def test_the_shipped_files():
    for path in (PROJECT / "config.yaml", *(PROJECT / "studies").glob("*.yaml"), *PROJECT.glob("profiles/*/*.yaml")):
        assert yaml_files.read(path) == yaml.safe_load(path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize(("text", "told"), [
    ("a: 1\nb: {c: 2}\na: 3\n", ["a is given on lines 1 and 3"]),
    ("a:\n  b: 1\n  b: 2\n  b: 3\n", ["a.b is given on lines 2, 3 and 4"]),
    ("a: [{b: 1,\n b: 2}, {b: 3}]", ["a.0.b is given on lines 1 and 2"]),
    ("a: {B: {c: 1}}\nd: {B: 1,\n  B: 2}\na: {}", ["d.B is given on lines 2 and 3", "a is given on lines 1 and 4"]),
    ("yes: 1\ntrue: 2\n", ["True is given on lines 1 and 2"]),
    ('"a": 1\na: 2\n', ["a is given on lines 1 and 2"]),
    ("a: &x {b: 1,\n b: 2}\n", ["a.b is given on lines 1 and 2"]),
    ('{\n\t"a": 1,\n\t"a": 2\n}\n', ["a is given on lines 2 and 3"]),
])  # fmt: skip
def test_a_key_twice(file, text, told):
    file.write_text(text)
    lines = refusal(yaml_files.read, file).removeprefix("mine.yaml: ").split("\n")
    assert {line.strip() for line in lines} == {
        f"{line}, and only the last would count; rename or remove the others" for line in told
    }


@pytest.mark.parametrize("text", [
    "a: {x: 1}\nb: {x: 1}\n", "1: a\n'1': b\n", "a: &x {b: 1}\nc: {<<: *x, b: 2}\n", "a: &x [*x]\n",
    "a: &x {b: 1}\nd: &y {e: 1}\nc: {<<: *x, <<: *y}\n", "? [1, 2]\n: a\n",
])  # fmt: skip
def test_what_is_no_key_twice(file, text):
    file.write_text(text)
    assert list(yaml_files._twice(yaml.compose(text))) == []


@pytest.mark.parametrize(("content", "told"), [
    ("name: größe\n".encode("cp1252"), "mine.yaml, line 1: byte 8 (0xF6) is not UTF-8; save the file as UTF-8"),
    ("a: 1\nname: größe\n".encode("latin-1"), "mine.yaml, line 2: byte 13 (0xF6) is not UTF-8; save the file as UTF-8"),
    *[("a: 1\n".encode(code), "mine.yaml: is UTF-16, or no text at all; save it as UTF-8")
      for code in ("utf-16", "utf-16-le", "utf-16-be", "utf-32")],
    (b"a: [1\nb: 2\n", "mine.yaml, line 2: is not valid YAML: while parsing a flow sequence, did not find expected "),
    (b"a: 1\n\tb: 2\n", "mine.yaml, line 2: is not valid YAML: while scanning a plain scalar, found a tab character"),
    (b"a: 1\n---\nb: 2\n", "mine.yaml, line 2: is not valid YAML: expected a single document in the stream, but found"),
    (b"a: *x\n", "mine.yaml, line 1: is not valid YAML: found undefined alias"),
    (b'a: "\x07"\n', "mine.yaml: is not valid YAML: control characters are not allowed"),
    (b"a: !!python/name:os.system x\n", "mine.yaml, line 1: is not valid YAML: could not determine a constructor"),
    (b"a: 2025-13-01\n", "mine.yaml: is not valid YAML: month must be in 1..12"),
    (b"[1, 2]\n", "mine.yaml: is no mapping of keys to values; give it keys"),
    (b"# nothing yet\n", "mine.yaml: is empty; give it keys"),
])  # fmt: skip
def test_what_is_no_config(file, content, told):
    file.write_bytes(content)
    message = refusal(yaml_files.read, file)
    assert message.startswith(told)
    assert "\n" not in message


def test_no_file(file):
    assert refusal(yaml_files.read, file) == "mine.yaml: cannot be read (No such file or directory); correct the path"
    file.mkdir()
    assert refusal(yaml_files.read, file) == "mine.yaml: cannot be read (Is a directory); correct the path"


def test_a_byte_order_mark_and_json(file):
    file.write_text('{\n\t"name": "größe",\n\t"seeds": [0]\n}\n', encoding="utf-8-sig")
    assert yaml_files.read(file) == {"name": "größe", "seeds": [0]} == json.loads(file.read_text("utf-8-sig"))


@pytest.mark.parametrize(("words", "lost"), [
    (["students={my: {A: {KD_T: 2}, A: {KD_T: 4}}}"], "students.my.A"),
    (["students={my: {A: {KD_T: 2}}}", "students={my: {A: {KD_T: 4}}}"], "students.my.A.KD_T"),
    (["train={epochs: 1}", "train=2"], "train"),
    (["device=cpu", "seeds=[0]", "device=cuda"], "device"),
    (["use=[a]", "use=[b]"], "use"),
])  # fmt: skip
def test_a_key_twice_on_the_command_line(words, lost):
    assert refusal(yaml_files.check_words, words) == (
        f"--config: {lost} is given twice, and only the last would count; keep one"
    )


@pytest.mark.parametrize("words", [
    [], ["device=cpu", "device=cpu"], ["train={epochs: 1}", "train={lr: 0.1}", "train={epochs: 1}"],
    ["name=a: b: c", "results=", "x=[1", "y={a: 1}=2"],
])  # fmt: skip
def test_what_loses_nothing_on_the_command_line(words):
    yaml_files.check_words(words)


@given(data=st.one_of(st.binary(max_size=40), st.text(alphabet="ab:[]{}-\n\t &*!?|>'\"#,x1250", max_size=40)))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_is_a_mapping_or_refused(file, data):
    file.write_bytes(data if isinstance(data, bytes) else data.encode())
    result, problem = {}, "mine.yaml"
    try:
        result = yaml_files.read(file)
    except DtkdError as error:
        problem = str(error)
    assert isinstance(result, dict)
    assert problem.startswith("mine.yaml")
