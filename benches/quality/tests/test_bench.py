"""The whole of it, with a made-up remover in place of the packages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import bench
import methods
import sheets
from pairs import sets_in
from tables import Scored


def blue_is_background(photo: Image.Image) -> Image.Image:
    red, _, blue = photo.split()
    return Image.merge("RGBA", (red, red, blue, red))


def test_a_photo_is_measured_and_shown(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remove = dict.fromkeys(("rembg", "remrembg"), blue_is_background)
    monkeypatch.setattr(bench, "removers", remove, raising=False)
    monkeypatch.setattr(methods, "METHODS", [methods.PLAIN, methods.DEFAULT])
    (pair,) = sets_in(photos)["set"]
    scored, strip = bench.measure("set", pair)
    assert list(scored.values) == [methods.PLAIN.name, methods.DEFAULT.name]
    assert (scored.values[methods.PLAIN.name]["iou"], scored.band_ratio(methods.DEFAULT.name)) == (1, 1)
    kept: list[Scored] = []
    sheets.save(tmp_path, "set", bench.kept([(scored, strip)] * 7, 7, kept), ["rembg", "remrembg"])
    assert len(kept) == 7
    with Image.open(tmp_path / "set-01.png") as full, Image.open(tmp_path / "set-02.png") as rest:
        assert full.size == (strip.width, sheets.LINE + 6 * strip.height)
        assert rest.size == (strip.width, sheets.LINE + strip.height)


def test_the_detail_is_where_the_band_is() -> None:
    band = np.zeros((600, 600), dtype=bool)
    band[350:400, 120:170] = True
    left, top, right, bottom = sheets.busiest(band)
    assert (right - left, bottom - top) == (100, 100)
    assert left <= 120 and right >= 170 and top <= 350 and bottom >= 400


def test_a_folder_without_pairs_is_refused(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, bench.__file__, tmp_path], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (
        2,
        f"quality: no pairs in {tmp_path}: neither it nor a folder in it has both image/ and gt/\n",
    )
