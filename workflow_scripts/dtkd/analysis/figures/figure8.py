"""Figure 8: how far a student is from its teachers, video by video (paper, Section 4.4.5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from dtkd.analysis.figures.base import heads, looks, panels, read_runs, styled, title
from dtkd.analysis.figures.teacher_names import teacher_name
from dtkd.common.errors import DtkdError
from dtkd.training.metrics import Predictions, kl_divergence

BINS = 40


def read(given: Any, params: Any) -> tuple[Any, ...]:
    """What `figure8` draws, of a job's parameters."""
    return (divergences(read_runs(params.shown, Predictions.read), params.divergences),)


@styled
def figure8(divergences: Mapping[str, Mapping[str, np.ndarray]]) -> Figure:
    """Figure 8: histograms of KL(S ‖ St-T) and KL(S ‖ Dy-T) over the test videos (paper, Section 4.4.5).

    Args:
        divergences: dataset -> teacher (by the groups, in order) -> (N,) nats per test video, or (seeds, N): videos are
            then counted as the mean over seeds. Values that are not finite (a diverged model's) are left out.
    """
    figure, axes = panels(divergences, height=2.3)
    entries = []
    for dataset, given in divergences.items():
        (axis,) = axes[dataset]
        values = {subset: np.atleast_2d(array) for subset, array in given.items()}
        style = looks(list(given))
        known = {subset: array[np.isfinite(array)] for subset, array in values.items()}
        everything = np.concatenate(list(known.values()))
        if not everything.size:
            raise DtkdError(f"figure 8: no divergence of {dataset} is finite; its student or teachers have diverged")
        edges = np.linspace(min(0, everything.min()), max(everything.max(), 1e-9), BINS + 1)
        handles = []
        for subset in reversed(values):
            counts = np.histogram(known[subset], edges)[0] / len(values[subset])
            label = f"KL(S ‖ {teacher_name(subset)}), mean {known[subset].mean() if known[subset].size else np.nan:.2f}"
            colour, line = style[subset].colour, style[subset].line
            axis.stairs(counts, edges, fill=True, color=colour, alpha=0.3, linewidth=0)
            axis.stairs(counts, edges, color=colour, linestyle=line, linewidth=1)
            handles.append(Line2D([], [], color=colour, linestyle=line, label=label))
        axis.set(xlabel="KL divergence (nats)", ylabel="test videos", xlim=(edges[0], edges[-1]))
        axis.set_ylim(bottom=0)
        entries.append((axis, title(divergences, dataset), handles[::-1]))
    heads(entries)
    return figure


def divergences(
    runs: Mapping[str, Mapping[str, Sequence[Predictions]]], settings: Mapping[str, Mapping[str, object]]
) -> dict[str, dict[str, np.ndarray]]:
    """What `figure8` draws: (seeds, N) nats per test video.

    Args:
        runs: dataset -> ``student``, then its teachers by their groups, in order -> predictions of every seed.
        settings: dataset -> ``kl`` and ``floor`` (see `metrics.kl_divergence`).
    """
    result = {}
    for dataset, models in runs.items():
        teachers = [name for name in models if name != "student"]
        pairs = {subset: zip(models["student"], models[subset], strict=True) for subset in teachers}
        result[dataset] = {
            name: np.stack([divergence(*pair, **settings[dataset]) for pair in own]) for name, own in pairs.items()
        }
    return result


def divergence(
    student: Predictions, teacher: Predictions, kl: str = "forward", floor: float | None = None
) -> np.ndarray:
    """(N,) KL(S ‖ T) in nats (`metrics.kl_divergence`) of the student's videos, found among the teacher's by name."""
    place = {name: n for n, name in enumerate(teacher.videos)}
    if missing := [name for name in student.videos if name not in place]:
        raise DtkdError(
            f"figure 8: {missing[0]} and {len(missing) - 1} more test videos have no prediction by the teacher"
        )
    rows = [place[name] for name in student.videos]
    return kl_divergence(student.logits, teacher.logits[rows], kl, floor)
