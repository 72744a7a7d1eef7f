"""The wheel in an empty environment: it needs no other package, on any Python that it is for."""

from __future__ import annotations

import os
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any, Dict, Optional

import pytest

import empty

OLDEST = 9
#: Where other interpreters are; pyenv keeps most of its own off the PATH.
PLACES = [*os.environ.get("PATH", "").split(os.pathsep), *map(str, Path.home().glob(".pyenv/versions/*/bin"))]

USE = """
import sys, remrembg
remover = remrembg.Remover(**{settings!r})
bmp = remover.rmbg({photo!r}, format="bmp", w=8)
assert bmp[:2] == b"BM"
assert [outcome.get()[:4] for outcome in remover.remove_many([bmp, bmp])] == [b"\\x89PNG"] * 2
try:
    remover.rmbg(bmp, w="abc")
except remrembg.ValidationError as error:
    assert error.status == 400
taken = {{"numpy", "PIL", "onnxruntime"}} & set(sys.modules)
assert not taken, taken
# Left halfway, they hold up no end.
outcomes = remover.remove_many([bmp] * 40)
next(outcomes)
"""


def run(python: Path, *words: Any, **more: Any) -> str:
    done = subprocess.run([str(python), *map(str, words)], capture_output=True, text=True, timeout=300, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_depends_on_nothing() -> None:
    needs = metadata.requires("remrembg") or []
    assert needs
    assert all("extra ==" in need for need in needs), needs


def test_nothing_else_is_installed(alone: Path) -> None:
    code = "from importlib import metadata; print(*(found.metadata['Name'] for found in metadata.distributions()))"
    assert run(alone, "-c", code).split() == ["remrembg"]


def test_both_commands_run(alone: Path, photo: Path, tmp_path: Path) -> None:
    version = f"remrembg {metadata.version('remrembg')}\n"
    assert run(alone.with_name("remrembg"), "--version") == version
    assert run(alone, "-m", "remrembg", "--version") == version
    run(alone.with_name("remrembg"), "remove", photo, "-o", tmp_path / "cutout.png", "--w", 64)
    assert (tmp_path / "cutout.png").read_bytes()[:4] == b"\x89PNG"


def test_the_engine_inside_runs_where_there_is_no_other(alone: Path) -> None:
    code = "import remrembg; engine = remrembg.Remover().engine; print(engine.name, bool(engine.fallback))"
    assert run(alone, "-c", code).split() == ["native", "False"]


@pytest.mark.parametrize("minor", range(OLDEST, 16))
def test_it_works_on(minor: int, wheel: Path, photo: Path, tiny_settings: Dict[str, Any], tmp_path: Path) -> None:
    python = found(minor)
    if python is None:
        pytest.skip(f"needs Python 3.{minor}")
    settings = {**tiny_settings, "model": str(tiny_settings["model"])}
    run(empty.environment(python, wheel, tmp_path), "-c", USE.format(settings=settings, photo=str(photo)), cwd=tmp_path)


def found(minor: int) -> Optional[str]:
    """An interpreter of this version that has what virtual environments take."""
    for place in PLACES:
        python = Path(place, f"python3.{minor}")
        if python.exists() and subprocess.run([python, "-c", "import venv"], capture_output=True).returncode == 0:
            return str(python)
    return None
