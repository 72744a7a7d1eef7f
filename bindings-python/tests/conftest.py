"""What the tests share."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Dict

import pytest

import empty
import remrembg
import tiny as tiny_model

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def testdata() -> Path:
    """The vectors that every language replays."""
    return ROOT / "testdata"


@pytest.fixture(scope="session")
def photo() -> Path:
    """A real photo."""
    path = ROOT / "demo/photo.png"
    assert path.exists(), f"{path} is absent: run `make setup`"
    return path


@pytest.fixture
def folder(photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with what examples find in it: photo.jpg, and three pictures in photos/."""
    from PIL import Image

    (tmp_path / "photos").mkdir()
    with Image.open(photo) as image:
        image.convert("RGB").save(tmp_path / "photo.jpg")
        for name in ("one.jpg", "two.jpg", "three.jpg"):
            image.convert("RGB").resize((160, 160)).save(tmp_path / "photos" / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def tiny_settings(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Any]:
    """Settings of a remover that is done at once: to its model red is subject."""
    return tiny_model.settings(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def tiny(tiny_settings: Dict[str, Any]) -> remrembg.Remover:
    """A remover that is done at once: to its model red is subject."""
    return remrembg.Remover(**tiny_settings)


@pytest.fixture(scope="session")
def wheel() -> Path:
    """The wheel that is tested."""
    return built("*.whl")


@pytest.fixture(scope="session")
def sdist() -> Path:
    """The source distribution that was built with it."""
    return built("*.tar.gz")


def built(pattern: str) -> Path:
    folder = Path(os.environ["WHEELS"])
    files = list(folder.glob(pattern))
    assert len(files) == 1, f"one {pattern} must be in {folder}, not {files}: run `make test-python`"
    return files[0]


@pytest.fixture(scope="session")
def alone(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has the wheel and nothing else."""
    return empty.environment(sys.executable, wheel, tmp_path_factory.mktemp("alone"))
