"""Filters of planes, at whose borders the picture is mirrored."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.uint8]


def slope(plane: Array, sigma: float) -> Array:
    """How steep a plane is, by the derivatives of a Gaussian that is cut off after four sigmas."""
    reach = np.arange(-round(4 * sigma), round(4 * sigma) + 1)
    smooth = np.exp(-(reach**2) / (2 * sigma**2))
    smooth /= smooth.sum()
    rise = reach / sigma**2 * smooth
    down = along_rows(along_rows(plane, smooth).T, rise).T
    across = along_rows(along_rows(plane.T, smooth).T, rise)
    slopes: Array = np.hypot(down, across)
    return slopes


def along_rows(plane: Array, weights: Array) -> Array:
    """Each pixel becomes the weighted sum of its neighbours in its row."""
    margin = len(weights) // 2
    padded = np.pad(plane, ((0, 0), (margin, margin)), mode="symmetric")
    total = np.zeros(plane.shape)
    for at, weight in enumerate(weights):
        total += weight * padded[:, at : at + plane.shape[1]]
    return total


def outline(flags: Flags) -> Flags:
    """The pixels that have one of the other kind among their eight neighbours."""
    height, width = flags.shape
    padded = np.pad(flags, 1, mode="edge")
    shifted = [padded[y : y + height, x : x + width] for y in range(3) for x in range(3)]
    mixed: Flags = np.any(shifted, axis=0) & ~np.all(shifted, axis=0)
    return mixed


def near(flags: Flags, distance: int) -> Flags:
    """The pixels whose distance to one that is set is at most this."""
    height, width = flags.shape
    counts = np.zeros((height + 1, width), dtype=np.int32)
    np.cumsum(flags, axis=0, out=counts[1:])
    rows = np.arange(height)
    found = np.zeros_like(flags)
    for across in range(min(distance, width - 1) + 1):
        reach = math.isqrt(distance**2 - across**2)
        above, below = np.maximum(rows - reach, 0), np.minimum(rows + reach + 1, height)
        hit = counts[below] > counts[above]
        found[:, across:] |= hit[:, : width - across]
        found[:, : width - across] |= hit[:, across:]
    return found
