"""What type checkers see: the package as it is installed, and a program that uses it."""

from __future__ import annotations

import inspect
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Set

import pytest

import remrembg
from remrembg._types import CutOutOptions, RemoveOptions, RmbgOptions

CONSUMER = Path(__file__).with_name("consumer.py")
ALLOWED = Path(__file__).with_name("stubtest.txt")


def check(tool: str, folder: Path, *words: Any) -> None:
    command = [sys.executable, "-m", tool, *map(str, words)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_program_that_uses_it_is_typed(tmp_path: Path) -> None:
    check("mypy", tmp_path, "--strict", CONSUMER)


def test_the_package_is_typed(tmp_path: Path) -> None:
    # A copy, as mypy is silent about what is installed.
    shutil.copytree(Path(remrembg.__file__).parent, tmp_path / "remrembg")
    check("mypy", tmp_path, "--strict", "-p", "remrembg")


def test_the_stub_tells_what_the_native_module_has(tmp_path: Path) -> None:
    check("mypy.stubtest", tmp_path, "remrembg", "--concise", "--allowlist", ALLOWED)


@pytest.mark.parametrize(
    ("call", "options", "others"),
    [
        (remrembg.remove, RemoveOptions, {"data", "session", "force_return_bytes"}),
        (remrembg.Remover.remove, RemoveOptions, {"self", "data", "force_return_bytes"}),
        (remrembg.Remover.rmbg, RmbgOptions, {"self", "image"}),
    ],
)
def test_the_types_of_options_tell_all_that_a_call_takes(call: Any, options: Any, others: Set[str]) -> None:
    taken = {name: parameter.annotation for name, parameter in inspect.signature(call).parameters.items()}
    if taken.pop("ignored", None) is not None:
        # rembg's own, which stands for another here.
        taken["vitmatte"] = "bool"
    if taken.pop("more", None) == "Unpack[CutOutOptions]":
        taken.update(told(CutOutOptions))
    assert set(taken) == {*options.__annotations__, *others}
    assert {name: taken[name] for name in options.__annotations__} == told(options)


def told(options: Any) -> Dict[str, str]:
    return {name: annotation.__forward_arg__ for name, annotation in options.__annotations__.items()}
