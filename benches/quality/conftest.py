"""What the tests share, and what puts the modules here within their reach."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A set of one photo, red on blue, whose subject is its left half; the true colours are known."""
    colours = np.full((40, 40, 3), (255, 0, 0), dtype=np.uint8)
    alpha = np.zeros((40, 40), dtype=np.uint8)
    alpha[:, :20] = 255
    photo = np.where(alpha[..., np.newaxis] > 0, colours, np.array([0, 0, 255], dtype=np.uint8))
    for part, pixels in {"image": photo, "gt": alpha, "fg": colours}.items():
        (tmp_path / "set" / part).mkdir(parents=True)
        Image.fromarray(pixels).save(tmp_path / "set" / part / "half.png")
    return tmp_path / "set"
