"""Sets of photos with their true mattes, as folders hold them.

- SET/image/NAME.*: the photos
- SET/gt/NAME.*: their true mattes, 8-bit grey
- SET/fg/NAME.*: where there are any, the subject's true colours
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from measures import Truth

UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)


class Trouble(Exception):
    """What the user has to put right; it is told without a traceback."""


@dataclass(frozen=True)
class Pair:
    """The files of one photo."""

    name: str
    image: Path
    matte: Path
    colours: Path | None

    def photo(self) -> Image.Image:
        """The photo in RGB, upright."""
        return read(self.image, "RGB")

    def truth(self) -> Truth:
        """What a cut-out of the photo is compared with."""
        size = self.photo().size
        matte = same_size(self.matte, read(self.matte, "L"), size)
        if self.colours is None:
            return Truth(matte)
        return Truth(matte, same_size(self.colours, read(self.colours, "RGB"), size))


def sets_in(folder: Path) -> dict[str, list[Pair]]:
    """The pairs of each set: of the folder itself where it is one, else of its subfolders."""
    if not folder.is_dir():
        raise Trouble(f"{folder} is not a folder")
    folders = [folder] if is_set(folder) else sorted(path for path in folder.iterdir() if is_set(path))
    if not folders:
        raise Trouble(f"no pairs in {folder}: neither it nor a folder in it has both image/ and gt/")
    return {path.name: pairs_in(path) for path in folders}


def is_set(folder: Path) -> bool:
    return (folder / "image").is_dir() and (folder / "gt").is_dir()


def pairs_in(folder: Path) -> list[Pair]:
    images, mattes, colours = (by_name(folder / part) for part in ("image", "gt", "fg"))
    if not images:
        raise Trouble(f"no pairs in {folder}: {folder / 'image'} is empty")
    for name in sorted(images.keys() - mattes.keys()):
        raise Trouble(f"{images[name]} has no true matte: there is no {folder / 'gt' / name}.*")
    return [Pair(name, images[name], mattes[name], colours.get(name)) for name in sorted(images)]


def by_name(folder: Path) -> dict[str, Path]:
    """The files of a folder by their names without suffix; those whose name begins with a dot are passed over."""
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.name.startswith(".") or not path.is_file():
            continue
        if path.stem in files:
            raise Trouble(f"{files[path.stem]} and {path} have the same name")
        files[path.stem] = path
    return files


def read(path: Path, mode: str) -> Image.Image:
    try:
        with Image.open(path) as image:
            if image.mode.startswith(("I", "F")):
                raise Trouble(f"{path} has more than 8 bits a channel")
            return ImageOps.exif_transpose(image).convert(mode)
    except UNREADABLE as error:
        raise Trouble(f"{path} cannot be read: {error}") from error


def same_size(path: Path, image: Image.Image, size: tuple[int, int]) -> np.ndarray:
    if image.size != size:
        raise Trouble(f"{path} is {image.width}×{image.height}, and its photo {size[0]}×{size[1]}")
    return np.asarray(image)
