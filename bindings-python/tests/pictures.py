"""Pictures for the tests, and how they are read and written."""

import io

from PIL import Image


def half_red(size=(8, 8), behind=(0, 40, 80)) -> Image.Image:
    """To the tiny model red is subject: the left half."""
    image = Image.new("RGB", size, behind)
    image.paste((255, 0, 0), (0, 0, size[0] // 2, size[1]))
    return image


def picture(size=(8, 8)) -> bytes:
    return encoded(half_red(size))


def encoded(image: Image.Image, format: str = "PNG") -> bytes:
    file = io.BytesIO()
    image.save(file, format)
    return file.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))
