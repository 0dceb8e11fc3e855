"""The `snakemake` command of this project's environment: Snakemake itself, with targets allowed after --resources.

Snakemake's own parser takes every word after ``--resources`` or ``--config`` for a NAME=VALUE pair, so that
``snakemake --cores 8 --resources gpu=1 results/tables/table5.csv`` ends in a traceback. A word without ``=`` is never
such a pair; here it is a target again. Everything else is passed on untouched.
"""

from __future__ import annotations

import sys

OPTIONS = ("--resources", "--res", "--config", "-C")


def targets_first(arguments: list[str]) -> list[str]:
    """Move what follows ``--resources NAME=VALUE ...`` and is neither an option nor such a pair to the front.

    >>> targets_first(["--cores", "8", "--resources", "gpu=1", "results/tables/table5.csv"])
    ['results/tables/table5.csv', '--cores', '8', '--resources', 'gpu=1']
    """
    targets, rest, among_pairs = [], [], False
    for position, word in enumerate(arguments):
        if word == "--":
            return targets + rest + arguments[position:]
        if word.startswith("-"):
            among_pairs = word in OPTIONS
        if among_pairs and not word.startswith("-") and "=" not in word:
            targets.append(word)
        else:
            rest.append(word)
    return targets + rest


def main() -> None:
    from snakemake.cli import main as snakemake

    snakemake(targets_first(sys.argv[1:]))
