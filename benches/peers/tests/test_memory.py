"""What the benches say of a program's memory is that program's own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[1]))
import measured
import worker

MEGABYTES = 50
#: What an interpreter needs by itself, in megabytes.
INTERPRETER = 25


@pytest.fixture
def large() -> object:
    """This process has far more memory than the one that it measures."""
    return bytearray(b"x") * 400_000_000


def test_a_program_that_needs_50_megabytes_reads_50(large: object, tmp_path: Path) -> None:
    code = f"held = bytearray(b'x') * {MEGABYTES << 20}"
    _, kilobytes = measured.whole([sys.executable, "-S", "-c", code], tmp_path, {})
    assert MEGABYTES <= kilobytes / 1024 <= MEGABYTES + INTERPRETER


def test_a_worker_tells_of_its_own_memory(large: object, tmp_path: Path) -> None:
    code = (
        f"import worker; held = bytearray(b'x') * {MEGABYTES << 20}; open('told', 'w').write(str(worker.most_memory()))"
    )
    measured.whole([sys.executable, "-c", code], tmp_path, {"PYTHONPATH": str(Path(worker.__file__).parent)})
    assert MEGABYTES <= int((tmp_path / "told").read_text()) / 1024 <= MEGABYTES + 2 * INTERPRETER


def test_a_program_that_fails_is_told(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="failed"):
        measured.whole([sys.executable, "-c", "raise SystemExit(3)"], tmp_path, {})
