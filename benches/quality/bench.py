#!/usr/bin/env python3
"""Measures the cut-outs of rembg and remrembg on photos with known mattes.

`make quality DATA=folder` runs it. CONTRIBUTING.md tells what it takes and what it writes.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING, Any

import measures
import methods
import sheets
import tables
import verdicts
from pairs import Pair, Trouble, sets_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from PIL import Image

    Measured = tuple[tables.Scored, Image.Image]

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "quality"
MODELS = ROOT / "models"
#: The methods that contact sheets show.
SHOWN = (methods.PLAIN, methods.DEFAULT)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="a set, or a folder of sets; from the checkout where it is relative")
    parser.add_argument("--jobs", type=int, default=2, help="processes, with one photo each (default: 2)")
    parser.add_argument("--write", action="store_true", help="write the table into docs/quality.md too")
    words = parser.parse_args()
    try:
        run(ROOT / words.data, words.jobs, words.write)
    except Trouble as trouble:
        print(f"quality: {trouble}", file=sys.stderr)
        return 2
    except BrokenProcessPool:
        print("quality: a process was killed: is there memory for the photos? `--jobs 1` takes less", file=sys.stderr)
        return 1
    return 0


def run(data: Path, jobs: int, write: bool) -> None:
    sets = sets_in(data)
    for pair in (pair for pairs in sets.values() for pair in pairs):
        pair.truth()
    OUTPUT.mkdir(exist_ok=True)
    for sheet in OUTPUT.glob("*.png"):
        sheet.unlink()
    scored: list[tables.Scored] = []
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, spawn, initializer=prepare) as pool:
        for name, pairs in sets.items():
            measured = pool.map(measure, [name] * len(pairs), pairs)
            sheets.save(OUTPUT, name, kept(measured, len(pairs), scored), [method.package for method in SHOWN])
    tables.write_images(OUTPUT / "images.csv", scored)
    tell(scored, write)


def kept(measured: Iterable[Measured], count: int, scored: list[tables.Scored]) -> Iterator[Image.Image]:
    """The strips for the contact sheets, one by one; the numbers are put into a list on the way."""
    for number, (image, strip) in enumerate(measured, 1):
        say(f"{image.set} {number}/{count}: {image.name}")
        scored.append(image)
        yield strip


def tell(scored: list[tables.Scored], write: bool) -> None:
    compared = f"{methods.versions()}. {tables.LEGEND}\n\n{tables.compared_table(scored)}\n{verdicts.text(scored)}"
    means = tables.means_table(scored)
    (OUTPUT / "tables.md").write_text(f"{compared}\n{means}", "utf-8")
    print(f"\n{compared}\n{means}\nMore is in {OUTPUT}: contact sheets, and the numbers of every photo in images.csv.")
    if write:
        tables.write(ROOT / "docs/quality.md", compared)


#: What a process needs for every photo; `prepare` puts it here.
removers: dict[str, Callable[..., Image.Image]]


def prepare() -> None:
    global removers
    methods.use_models(MODELS)
    removers = methods.loaded()


def measure(name: str, pair: Pair) -> Measured:
    """Cut a photo out by every method, and measure what comes."""
    photo, truth = pair.photo(), pair.truth()
    cutouts: dict[str, Any] = {}
    for method in methods.METHODS:
        cutouts[method.name] = methods.cut_out(removers[method.package], method, photo)
    scored = tables.Scored(name, pair.name, {key: measures.measured(cutout, truth) for key, cutout in cutouts.items()})
    errors = ", ".join(f"{method.package} {scored.values[method.name]['band']:.4f}" for method in SHOWN)
    heading = f"{pair.name}   band error: {errors}"
    return scored, sheets.strip_of(photo, [cutouts[method.name] for method in SHOWN], truth.band, heading)


def say(text: str) -> None:
    print(f"quality: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
