"""The command line that comes with the package."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import remrembg

SCRIPT = str(Path(sys.executable).with_name("remrembg"))
BOTH = [[SCRIPT], [sys.executable, "-m", "remrembg"]]


def run(command, *words, **more):
    return subprocess.run([*command, *map(str, words)], capture_output=True, text=True, **more)


@pytest.mark.parametrize("command", BOTH, ids=["remrembg", "python -m remrembg"])
def test_it_cuts_out(command, photo, tmp_path):
    out = tmp_path / "cutout.png"
    done = run(command, "remove", photo, "-o", out, "--w", "64")
    assert done.returncode == 0, done.stderr
    assert out.read_bytes() == remrembg.rmbg(photo, w=64, format="png")


@pytest.mark.parametrize("command", BOTH, ids=["remrembg", "python -m remrembg"])
def test_it_tells_its_version_and_the_engine_that_the_package_finds(command):
    assert run(command, "--version").stdout == f"remrembg {remrembg.__version__}\n"
    told = json.loads(run(command, "engine", "--json").stdout)
    assert told["library"] == remrembg.Remover().engine.library


def test_a_refused_request_ends_with_two_and_the_hosted_apis_words(tmp_path):
    empty = tmp_path / "empty.png"
    empty.write_bytes(b"")
    done = run(BOTH[0], "remove", empty, "-o", tmp_path / "out.png", "--json")
    assert done.returncode == 2
    assert "Uploaded file is empty (0 bytes)." in done.stdout + done.stderr
    assert os.listdir(tmp_path) == ["empty.png"]


def test_ctrl_c_ends_it_as_a_program_in_c_would(photo, tmp_path):
    (tmp_path / "in").mkdir()
    for number in range(60):
        shutil.copy(photo, tmp_path / "in" / f"{number}.png")
    with subprocess.Popen(
        [*BOTH[1], "remove", tmp_path / "in", "-o", tmp_path / "out", "--engine", "rten", "--threads", "1"],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        end = threading.Timer(120, process.kill)
        end.start()
        assert "→" in process.stderr.readline(), "the first is done"
        process.send_signal(signal.SIGINT)
        assert "Traceback" not in process.stderr.read()
        assert process.wait() == 130
        end.cancel()
    assert all(name.suffix == ".webp" for name in (tmp_path / "out").iterdir()), "no half of a file is left"
