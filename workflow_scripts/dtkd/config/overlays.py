"""The study that a command means: config.yaml with what `--configfile` and `--config` lay over it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml
from snakemake.cli import parse_config
from snakemake.utils import update_config

from dtkd.common.errors import DtkdError
from dtkd.config import yaml_files
from dtkd.config.study import Study, read

PROJECT = Path(__file__).parents[3]


def study_of(overlays: Sequence[str], folder: Path | None = None, pairs: Sequence[str] = ()) -> Study:
    """The study of config.yaml, its overlays and KEY=VALUE pairs, merged as Snakemake does.

    config.yaml is that of ``folder`` (default: the working folder or, where it has none, the project).

    Raises DtkdError if a file cannot be read, or the study is not valid.
    """
    config: dict = {}
    if folder is None:
        folder = Path() if Path("config.yaml").exists() else PROJECT
    for file in (folder / "config.yaml", *map(Path, overlays)):
        update_config(config, yaml_files.read(file))
    yaml_files.check_words(pairs)
    try:
        update_config(config, parse_config(pairs))
    except (ValueError, yaml.YAMLError) as error:
        raise DtkdError(f"--config: {' '.join(str(error).split())}") from None
    return read(config)
