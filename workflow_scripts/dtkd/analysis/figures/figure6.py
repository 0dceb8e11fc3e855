"""Figure 6: DTKD and BSKD over the epochs."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from dtkd.analysis.figures.base import styled
from dtkd.analysis.figures.curves import Histories, loss_and_accuracy, read_histories

STUDENTS_LOSS = ("L_total", "loss (Eq. 13)")
read = read_histories


@styled
def figure6(histories: Histories) -> Figure:
    """Figure 6: the same of a DTKD and a BSKD student, whose loss is Eq. 13 alone (`eq13`).

    The two losses have different soft targets: their heights are not comparable, their course is.

    Args:
        histories: dataset -> label -> the history of every seed: DTKD, BSKD if there is one and, last, the baseline,
            whose top-1 is a thin grey line.
    """
    shown = {
        dataset: {name: [run.assign(L_total=eq13(run)) for run in runs] for name, runs in series.items()}
        for dataset, series in histories.items()
    }
    return loss_and_accuracy(shown, STUDENTS_LOSS, baseline_last=True)


def eq13(history: pd.DataFrame) -> pd.Series:
    """A student's own loss, without that of teachers which go on learning beside it (``L_teachers``).

    Histories from before the column ``L_total`` have the sum of both.
    """
    if "L_total" in history:
        return history["L_total"]
    return history["train_loss"] - history.get("L_teachers", 0.0)
