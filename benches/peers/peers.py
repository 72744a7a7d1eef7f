#!/usr/bin/env python3
"""Times cut-outs beside other packages', in turn, on the same files, with the same model and threads.

`make bench-peers` runs it. CONTRIBUTING.md tells what it takes and what it writes.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "benches/quality"))
import tables  # noqa: E402
from measured import Measured, whole  # noqa: E402
from worker import FAST  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: Above the tables in docs/speed.md.
CHAPTER = """# Speed

`make bench-peers` runs rembg, imgly's `background-removal-node` and remrembg in turn, on the same files.
A ratio of 0.33 is a third of rembg's time, or of its memory. `make bench` tells what each stage costs at every size.
"""
MARKERS = ("<!-- peers: written by make bench-peers -->", "<!-- end of peers -->")
PEERS = ("rembg", "remrembg", FAST)
#: Both have as many threads, on as many processors.
CORES = 2
#: Times in a row, by millions of pixels.
ROUNDS = {1: 15, 12: 5}
FORMATS = ("png", "webp")
COLD_ROUNDS = 5
MANY = 100
#: An enlarged photo has less grain than those of cameras, and would be easier to encode.
GRAIN = 3.0

FIRST = {
    "rembg": """
import sys, rembg
data = open(sys.argv[1], 'rb').read()
open(sys.argv[2], 'wb').write(rembg.remove(data, session=rembg.new_session('u2netp')))
""",
    "remrembg": """
import sys, remrembg
data = open(sys.argv[1], 'rb').read()
open(sys.argv[2], 'wb').write(remrembg.remove(data, format='png'))
""",
    FAST: """
import sys, remrembg
data = open(sys.argv[1], 'rb').read()
open(sys.argv[2], 'wb').write(remrembg.remove(data, format='png', preset='fast'))
""",
    "imgly": """
import { removeBackground } from '@imgly/background-removal-node';
import { readFileSync, writeFileSync } from 'node:fs';
const photo = new Blob([readFileSync(process.argv[1])], { type: 'image/jpeg' });
const cut = await removeBackground(photo, { output: { format: 'image/png' } });
writeFileSync(process.argv[2], Buffer.from(await cut.arrayBuffer()));
""",
    "remrembg in Node": """
import { remove } from 'remrembg';
import { writeFileSync } from 'node:fs';
writeFileSync(process.argv[2], await remove(process.argv[1], { format: 'png' }));
""",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photo", type=Path, default=ROOT / "demo/photo.png", help="(default: the demo's)")
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/remrembg", help="the command line")
    parser.add_argument(
        "--node", type=Path, default=ROOT / ".cache/peers/node_modules", help="where imgly's package is"
    )
    parser.add_argument("--write", action="store_true", help="write the tables into docs/speed.md too")
    words = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    os.environ |= {"OMP_NUM_THREADS": str(CORES), "U2NET_HOME": str(ROOT / "models")}
    with tempfile.TemporaryDirectory() as folder:
        files = {size: photo(words.photo, size, Path(folder)) for size in ROUNDS}
        lines = [["work", *heads(""), *heads(", memory")]]
        for size in ROUNDS:
            lines += [row(f"{size} MP JPEG → {form.upper()}, warm", warm(files[size], form, size)) for form in FORMATS]
        lines.append(row(f"{MANY} pictures of 1 MP → PNG, two workers", many(files[1])))
        first = cold(files[1], words.binary, words.node)
        lines.append(row("first picture of a cold process, Python", first))
        text = f"{heading()}\n\n{tables.markdown(lines)}\n{cold_table(first)}"
    print(text)
    if words.write:
        tables.write(ROOT / "docs/speed.md", f"{CHAPTER}\n{text}", MARKERS)


def photo(source: Path, megapixels: int, folder: Path) -> Path:
    """The photo as a JPEG file of this size, with grain where it is enlarged."""
    image = Image.open(source).convert("RGB")
    scale = (megapixels * 1e6 / (image.width * image.height)) ** 0.5
    pixels = np.asarray(
        image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
    )
    if scale > 1:
        pixels = pixels + np.random.default_rng(0).normal(0, GRAIN, pixels.shape)
    path = folder / f"{megapixels}mp.jpg"
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path, quality=90)
    return path


class Worker:
    """A process that waits between two pictures."""

    def __init__(self, peer: str, form: str, file: Path) -> None:
        command = [sys.executable, str(Path(__file__).with_name("worker.py")), peer, form, str(file)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.stdin.close()
        self.process.wait()

    def time(self, count: int, threads: int) -> tuple[float, int]:
        self.process.stdin.write(f"{count} {threads}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if not answer:
            sys.exit("bench-peers: a worker failed; what it said is above")
        return float(answer[0]), int(answer[1])


def warm(file: Path, form: str, megapixels: int) -> dict[str, Measured]:
    say(f"{megapixels} MP to {form}")
    return in_turn(file, form, ROUNDS[megapixels], 1, 1)


def many(file: Path) -> dict[str, Measured]:
    say(f"{MANY} pictures")
    return in_turn(file, "png", 1, MANY, 2)


def in_turn(file: Path, form: str, rounds: int, count: int, threads: int) -> dict[str, Measured]:
    measured = {peer: Measured() for peer in PEERS}
    with ExitStack() as stack:
        workers = {peer: stack.enter_context(Worker(peer, form, file)) for peer in PEERS}
        for number in range(rounds):
            for peer in PEERS if number % 2 else reversed(PEERS):
                measured[peer].add(*workers[peer].time(count, threads))
    return measured


def cold(file: Path, binary: Path, node: Path) -> dict[str, Measured]:
    """Whole processes, from their start to their end; the first round only fills the system's cache."""
    script = ["node", "--input-type=module", "--eval"]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "node_modules").mkdir()
        packages = {"remrembg": ROOT / "bindings-node", "@imgly": node / "@imgly"}
        for name, place in packages.items():
            (Path(folder) / "node_modules" / name).symlink_to(place)
        commands = {
            **{peer: [sys.executable, "-c", FIRST[peer]] for peer in PEERS},
            "remrembg in Node": [*script, FIRST["remrembg in Node"]],
            "remrembg in the shell": [str(binary), "remove", "-o"],
        }
        if (node / "@imgly").exists():
            commands["imgly"] = [*script, FIRST["imgly"]]
        measured = {name: Measured() for name in commands}
        for number in range(COLD_ROUNDS + 1):
            say(f"cold, {number} of {COLD_ROUNDS}")
            for name, command in commands.items():
                made = Path(folder) / "made.png"
                files = [str(made), str(file)] if "shell" in name else [str(file), str(made)]
                needed = whole(command + files, Path(folder), {})
                Image.open(made).verify()
                made.unlink()
                if number:
                    measured[name].add(*needed)
    return measured


def row(work: str, measured: dict[str, Measured]) -> list[str]:
    seconds = [median(measured[peer].seconds) for peer in PEERS]
    megabytes = [max(measured[peer].kilobytes) / 1024 for peer in PEERS]
    return [work, *beside(seconds, told), *beside(megabytes, "{:.0f} MB".format)]


def beside(numbers: Sequence[float], told: Callable[[float], str]) -> list[str]:
    """rembg's number, then each other one with its ratio to it."""
    first, *others = numbers
    return [told(first), *(cell for own in others for cell in (told(own), f"{own / first:.2f}"))]


def heads(kind: str) -> list[str]:
    first, *others = (f"{peer}{kind}" for peer in PEERS)
    return [first, *(cell for own in others for cell in (own, "ratio"))]


def cold_table(first: dict[str, Measured]) -> str:
    lines = [["first picture of a cold process, 1 MP JPEG → PNG", "time", "memory"]]
    for name, measured in first.items():
        lines.append([name, told(median(measured.seconds)), f"{max(measured.kilobytes) / 1024:.0f} MB"])
    return tables.markdown(lines)


def told(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def heading() -> str:
    import remrembg

    engine = remrembg.Remover("u2netp").engine.name
    runtime = f"ONNX Runtime {version('onnxruntime')}"
    compared = f"rembg {version('rembg')} ({runtime}), remrembg {version('remrembg')} ({engine})"
    model = next(
        (line.split(":")[1].strip() for line in cpu_lines() if line.startswith("model name")), platform.machine()
    )
    return f"Medians of runs in turn: {compared}, u2netp, {CORES} threads, {model}."


def cpu_lines() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def say(text: str) -> None:
    print(f"bench-peers: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
