"""The measures, on pictures small enough to reckon by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

import measures
from filters import Array, Bytes
from measures import Truth


def half(size: int = 40) -> Truth:
    """A square whose left half is subject."""
    alpha = np.zeros((size, size), dtype=np.uint8)
    alpha[:, : size // 2] = 255
    return Truth(alpha, np.full((size, size, 3), (255, 0, 0), dtype=np.uint8))


def cutout(alpha: Bytes, colour: tuple[int, int, int]) -> Bytes:
    return np.dstack([np.full((*alpha.shape, 3), colour, dtype=np.uint8), alpha])


def line(*values: float) -> Array:
    return np.array([values], dtype=float)


def of_line(*levels: int) -> Truth:
    return Truth(np.array([levels], dtype=np.uint8))


def test_the_truth_has_no_errors() -> None:
    truth = half()
    perfect = {"mae": 0, "band": 0, "gradient": 0, "colour": 0, "iou": 1, "s": 1, "f": 1}
    assert measures.measured(cutout(truth.alpha, (255, 0, 0)), truth) == pytest.approx(perfect)


def test_without_true_colours_there_is_no_colour_error() -> None:
    truth = Truth(half().alpha)
    assert math.isnan(measures.measured(cutout(truth.alpha, (255, 0, 0)), truth)["colour"])


def test_mean_error() -> None:
    assert measures.mean_error(line(0.5, 1, 0, 0), of_line(255, 255, 255, 0)) == (0.5 + 0 + 1 + 0) / 4


@pytest.mark.parametrize(("size", "each_side"), [(40, 3), (250, 3), (300, 4)])
def test_the_band_is_a_share_of_the_picture(size: int, each_side: int) -> None:
    """One column on each side touches the other, and two more, or 1 % of the picture's size, are near it."""
    columns = np.flatnonzero(half(size).band.all(axis=0))
    assert columns.tolist() == list(range(size // 2 - each_side, size // 2 + each_side))


def test_soft_pixels_are_of_the_band() -> None:
    alpha = np.zeros((9, 9), dtype=np.uint8)
    alpha[4, 4] = 100
    assert Truth(alpha).band.sum() == 13  # the pixels of a disc of radius 2


def test_band_error_counts_the_band_alone() -> None:
    truth = half()
    matte = truth.matte.copy()
    matte[:, 5] = 0
    assert measures.band_error(matte, truth) == 0
    matte[:, 20] = 0.5
    assert measures.band_error(matte, truth) == pytest.approx(0.5 / 6)


def test_without_an_edge_there_is_no_band_error() -> None:
    assert measures.band_error(np.ones((8, 8)), Truth(np.zeros((8, 8), dtype=np.uint8))) == 0


def test_gradient_error_of_a_lost_edge() -> None:
    """The slope of a smoothed step is the Gaussian, whose square has the integral 1 / (2 σ √π); pixels add some 2 %."""
    truth = half()
    lost = np.zeros_like(truth.matte)
    each_row = 1 / (2 * 1.4 * math.sqrt(math.pi))
    assert measures.gradient_error(lost, truth) == pytest.approx(1000 * each_row / 6, rel=0.03)


def test_gradient_error_passes_over_a_constant() -> None:
    truth = half()
    assert measures.gradient_error(truth.matte * 0.5 + 0.25, truth) > 1
    assert measures.gradient_error(truth.matte - 0.25, truth) == pytest.approx(0)


def test_overlap() -> None:
    assert measures.overlap(line(1, 0.6, 0.5, 0), of_line(255, 0, 128, 0)) == 1 / 3
    assert measures.overlap(line(0, 0), of_line(0, 0)) == 1


def test_structure_of_a_grey_matte() -> None:
    """Subject and background are 2 × 0.5 / (0.25 + 1) alike.

    The parts meet below the third row and right of the first column: the two at the left are
    all subject, and 1 alike; those at the right are of both, and 0.
    """
    assert measures.structure(np.full((4, 4), 0.5), half(4)) == pytest.approx((0.8 + (3 + 1) / 16) / 2)


def test_structure_of_the_opposite() -> None:
    truth = half()
    assert measures.structure(1 - truth.matte, truth) == 0


@pytest.mark.parametrize(("level", "expected"), [(0, 0.75), (255, 0.25)])
def test_structure_without_edges(level: int, expected: float) -> None:
    assert measures.structure(line(0.5, 0, 0.5, 0), of_line(*[level] * 4)) == expected


def test_max_f_takes_the_best_threshold() -> None:
    """From 200 on, precision is 1 and recall a half; from 100 on, two thirds and 1, which gives 0.722."""
    alpha = np.array([[200, 100, 100, 0]], dtype=np.uint8)
    assert measures.max_f(alpha, of_line(255, 255, 0, 0)) == pytest.approx(1.3 * 0.5 / (0.3 + 0.5))


def test_colour_error_of_wrong_colours() -> None:
    """Green for red: two channels of three are wrong, in the half of the band that is subject."""
    truth = half()
    assert measures.measured(cutout(truth.alpha, (0, 255, 0)), truth)["colour"] == pytest.approx(2 / 3 / 2)


def test_colour_error_of_a_lost_subject() -> None:
    """Instead of red there is white (two channels wrong), black or magenta (one wrong)."""
    truth = half()
    nothing = cutout(np.zeros_like(truth.alpha), (9, 9, 9))
    assert measures.measured(nothing, truth)["colour"] == pytest.approx((2 / 3 + 1 / 3 + 1 / 3) / 3 / 2)
