"""A process that cuts out one file again and again, for as long as it is told to.

    worker.py PACKAGE FORMAT FILE

A line on its standard input has two numbers: how many pictures, on how many threads.
A line on its standard output answers: the seconds that took, and the most memory that
the process has had so far, in kilobytes.
"""

from __future__ import annotations

import io
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Remove = Callable[[bytes], bytes]

MODEL = "u2netp"
#: remrembg with one view of the model.
FAST = "remrembg, preset=fast"


def main(package: str, form: str, file: str) -> None:
    remove = {"rembg": rembg, "remrembg": remrembg, FAST: fast}[package](form)
    data = Path(file).read_bytes()
    remove(data)
    for line in sys.stdin:
        count, threads = map(int, line.split())
        start = time.perf_counter()
        with ThreadPoolExecutor(threads) as pool:
            for result in pool.map(remove, [data] * count):
                check(result, form)
        seconds = time.perf_counter() - start
        print(seconds, most_memory(), flush=True)


def most_memory() -> int:
    """The most memory that this program had so far, in kilobytes: what it had before it began is its parent's."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise SystemExit("the system does not tell")


def rembg(form: str) -> Remove:
    import rembg
    from PIL import Image

    session = rembg.new_session(MODEL)

    def remove(data: bytes) -> bytes:
        if form == "png":
            return rembg.remove(data, session=session)
        made = io.BytesIO()
        rembg.remove(Image.open(io.BytesIO(data)), session=session).save(made, form)
        return made.getvalue()

    return remove


def remrembg(form: str, **options: str) -> Remove:
    import remrembg

    remover = remrembg.Remover(MODEL)
    return lambda data: remover.remove(data, format=form, **options)


def fast(form: str) -> Remove:
    return remrembg(form, preset="fast")


def check(result: bytes, form: str) -> None:
    head = {"png": b"\x89PNG", "webp": b"RIFF"}[form]
    if not result.startswith(head):
        raise SystemExit(f"{form} was asked for, and this came: {result[:16]!r}")


if __name__ == "__main__":
    main(*sys.argv[1:])
