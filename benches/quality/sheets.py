"""Contact sheets: cut-outs of rembg and remrembg side by side on new backgrounds, whole and in detail."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from measures import BACKGROUNDS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from filters import Bytes, Flags

    Box = tuple[int, int, int, int]

CELL = 230
GAP = 4
LINE = 22
PHOTOS_A_PAGE = 6
PAPER, INK, FRAME = (128, 128, 128), (255, 255, 255), (255, 0, 0)


def strip_of(photo: Image.Image, cutouts: list[Bytes], band: Flags, heading: str) -> Image.Image:
    """One photo's part of a sheet: under its heading a line of whole pictures, and one of a detail at the edge."""
    detail = busiest(band)
    framed = photo.copy()
    thickness = max(1, round(max(photo.size) / CELL))
    ImageDraw.Draw(framed).rectangle(detail, outline=FRAME, width=thickness)
    pictures = [on(Image.fromarray(cutout), background) for background in BACKGROUNDS for cutout in cutouts]
    lines = [[framed, *pictures], [picture.crop(detail) for picture in (photo, *pictures)]]
    heights = [min(CELL, max(cell(picture).height for picture in line)) for line in lines]
    image = Image.new("RGB", (sheet_width(len(pictures)), LINE + sum(heights) + 2 * GAP), PAPER)
    write(image, (GAP, 2), heading)
    top = LINE
    for line, height in zip(lines, heights):
        for number, picture in enumerate(line):
            small = cell(picture)
            image.paste(small, (GAP + number * (CELL + GAP) + (CELL - small.width) // 2, top))
        top += height + GAP
    return image


def busiest(band: Flags) -> Box:
    """The square of a sixth of the picture's size that has the most of the band in it."""
    height, width = band.shape
    side = min(height, width, max(48, round(math.sqrt(band.size) / 6)))
    sums = np.pad(band.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    inside = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    top, left = np.unravel_index(inside.argmax(), inside.shape)
    return int(left), int(top), int(left) + side, int(top) + side


def on(cutout: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    return Image.alpha_composite(Image.new("RGBA", cutout.size, background), cutout).convert("RGB")


def cell(picture: Image.Image) -> Image.Image:
    return ImageOps.contain(picture, (CELL, CELL), Image.Resampling.LANCZOS)


def sheet_width(pictures: int) -> int:
    return GAP + (1 + pictures) * (CELL + GAP)


def write(image: Image.Image, place: tuple[int, int], text: str) -> None:
    ImageDraw.Draw(image).text(place, text, INK, ImageFont.load_default(15))


def save(folder: Path, name: str, strips: Iterable[Image.Image], methods: list[str]) -> None:
    """Write sheets of a few photos each, as soon as each is full."""
    strips = iter(strips)
    for number in itertools.count(1):
        on_page = list(itertools.islice(strips, PHOTOS_A_PAGE))
        if not on_page:
            break
        page(on_page, methods).save(folder / f"{name}-{number:02}.png")


def page(strips: list[Image.Image], methods: list[str]) -> Image.Image:
    """Strips below each other, with what the columns are at the top."""
    image = Image.new("RGB", (strips[0].width, LINE + sum(strip.height for strip in strips)), PAPER)
    for number, column in enumerate(["photo", *(methods * len(BACKGROUNDS))]):
        write(image, (GAP + number * (CELL + GAP), 2), column)
    top = LINE
    for strip in strips:
        image.paste(strip, (0, top))
        top += strip.height
    return image
