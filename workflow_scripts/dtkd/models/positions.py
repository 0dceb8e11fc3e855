"""Learned tables of positions, for clips of another size than they were made for."""

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional


def resized(table: Tensor, was: Sequence[int], now: Sequence[int]) -> Tensor:
    """A table (positions, channels) of the places of a grid ``was`` = (T, H, W) for the places of a grid ``now``.

    Values between places are interpolated linearly; a table of the same grid is as it was.
    """
    if tuple(was) == tuple(now):
        return table
    grid = table.T.unflatten(1, tuple(was)).unsqueeze(0)
    return functional.interpolate(grid, size=tuple(now), mode="trilinear", align_corners=False)[0].flatten(1).T
