"""The numbers as tables: of every image for a spreadsheet, of every set for people."""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING

from methods import DEFAULT, PLAIN
from pairs import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    Values = dict[str, float]

#: Errors, which are told as ratios, and likenesses, which are told as differences.
ERRORS = {"mae": "MAE", "band": "band error", "gradient": "gradient error", "colour": "colour error"}
LIKENESSES = {"iou": "IoU", "s": "S-measure", "f": "max F"}
MEASURES = ERRORS | LIKENESSES
#: Where plain rembg's IoU is below this, it found another subject than the truth has.
USABLE = 0.8
LEGEND = f"Better on: by band error, of the photos on which plain rembg's IoU is at least {USABLE}."
#: Between which lines of docs/quality.md the table stands.
MARKERS = ("<!-- quality: written by make quality -->", "<!-- end of quality -->")


@dataclass(frozen=True, order=True)
class Scored:
    """The measures of every method on one photo."""

    set: str
    name: str
    values: dict[str, Values] = field(compare=False)

    def band_ratio(self, method: str) -> float:
        return ratio(self.values[method]["band"], self.values[PLAIN.name]["band"])


def ratio(value: float, plain: float) -> float:
    """How large an error is beside plain rembg's; 1 where neither has any."""
    if plain:
        return value / plain
    return math.inf if value else 1.0


def write_images(path: Path, scored: Iterable[Scored]) -> None:
    """One line for each photo and method; the photos on which the default does worst beside rembg come first."""
    worst_first = sorted(scored, key=lambda image: -image.band_ratio(DEFAULT.name))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["set", "image", "method", "band error / rembg's", *MEASURES.values()])
        for image in worst_first:
            for method, values in image.values.items():
                numbers = [image.band_ratio(method), *(values[key] for key in MEASURES)]
                writer.writerow([image.set, image.name, method, *(shown(number, "{:.6f}", "") for number in numbers)])


def means_table(scored: Iterable[Scored]) -> str:
    """The mean of every measure, by set and method."""
    lines = [["set", "method", *MEASURES.values()]]
    for name, images in by_set(scored).items():
        for method in images[0].values:
            means = set_means(images, method)
            lines.append([name, method, *(shown(means[key], "{:.4f}") for key in MEASURES)])
    return markdown(lines)


def compared_table(scored: Iterable[Scored]) -> str:
    """The other methods beside plain rembg: ratios and differences of means, and on how many photos each is better."""
    lines = [["set", "method", *MEASURES.values(), "better on"]]
    for name, images in by_set(scored).items():
        plain = set_means(images, PLAIN.name)
        for method in (method for method in images[0].values if method != PLAIN.name):
            means = set_means(images, method)
            ratios = [shown(ratio(means[key], plain[key]), "{:.2f}") for key in ERRORS]
            differences = [shown(means[key] - plain[key], "{:+z.3f}") for key in LIKENESSES]
            lines.append([f"{name} ({len(images)})", method, *ratios, *differences, better_on(images, method)])
    return markdown(lines)


def better_on(images: list[Scored], method: str) -> str:
    usable = [image for image in images if image.values[PLAIN.name]["iou"] >= USABLE]
    better = sum(image.values[method]["band"] < image.values[PLAIN.name]["band"] for image in usable)
    return f"{better} of {len(usable)}"


def by_set(scored: Iterable[Scored]) -> dict[str, list[Scored]]:
    sets: dict[str, list[Scored]] = {}
    for image in scored:
        sets.setdefault(image.set, []).append(image)
    return sets


def set_means(images: list[Scored], method: str) -> Values:
    means: Values = {}
    for key in MEASURES:
        known = [image.values[method][key] for image in images if not math.isnan(image.values[method][key])]
        means[key] = fmean(known) if known else math.nan
    return means


def shown(number: float, form: str, without: str = "–") -> str:
    return without if math.isnan(number) else form.format(number)


def markdown(lines: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*lines)]
    padded = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths)) for line in lines]
    rule = "|".join("-" * (width + 2) for width in widths)
    head, *body = (f"| {line} |\n" for line in padded)
    return f"{head}|{rule}|\n{''.join(body)}"


def write(path: Path, text: str, markers: tuple[str, str] = MARKERS) -> None:
    """Put the text between the markers of a page."""
    start, end = markers
    page = path.read_text("utf-8")
    changed, count = re.subn(
        f"{re.escape(start)}.*?{re.escape(end)}", lambda _: f"{start}\n\n{text}\n{end}", page, flags=re.DOTALL
    )
    if count != 1:
        raise Trouble(f"{path} must have {start} once, and {end} after it")
    path.write_text(changed, "utf-8")
