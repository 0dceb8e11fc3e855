"""Figure 5: the baselines over the epochs."""

from __future__ import annotations

from matplotlib.figure import Figure

from dtkd.analysis.figures.base import styled
from dtkd.analysis.figures.curves import Histories, loss_and_accuracy, read_histories

LOSS = ("train_loss", "training loss")  # a history's column, and its axis's label
read = read_histories


@styled
def figure5(histories: Histories) -> Figure:
    """Figure 5: training loss and test top-1 (per cent) of every epoch, of the baselines trained on each list.

    Args:
        histories: dataset -> label such as ``U1 (list 1)`` -> the history of every seed.
    """
    return loss_and_accuracy(histories, LOSS, baseline_last=False)
