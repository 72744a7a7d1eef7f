"""Folders of pairs, and what is wrong with some."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from pairs import Trouble, sets_in


def test_a_folder_is_a_set_or_holds_sets(photos: Path) -> None:
    shutil.copytree(photos, photos.parent / "again")
    (photos.parent / "other").mkdir()
    assert list(sets_in(photos)) == ["set"]
    assert list(sets_in(photos.parent)) == ["again", "set"]


def test_a_pair_has_a_photo_and_its_truth(photos: Path) -> None:
    (photos / "image/.hidden").touch()
    (pair,) = sets_in(photos)["set"]
    truth = pair.truth()
    assert (pair.name, pair.photo().mode, truth.alpha.shape) == ("half", "RGB", (40, 40))
    assert truth.colours is not None and truth.colours[0, 39].tolist() == [255, 0, 0]


def test_true_colours_may_be_missing(photos: Path) -> None:
    shutil.rmtree(photos / "fg")
    (pair,) = sets_in(photos)["set"]
    assert pair.truth().colours is None


def test_photos_are_upright(photos: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    Image.new("RGB", (40, 30)).save(photos / "image/half.png", exif=exif)
    (pair,) = sets_in(photos)["set"]
    assert pair.photo().size == (30, 40)


SPOILED: dict[str, Callable[[Path], object]] = {
    r"set is not a folder": shutil.rmtree,
    r"no pairs in .*set: neither it nor a folder in it has both image/ and gt/": lambda at: shutil.rmtree(at / "gt"),
    r"no pairs in .*set: .*image is empty": lambda at: (at / "image/half.png").unlink(),
    r"half\.png has no true matte: there is no .*half\.\*": lambda at: (at / "gt/half.png").rename(at / "gt/b.png"),
    r"half\.bmp and .*half\.png have the same name": lambda at: shutil.copy(at / "gt/half.png", at / "gt/half.bmp"),
    r"gt.half\.png is 40×39, and its photo 40×40": lambda at: Image.new("L", (40, 39)).save(at / "gt/half.png"),
    r"fg.half\.png is 39×40, and its photo 40×40": lambda at: Image.new("RGB", (39, 40)).save(at / "fg/half.png"),
    r"image.half\.png cannot be read: .+": lambda at: cut_short(at / "image/half.png"),
    r"gt.half\.png has more than 8 bits": lambda at: Image.new("I;16", (40, 40)).save(at / "gt/half.png"),
}


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


@pytest.mark.parametrize("message", SPOILED)
def test_what_is_wrong_is_told(photos: Path, message: str) -> None:
    SPOILED[message](photos)
    with pytest.raises(Trouble, match=message):
        for pairs in sets_in(photos).values():
            for pair in pairs:
                pair.truth()
