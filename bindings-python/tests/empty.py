"""Makes environments that have the wheel and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def environment(python: str, wheel: Path, folder: Path) -> Path:
    """Installs the wheel for this interpreter without an index to ask; gives the interpreter inside."""
    subprocess.run([python, "-m", "venv", "--without-pip", str(folder)], check=True)
    inside = folder / "bin/python"
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python", str(inside)]
    subprocess.run([*pip, "install", "--no-index", "--no-deps", str(wheel)], check=True)
    return inside
