"""The filters, against what they mean."""

from __future__ import annotations

import numpy as np
import pytest

import filters


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (12, 7), (7, 12)])
@pytest.mark.parametrize("distance", [0, 1, 2, 3, 20])
def test_near_is_by_distance(shape: tuple[int, int], distance: int) -> None:
    flags = np.random.default_rng(1).random(shape) < 0.05
    flags[0, 0] = True
    rows, columns = np.indices(shape)
    each = [(rows - y) ** 2 + (columns - x) ** 2 <= distance**2 for y, x in np.argwhere(flags)]
    assert np.array_equal(filters.near(flags, distance), np.any(each, axis=0))


def test_outline_is_where_kinds_touch() -> None:
    flags = np.zeros((5, 6), dtype=bool)
    flags[:2, :2] = True
    expected = np.array([[0, 1, 1, 0, 0, 0], [1, 1, 1, 0, 0, 0], [1, 1, 1, 0, 0, 0], [0] * 6, [0] * 6], dtype=bool)
    assert np.array_equal(filters.outline(flags), expected)


def test_the_slope_of_a_ramp_is_its_rise() -> None:
    rows, columns = np.indices((40, 40))
    slope = filters.slope(0.03 * rows + 0.04 * columns, 1.4)
    assert slope[12:-12, 12:-12] == pytest.approx(0.05, rel=1e-3)


def test_a_flat_plane_has_no_slope_at_its_borders() -> None:
    assert filters.slope(np.full((3, 30), 0.7), 1.4) == pytest.approx(0)
