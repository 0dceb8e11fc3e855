"""The study that a command means: config.yaml with what `--configfile` and `--config` lay over it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml
from snakemake.cli import parse_config
from snakemake.utils import update_config

from dtkd.errors import DtkdError
from dtkd.study import Study, read

PROJECT = Path(__file__).parents[2]


def study_of(overlays: Sequence[str], folder: Path | None = None, pairs: Sequence[str] = ()) -> Study:
    """The study of config.yaml, its overlays and KEY=VALUE pairs, merged as Snakemake does.

    config.yaml is that of ``folder`` (default: the working folder or, where it has none, the project).

    Raises DtkdError if a file cannot be read, or the study is not valid.
    """
    config: dict = {}
    if folder is None:
        folder = Path() if Path("config.yaml").exists() else PROJECT
    for file in (folder / "config.yaml", *map(Path, overlays)):
        try:
            content = yaml.safe_load(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise DtkdError(f"{file}: cannot be read ({error.strerror}): correct the path") from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise DtkdError(f"{file}: is not valid YAML: {' '.join(str(error).split())}") from None
        if not isinstance(content, dict):
            raise DtkdError(f"{file}: is no mapping of keys to values")
        update_config(config, content)
    try:
        update_config(config, parse_config(pairs))
    except (ValueError, yaml.YAMLError) as error:
        raise DtkdError(f"--config: {' '.join(str(error).split())}") from None
    return read(config)
