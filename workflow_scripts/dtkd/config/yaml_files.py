"""Config files and `--config`, read strictly: what Snakemake's reader passes over in silence is told, with its line.

Imported by the Snakefile at every start: PyYAML and the standard library alone.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from dtkd.common.errors import DtkdError

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
MERGE = "tag:yaml.org,2002:merge"  # the key <<, of which a mapping may have several
Keys = tuple[Any, ...]  # from the file's top to a value


def read(file: str | Path) -> dict[str, Any]:
    """The mapping that a YAML or JSON file holds.

    Raises DtkdError: the file cannot be read, is not UTF-8, is no YAML or no mapping, or gives a key twice.
    """
    text = _text(Path(file))
    try:
        loader = Loader(text)
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            what = "is no mapping of keys to values" if node else "is empty"
            raise DtkdError(f"{file}: {what}; give it keys with values, such as `seeds: [0]`, or leave the file out")
        if twice := [_told(*found) for found in _twice(node)]:
            raise DtkdError(f"{file}: " + "\n        ".join(twice))
        return loader.construct_document(node)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: of a date such as 2025-13-01
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        parts = [getattr(error, name, None) for name in ("context", "problem", "reason")]
        said = ", ".join(filter(None, parts)) or str(error)
        raise DtkdError(f"{file}{f', line {mark.line + 1}' if mark else ''}: is not valid YAML: {said}") from None


def check_words(words: Iterable[str]) -> None:
    """Raise DtkdError where the KEY=VALUE words of ``--config`` give a key twice: in one word, or two that differ."""
    given: dict[str, yaml.Node] = {}
    for word in words:
        key, _, value = word.partition("=")
        node: yaml.Node = yaml.ScalarNode("", value)
        with suppress(yaml.YAMLError):  # it is plain text for Snakemake then, too
            node = yaml.compose(value, Loader=yaml.BaseLoader) or node
        lost = [keys for keys, _ in _twice(node, (key,))]
        if key in given:
            lost += _lost(given[key], node, (key,))
        if lost:
            raise DtkdError(f"--config: {_dotted(lost[0])} is given twice, and only the last would count; keep one")
        given[key] = node


def _text(file: Path) -> str:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise DtkdError(f"{file}: cannot be read ({error.strerror}); correct the path") from None
    if b"\0" in data:
        raise DtkdError(f"{file}: is UTF-16, or no text at all; save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, byte = data.count(b"\n", 0, error.start) + 1, data[error.start]
        raise DtkdError(
            f"{file}, line {line}: byte {error.start} (0x{byte:02X}) is not UTF-8; save the file as UTF-8"
        ) from None
    with suppress(ValueError):  # JSON may be indented by tabs, YAML may not
        json.loads(text)
        return text.replace("\t", " ")
    return text


def _twice(node: yaml.Node, keys: Keys = (), seen: frozenset[int] = frozenset()) -> Iterator[tuple[Keys, list[int]]]:
    """Every key that a mapping has more than once, and the lines on which it stands."""
    if id(node) in seen:  # an alias within its own anchor
        return
    seen |= {id(node)}
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            yield from _twice(item, (*keys, number), seen)
    if isinstance(node, yaml.MappingNode):
        lines = defaultdict(list)
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != MERGE:
                name = SafeConstructor().construct_object(key)  # `yes` is `true`, 0x10 is 16
                lines[name].append(key.start_mark.line + 1)
                yield from _twice(value, (*keys, name), seen)
        yield from (((*keys, name), found) for name, found in lines.items() if len(found) > 1)


def _told(keys: Keys, lines: list[int]) -> str:
    numbers = f"{', '.join(map(str, lines[:-1]))} and {lines[-1]}"
    return f"{_dotted(keys)} is given on lines {numbers}, and only the last would count; rename or remove the others"


def _dotted(keys: Keys) -> str:
    return ".".join(map(str, keys))


def _lost(one: yaml.Node, two: yaml.Node, keys: Keys) -> Iterator[Keys]:
    """The values of ``one`` that ``two`` replaces by others when Snakemake merges them."""
    if isinstance(one, yaml.MappingNode) and isinstance(two, yaml.MappingNode):
        others = {key.value: value for key, value in two.value if isinstance(key, yaml.ScalarNode)}
        for key, value in one.value:
            if key.value in others:
                yield from _lost(value, others[key.value], (*keys, key.value))
    elif yaml.serialize(one) != yaml.serialize(two):
        yield keys
