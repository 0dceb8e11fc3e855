"""Table 6: how far the chosen student is from either teacher."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from dtkd.analysis.tables.groups import chosen_videos, of_videos, subsets_of
from dtkd.analysis.tables.paper import against, beside, counterparts, key_of
from dtkd.analysis.tables.rows import Row, finished, with_std
from dtkd.analysis.tables.scores import over_seeds, read_alike
from dtkd.data import published
from dtkd.data.groups import SUBSETS
from dtkd.training.metrics import kl_divergence


def table6(rows: Iterable[Row], splits: Mapping[str, Row], indexes: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Table 6: how far the chosen student is from each teacher, over all test videos and over each subset.

    Args:
        rows: per dataset its student: dataset, model, list, ``student`` (predictions), ``teachers`` (predictions of the
            each group's, in order, of the same seeds and videos), as_published; ``kl``, the direction, and
            ``floor``, a teacher's least probability or None (`metrics.kl_divergence`). A floor bounds the cross terms:
            numbers are only comparable under one floor.
        splits: each dataset's `split.json`.
        indexes: each dataset's `videos.parquet`.

    Returns:
        A row a student for all videos and for each group's: mean KL(S ‖ T) in nats by the selected epoch's weights; SM,
        the cross teacher's (of several, their mean) less the matched one's, and SIR, the cross one's over the matched
        one's (Section 4.4.5), both NaN for overall, whose mean over all videos is that of the subsets weighted by
        theirs. Each number is computed per seed, then averaged: SIR is the mean of the seeds' ratios.
    """
    rows = list(rows)
    groups = list(dict.fromkeys(group for row in rows for group in row["teachers"])) or list(SUBSETS)
    keys, values = ("dataset", "model", "subset"), [*(f"kl_{group}_teacher" for group in groups), "SM", "SIR"]
    names = {"student": "model", "selectivity_margin": "SM", "selective_imitation_ratio": "SIR"}
    paper = counterparts(published.table(6).rename(columns=names), keys)
    table = []
    for row in rows:
        seeds = list(zip(row["student"], *row["teachers"].values(), strict=True))
        files = [file for seed in seeds for file in seed]
        runs = read_alike(files)
        subsets = subsets_of(row["dataset"], splits[row["dataset"]], indexes[row["dataset"]])
        own = of_videos(files[0], runs[0], subsets)
        size = 1 + len(row["teachers"])
        divergences = [
            {
                f"kl_{group}_teacher": kl_divergence(student.logits, teacher.logits, row["kl"], row["floor"])
                for group, teacher in zip(row["teachers"], teachers_, strict=True)
            }
            for student, *teachers_ in (runs[start : start + size] for start in range(0, len(runs), size))
        ]
        for subset in ("overall", *row["teachers"]):
            chosen = np.full(len(own), True) if subset == "overall" else chosen_videos(files[0], own, subset)
            scores = over_seeds([_imitation(each, chosen, subset) for each in divergences])
            cell = {**row, "subset": subset, "videos": int(chosen.sum()), **scores}
            theirs = paper.get(key_of(cell, keys), {}) if row["as_published"] else {}
            table.append(cell | beside(cell, theirs, values))
    columns = ["dataset", "model", "subset", "videos", "seeds", *with_std(values), *against(values)]
    formulas = {"forward": "Σ T (log T − log S)", "reverse": "Σ S (log S − log T)"}
    said = dict.fromkeys(formulas[row["kl"]] for row in rows)
    said |= dict.fromkeys(f"a teacher's probability is at least {row['floor']:g}" for row in rows if row["floor"])
    teachers_said = "the static (St-T) and the dynamic teacher (Dy-T)" if groups == list(SUBSETS) else "each teacher"
    caption = (
        f"Mean KL divergence (nats) of the student S from {teachers_said}: {'; '.join(said)}. SM: cross less matched; "
        "SIR: cross over matched"
    )
    return finished("table6", table, columns, caption)


def _imitation(divergences: Mapping[str, np.ndarray], chosen: np.ndarray, subset: str) -> dict[str, float]:
    """Table 6's numbers of one seed: ``divergences`` (N,) from each teacher over the ``chosen`` videos of a subset."""
    means = {name: float(values[chosen].mean()) for name, values in divergences.items()}
    margin = ratio = math.nan
    if subset != "overall":
        matched = means[f"kl_{subset}_teacher"]
        cross = (sum(means.values()) - matched) / (len(means) - 1)
        margin, ratio = cross - matched, cross / matched if matched else math.inf
    return means | {"SM": margin, "SIR": ratio}
