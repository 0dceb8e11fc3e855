"""The `snakemake` command of this project's environment: Snakemake itself, with targets allowed after --resources.

Snakemake's own parser takes every word after ``--resources`` or ``--config`` for a NAME=VALUE pair, and every word
after ``--configfile`` for a file, so that ``snakemake --cores 8 --resources gpu=1 results/tables/table5.csv`` ends in a
traceback. A word without ``=`` is never such a pair, and a second configuration file of this project ends in .yaml;
other words are targets again. Everything else is passed on untouched.
"""

from __future__ import annotations

import sys

PAIRS = ("--resources", "--res", "--config", "-C")
FILES = ("--configfile", "--configfiles")


def targets_first(arguments: list[str]) -> list[str]:
    """Move the targets among the values of ``--resources``, ``--config`` and ``--configfile`` to the front.

    >>> targets_first(["--cores", "8", "--resources", "gpu=1", "results/tables/table5.csv"])
    ['results/tables/table5.csv', '--cores', '8', '--resources', 'gpu=1']
    """
    targets, rest, option = [], [], None
    for position, word in enumerate(arguments):
        if word == "--":
            return targets + rest + arguments[position:]
        if word.startswith("-"):
            option = word
        elif (option in PAIRS and "=" not in word) or (
            option in FILES and arguments[position - 1] != option and not word.endswith((".yaml", ".yml"))
        ):
            targets.append(word)
            continue
        rest.append(word)
    return targets + rest


def main() -> None:
    from snakemake.cli import main as snakemake

    snakemake(targets_first(sys.argv[1:]))
