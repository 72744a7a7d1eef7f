"""Time and memory of whole processes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

LAUNCH = Path(__file__).with_name("launch.py")


@dataclass
class Measured:
    """What a program needed each time: seconds, and the most memory in kilobytes."""

    seconds: list[float] = field(default_factory=list)
    kilobytes: list[int] = field(default_factory=list)

    def add(self, seconds: float, kilobytes: int) -> None:
        self.seconds.append(seconds)
        self.kilobytes.append(kilobytes)


def whole(command: list[str], folder: Path, variables: dict[str, str]) -> tuple[float, int]:
    """Runs a program in a folder: the seconds, and the most memory in kilobytes."""
    quiet = subprocess.DEVNULL
    with tempfile.TemporaryDirectory() as place:
        told = Path(place) / "told"
        launch = [sys.executable, "-I", "-S", str(LAUNCH), str(told), *command]
        done = subprocess.run(launch, cwd=folder, env=os.environ | variables, stdin=quiet, stdout=quiet)
        if done.returncode:
            sys.exit(f"bench-peers: {command} failed")
        seconds, kilobytes = told.read_text().split()
    return float(seconds), int(kilobytes)
