"""What type checkers see: the package as it is installed, and a program that uses it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

CONSUMER = Path(__file__).with_name("consumer.py")


def check(tool: str, folder: Path, *words: Any) -> None:
    command = [sys.executable, "-m", tool, *map(str, words)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_program_that_uses_it_is_typed(tmp_path: Path) -> None:
    check("mypy", tmp_path, "--strict", CONSUMER)


def test_the_package_is_typed(tmp_path: Path) -> None:
    check("mypy", tmp_path, "--strict", "--no-silence-site-packages", "-p", "remrembg")


def test_the_stub_tells_what_the_native_module_has(tmp_path: Path) -> None:
    check("mypy.stubtest", tmp_path, "remrembg")
