"""Whether the default is no worse than rembg, set by set, and on which photos it is much worse."""

from __future__ import annotations

import math
from statistics import fmean
from typing import TYPE_CHECKING

from methods import DEFAULT, FAST, PLAIN
from tables import ERRORS, MEASURES, Scored, by_set, markdown, ratio, set_means

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What has to be no worse.
JUDGED = ("mae", "band", "iou", "f")
#: What is no further apart than this part of rembg's is the same.
SAME = 0.02
#: An IoU below this is a failure.
FAILED = 0.5
#: A photo whose IoU falls by more than this is named.
FALL = 0.1


def text(scored: list[Scored]) -> str:
    """The verdicts as Markdown."""
    judged = table(scored)
    means = ", ".join(f"{MEASURES[key]} {mean_ratio(scored, key):.3f}" for key in ("mae", "band"))
    lines = [
        f"The default beside rembg; the same is within {SAME:.0%}:",
        "",
        judged,
        f"The mean of the sets' ratios: {means}.",
        "",
        f"Photos whose IoU is lower by more than {FALL}, and the stage that did it:",
        "",
        fallen(scored),
    ]
    return "\n".join(lines)


def table(scored: Iterable[Scored]) -> str:
    """A word for each set and measure, and how many photos fail, of rembg's and of ours."""
    lines = [["set", *(MEASURES[key] for key in JUDGED), "IoU below ½"]]
    for name, images in by_set(scored).items():
        plain, ours = set_means(images, PLAIN.name), set_means(images, DEFAULT.name)
        words = [word(key, plain[key], ours[key]) for key in JUDGED]
        counts = [failures(images, method) for method in (PLAIN.name, DEFAULT.name)]
        lines.append([name, *words, f"{counts[0]}, now {counts[1]}"])
    return markdown(lines)


def word(key: str, plain: float, ours: float) -> str:
    """How a mean is beside rembg's."""
    gain = 1 - ratio(ours, plain) if key in ERRORS else ratio(ours, plain) - 1
    if abs(gain) <= SAME:
        return "same"
    return "better" if gain > 0 else "worse"


def failures(images: Iterable[Scored], method: str) -> int:
    return sum(image.values[method]["iou"] < FAILED for image in images)


def mean_ratio(scored: Iterable[Scored], key: str) -> float:
    """The mean over the sets of what an error is beside rembg's."""
    sets = by_set(scored).values()
    ratios = (ratio(set_means(images, DEFAULT.name)[key], set_means(images, PLAIN.name)[key]) for images in sets)
    # Beside no error at all there is no ratio.
    return fmean(value for value in ratios if value < math.inf)


def fallen(scored: Iterable[Scored]) -> str:
    """The photos that lost, the worst first."""
    losses = sorted((image.values[DEFAULT.name]["iou"] - image.values[PLAIN.name]["iou"], image) for image in scored)
    lines = [
        f"- {image.set}/{image.name}: {image.values[PLAIN.name]['iou']:.2f} to "
        f"{image.values[DEFAULT.name]['iou']:.2f} ({stage(image)})"
        for loss, image in losses
        if loss < -FALL
    ]
    return "\n".join(lines) + "\n" if lines else "none.\n"


def stage(image: Scored) -> str:
    """Refinement, where one view, refined, falls by more than that already; else the mean of views."""
    fast = image.values[FAST.name]["iou"] - image.values[PLAIN.name]["iou"]
    return "refinement" if fast < -FALL else "views"
