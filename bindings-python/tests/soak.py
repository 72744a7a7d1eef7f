"""Calls the package thousands of times: memory and open files must stay flat.

Run by ``make soak-python``. Ends with 1 where resident memory grew by more than 1 MB after the
first hundred calls, or where files stayed open.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import io
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, List

import numpy
from PIL import Image

import remrembg
import tiny

WARM = 100
ALLOWED = 2**20

Call = Callable[[], Any]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        quick = remrembg.Remover(**tiny.settings(Path(folder)))
        flat = soak("tiny model", 10_000, calls(quick, 32))
        bundled = remrembg.Remover(engine="rten")
        return 0 if soak("bundled model", 300, calls(bundled, 320)) and flat else 1


def calls(remover: remrembg.Remover, side: int) -> List[Call]:
    """Each kind of picture, of result and of failure."""
    cancelled = remrembg.CancelToken()
    cancelled.cancel()
    image = Image.radial_gradient("L").resize((side, side)).convert("RGB")
    array = numpy.asarray(image)
    png = io.BytesIO()
    image.save(png, "PNG")
    data = png.getvalue()
    refused: List[Call] = [
        lambda: remover.rmbg(data, w="abc", h=-1),
        lambda: remover.rmbg(data[:100]),
        lambda: remover.remove(array, bgcolor="no colour"),
        lambda: remover.remove(array.astype(numpy.float32)),
        lambda: remover.rmbg(data, cancel=cancelled),
        lambda: remover.rmbg(data, progress=raising),
    ]
    return [
        lambda: remover.rmbg(data),
        lambda: remover.remove(array),
        lambda: remover.remove(image),
        lambda: remover.rmbg(io.BytesIO(data), format="png", angle=30, bg_color="teal"),
        lambda: remover.remove(array[:, ::-1], only_mask=True),
        lambda: remover.remove(image.convert("RGBA"), bgcolor=(1, 2, 3, 255)),
        lambda: remover.rmbg(bytearray(data), mask=True, format="jpeg", progress=lambda stage, fraction: None),
        lambda: [outcome.get() for outcome in remover.remove_many([array, array], jobs=2)],
        lambda: remover.remove(data, w=16),
        lambda: [failing(call) for call in refused],
        lambda: remover.remove(memoryview(bytearray(data)), alpha_matting=True, alpha_matting_erode_size=3),
        lambda: remover.remove(array, post_process_mask=True, decontaminate=True),
        lambda: asyncio.run(remover.rmbg_async(data)),
    ]


def raising(stage: str, fraction: float) -> None:
    raise TypeError(stage)


def failing(call: Call) -> None:
    try:
        call()
    except (remrembg.ValidationError, remrembg.CancelledError, TypeError):
        return
    raise AssertionError("a bad call was not refused")


def soak(name: str, count: int, kinds: List[Call]) -> bool:
    """Makes the calls in turn, tells the figures, and whether they are good."""
    began = time.monotonic()
    for turn in range(WARM):
        kinds[turn % len(kinds)]()
    memory, files = resident(), open_files()
    for turn in range(count - WARM):
        kinds[turn % len(kinds)]()
    grown, opened = resident() - memory, open_files() - files
    flat = grown <= ALLOWED and opened <= 0
    print(f"{name}: {count} calls in {time.monotonic() - began:.0f} s, {'flat' if flat else 'NOT FLAT'}")
    print(f"  resident memory {memory / 2**20:.1f} MB {grown / 2**10:+.0f} kB after the first {WARM} calls")
    print(f"  open files {files} {opened:+d}", flush=True)
    return flat


def resident() -> int:
    """Bytes of this process in memory, without what the allocator keeps for later.

    Threads that allocate at once leave that in pieces: it comes and goes by megabytes.
    """
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


if __name__ == "__main__":
    sys.exit(main())
