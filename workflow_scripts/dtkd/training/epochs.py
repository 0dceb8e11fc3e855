"""The epochs of a run: their history, which of them counts, and when there are enough."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor, nn

from dtkd.config import Train
from dtkd.training import checkpoints
from dtkd.training.metrics import top_k


class Epochs:
    """What a run has found of its finished epochs.

    Args:
        prefix: of the columns of what is found after every epoch: none of the test videos, `val_` of held-out ones.
    """

    def __init__(self, settings: Train, prefix: str):
        self.settings, self.prefix = settings, prefix
        self.history: list[dict[str, float]] = []
        self.best: dict[str, Any] = {"top1": -1.0, "epoch": 0}
        self.last_logits: Tensor | None = None
        self.over = False  # patience has ended

    @property
    def done(self) -> int:
        return len(self.history)

    def add(self, row: dict[str, float], found: Mapping[str, float], logits: Tensor, model: nn.Module, seconds: float):
        """An epoch's ``row``, with what is ``found`` by the ``model`` as it is now, in so many ``seconds``."""
        self.history.append(row | {f"{self.prefix}{name}": value for name, value in found.items()}
                            | {"test_seconds": seconds})  # fmt: skip
        self.last_logits = logits
        if found["top1"] > self.best["top1"] or self.settings.selection == "last":
            self.best = {"top1": found["top1"], "epoch": self.done, "model": checkpoints.copy_of(model),
                         "logits": logits}  # fmt: skip
        patience = self.settings.patience
        self.over = patience is not None and self.done - self.best["epoch"] >= patience

    def add_test(self, predictions: pd.DataFrame, seconds: float) -> None:
        """What the selected and the last epoch say of the test videos, where only these two were asked."""
        labels = predictions["label"].to_numpy()
        for row in self.history:
            row |= {"top1": math.nan, "top5": math.nan}
        for column, number in (("logits", self.best["epoch"]), ("logits_last", self.done)):
            logits = np.stack(predictions[column].tolist())
            self.history[number - 1] |= {"top1": top_k(logits, labels, 1), "top5": top_k(logits, labels, 5)}
        self.history[-1]["test_seconds"] += seconds

    def checkpoint(self, model: nn.Module) -> dict[str, Any]:
        """The weights of the selected epoch, those that ``model`` has now, and the epoch's number."""
        same = self.best["epoch"] == self.done  # one copy on disk where the last epoch is the selected one
        last = self.best["model"] if same else checkpoints.copy_of(model)
        return {"model": self.best["model"], "last": last, "epoch": self.best["epoch"]}

    def state(self) -> dict[str, Any]:
        """What a run goes on from."""
        return {"history": self.history, "best": self.best, "last_logits": self.last_logits, "over": self.over}

    def load_state(self, state: Mapping[str, Any]) -> None:
        self.history, self.best, self.last_logits = state["history"], state["best"], state["last_logits"]
        self.over = state.get("over", False)  # files from before there was patience lack it
