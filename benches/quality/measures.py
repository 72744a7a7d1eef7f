"""Measures of a cut-out against the truth.

Mattes and colours come as bytes and are compared on a scale from 0 to 1. A matte says
for each pixel how much of it is subject; the band is what lies around the subject's true edge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

import filters
from filters import Array, Bytes, Flags

#: The width of the Gaussian whose derivatives are compared.
SIGMA = 1.4
#: How much precision weighs against recall.
BETA_SQUARED = 0.3
#: What cut-outs are put on for the colour error: white, black, magenta.
BACKGROUNDS = ((255, 255, 255), (0, 0, 0), (255, 0, 255))


@dataclass(frozen=True)
class Truth:
    """The true matte of a photo, and the subject's true colours where they are known."""

    alpha: Bytes
    colours: Bytes | None = None

    @cached_property
    def matte(self) -> Array:
        return self.alpha / 255

    @cached_property
    def subject(self) -> Flags:
        return self.matte > 0.5

    @cached_property
    def slope(self) -> Array:
        return filters.slope(self.matte, SIGMA)

    @cached_property
    def band(self) -> Flags:
        """The pixels within 1 % of the picture's size, at least two, of the true edge.

        The edge is where subject and background touch, and every pixel that is partly subject.
        The picture's size is the square root of its area.
        """
        soft = (self.matte > 0.02) & (self.matte < 0.98)
        distance = max(2, round(0.01 * math.sqrt(self.matte.size)))
        return filters.near(filters.outline(self.subject) | soft, distance)


def measured(cutout: Bytes, truth: Truth) -> dict[str, float]:
    """Every measure of a cut-out in RGBA; the colour error is not a number where the true colours are not known."""
    alpha = cutout[..., 3]
    matte = alpha / 255
    return {
        "mae": mean_error(matte, truth),
        "band": band_error(matte, truth),
        "gradient": gradient_error(matte, truth),
        "colour": math.nan if truth.colours is None else colour_error(cutout, truth.colours, truth),
        "iou": overlap(matte, truth),
        "s": structure(matte, truth),
        "f": max_f(alpha, truth),
    }


def mean_error(matte: Array, truth: Truth) -> float:
    """The mean absolute error, MAE.

    Perazzi, Krähenbühl, Pritch, Hornung: Saliency Filters. CVPR 2012.
    """
    return float(np.abs(matte - truth.matte).mean())


def band_error(matte: Array, truth: Truth) -> float:
    """The mean absolute error in the band, 0 where the truth has no edge.

    Errors near the true edge alone are what Kohli, Ladický, Torr count (Robust Higher Order
    Potentials for Enforcing Label Consistency, IJCV 2009), and, in mattes, Rhemann and others:
    A Perceptually Motivated Online Benchmark for Image Matting. CVPR 2009.
    """
    return band_mean(np.abs(matte - truth.matte), truth)


def gradient_error(matte: Array, truth: Truth) -> float:
    """The squared difference of the mattes' slopes, summed over the picture, for each 1000 pixels of the band.

    Rhemann and others: A Perceptually Motivated Online Benchmark for Image Matting. CVPR 2009.
    Their sum grows with the picture; over the band's size, pictures of all sizes compare.
    """
    difference = filters.slope(matte, SIGMA) - truth.slope
    return float(np.square(difference).sum()) * 1000 / max(int(truth.band.sum()), 1)


def overlap(matte: Array, truth: Truth) -> float:
    """Intersection over union of what is more than half subject.

    Everingham and others: The PASCAL Visual Object Classes Challenge. IJCV 2010.
    """
    found = matte > 0.5
    either = int((found | truth.subject).sum())
    return int((found & truth.subject).sum()) / either if either else 1.0


def structure(matte: Array, truth: Truth) -> float:
    """The S-measure: how alike subject and background are, and the four parts around the subject's centre.

    Fan, Cheng, Liu, Li, Borji: Structure-measure: A New Way to Evaluate Foreground Maps. ICCV 2017.
    Both halves weigh the same, and λ is 0.5, as there.
    """
    share = float(truth.subject.mean())
    if share == 0:
        return float(1 - matte.mean())
    if share == 1:
        return float(matte.mean())
    of_objects = share * evenness(matte[truth.subject]) + (1 - share) * evenness(1 - matte[~truth.subject])
    return max(0.0, (of_objects + regions(matte, truth.subject)) / 2)


def evenness(values: Array) -> float:
    """The S-measure's likeness to an object that is 1 all over."""
    mean = values.mean()
    return float(2 * mean / (mean * mean + 1 + values.std()))


def regions(matte: Array, subject: Flags) -> float:
    """The S-measure's likeness of the four parts that meet at the subject's centre, by their areas."""
    row, column = (round(float(places.mean())) + 1 for places in np.nonzero(subject))
    parts = [(rows, columns) for rows in (np.s_[:row], np.s_[row:]) for columns in (np.s_[:column], np.s_[column:])]
    return sum(likeness(matte[part], subject[part]) * subject[part].size for part in parts) / subject.size


def likeness(matte: Array, subject: Flags) -> float:
    """The structural similarity of a part: of means, contrasts and their correlation at once."""
    if matte.size < 2:
        return 1.0
    true = subject.astype(float)
    covariance = np.cov(matte.ravel(), true.ravel())
    above = 4 * matte.mean() * true.mean() * covariance[0, 1]
    below = (matte.mean() ** 2 + true.mean() ** 2) * np.trace(covariance)
    return float(above / below) if above else float(below == 0)


def max_f(alpha: Bytes, truth: Truth) -> float:
    """The best F-measure that a threshold gives, β² = 0.3; the thresholds are the 256 levels.

    Achanta, Hemami, Estrada, Süsstrunk: Frequency-tuned Salient Region Detection. CVPR 2009.
    """
    counts = [np.bincount(alpha[flags], minlength=256) for flags in (truth.subject, ~truth.subject)]
    right, wrong = (np.cumsum(count[::-1]) for count in counts)
    precision = right / np.maximum(right + wrong, 1)
    recall = right / max(int(truth.subject.sum()), 1)
    weighted = BETA_SQUARED * precision + recall
    return float(np.max((1 + BETA_SQUARED) * precision * recall / np.where(weighted > 0, weighted, 1)))


def colour_error(cutout: Bytes, colours: Bytes, truth: Truth) -> float:
    """The mean absolute error in the band of the cut-out on new backgrounds, against the true subject on them.

    It is what is seen of wrong alphas and of the old background's colours. Compositing is that of
    Porter, Duff: Compositing Digital Images. SIGGRAPH 1984, with straight alpha.
    """
    alpha, true = cutout[..., 3] / 255, truth.matte
    errors = [
        np.abs(over(cutout[..., :3], alpha, background) - over(colours, true, background)).mean(axis=2)
        for background in BACKGROUNDS
    ]
    return band_mean(np.mean(errors, axis=0), truth)


def over(colours: Bytes, matte: Array, background: tuple[int, int, int]) -> Array:
    share = matte[..., np.newaxis]
    return (colours * share + np.array(background) * (1 - share)) / 255


def band_mean(error: Array, truth: Truth) -> float:
    return float(error[truth.band].mean()) if truth.band.any() else 0.0
