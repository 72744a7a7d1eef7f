"""Pictures on their way in and out: what Python has, and what core takes and gives.

Pillow and NumPy are never imported here before the caller has done so.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Any, Callable, Optional, Tuple, Union

from remrembg import _values

if TYPE_CHECKING:
    from remrembg import _remrembg
    from remrembg._types import Matte

_UPRIGHT = 1
#: The largest value of 8 bits; older versions of Pillow open 16 bits as mode `I`.
_MOST = 255
_EXIF_ORIENTATION = 0x0112
_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def is_pillow(image: Any) -> bool:
    """Whether it is a `PIL.Image.Image`."""
    return isinstance(image, getattr(sys.modules.get("PIL.Image"), "Image", ()))


def is_array(image: Any) -> bool:
    """Whether it is a `numpy.ndarray`."""
    return isinstance(image, getattr(sys.modules.get("numpy"), "ndarray", ()))


def is_file_in_array(image: Any) -> bool:
    """Whether it is an array of a file's bytes, as `cv2.imencode` and `numpy.fromfile` give one."""
    return is_array(image) and image.ndim == 1 and image.dtype == "uint8"


def is_pixels(image: Any) -> bool:
    """Whether it is a picture that has been decoded."""
    return is_pillow(image) or (is_array(image) and not is_file_in_array(image))


def given(image: Any, *, is_mask: bool = False) -> Any:
    """A picture as the native module takes it: its bytes, a path, a file object or pixels. What is grey in a mask is no
    light, and stays."""
    if image is None or isinstance(image, bytes):
        return image
    if isinstance(image, (str, os.PathLike)):
        return os.fsdecode(os.fsencode(image))
    if isinstance(image, (bytearray, memoryview)):
        return bytes(image)
    if is_pillow(image):
        return _of_pillow(image, is_mask)
    if is_file_in_array(image):
        return image.tobytes()
    if is_array(image):
        return _of_array(image)
    if callable(getattr(image, "read", None)):
        _expect_no_coroutine(image)
        return image, None
    raise TypeError(
        "image must be a path, bytes, a file object, a PIL.Image.Image or a numpy.ndarray, "
        f"not {type(image).__module__}.{type(image).__qualname__}"
    )


def uploaded(image: Any) -> Any:
    """As `given`, where the picture stands in for an upload: a path, and a file object that has a name, are held to
    the rule for names."""
    taken = given(image)
    if isinstance(taken, str):
        return taken, None
    if isinstance(taken, tuple) and taken[0] is image:
        return image, _upload_name(image)
    return taken


def read(file: Any) -> bytes:
    """All of a file object."""
    _expect_no_coroutine(file)
    data = file.read()
    if not isinstance(data, bytes):
        raise TypeError(f"the file object must give bytes, not {type(data).__name__}")
    return data


def _expect_no_coroutine(file: Any) -> None:
    import inspect

    if inspect.iscoroutinefunction(file.read):
        raise TypeError("the file object is asynchronous: pass what `await file.read()` gives")


def _upload_name(file: Any) -> Optional[str]:
    """The name under which a form would send it; a web framework's upload has one in `filename`."""
    for attribute in ("filename", "name"):
        name = getattr(file, attribute, None)
        if isinstance(name, (str, bytes)):
            name = _values.whole(os.path.basename(os.fsdecode(name)))
            return None if _is_no_name(name) else name
    return None


def _is_no_name(name: str) -> bool:
    """Whether it is one like `<stdin>`."""
    return name.startswith("<") and name.endswith(">")


def _of_pillow(image: Any, is_mask: bool) -> Tuple[Any, int, int, int, int, Optional[bytes]]:
    profile = _profile(image)
    image = _upright(image) if is_mask else _as_srgb(_upright(image))
    if _may_be_clear(image):
        image = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
    elif image.mode.startswith("I;16") or (image.mode == "I" and image.getextrema()[1] > _MOST):
        image = image.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    elif image.mode not in _MODES.values():
        image = image.convert("RGB")
    channels = len(image.getbands())
    return image.tobytes(), image.width, image.height, channels, image.width * channels, profile


def _profile(image: Any) -> Optional[bytes]:
    """The colour profile of an image whose numbers, or those of its palette, stay as they are."""
    profile = image.info.get("icc_profile") if image.mode in ("RGB", "RGBA", "P") else None
    return profile if isinstance(profile, bytes) else None


def _as_srgb(image: Any) -> Any:
    """Grey or inks whose colour profile says what they are, as RGB; one whose profile cannot be used stays."""
    profile = image.info.get("icc_profile")
    if image.mode not in ("L", "LA", "CMYK") or not isinstance(profile, bytes):
        return image
    try:
        from PIL import ImageCms
    except ImportError:
        return image
    alpha = image.convert("LA").getchannel("A") if _may_be_clear(image) else None
    colors = image.getchannel("L") if alpha else image
    try:
        own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        srgb = ImageCms.createProfile("sRGB")
        colors = ImageCms.buildTransform(own, srgb, colors.mode, "RGB").apply(colors)
    except (OSError, ImageCms.PyCMSError):
        return image
    if alpha:
        colors.putalpha(alpha)
    return colors


def _upright(image: Any) -> Any:
    if image.getexif().get(_EXIF_ORIENTATION, _UPRIGHT) == _UPRIGHT:
        return image
    from PIL import ImageOps

    return ImageOps.exif_transpose(image)


def as_stored(image: Any) -> Any:
    """A Pillow image that nobody turns, whatever its file asks for."""
    if image.getexif().get(_EXIF_ORIENTATION, _UPRIGHT) == _UPRIGHT:
        return image
    image = image.copy()
    image.getexif()[_EXIF_ORIENTATION] = _UPRIGHT
    return image


def _may_be_clear(image: Any) -> bool:
    return image.mode in ("LA", "La", "PA", "RGBa") or (
        "transparency" in image.info and image.mode in ("1", "L", "P", "RGB")
    )


def _of_array(array: Any) -> Tuple[Any, int, int, int, int, None]:
    import numpy

    array = numpy.asarray(array)
    if array.dtype == bool:
        array = array * numpy.uint8(255)
    shape = array.shape if array.ndim != 2 else (*array.shape, 1)
    if array.dtype != numpy.uint8 or len(shape) != 3 or shape[2] not in (1, 2, 3, 4):
        raise TypeError(
            "an array must be of uint8 and have the shape (height, width) or (height, width, 1 to 4 channels), "
            f"got: {array.dtype} {array.shape}"
        )
    array = array.reshape(shape)
    if shape[2] == 2:
        array = array[:, :, [0, 0, 0, 1]]
    height, width, channels = array.shape
    row = width * channels
    if array.strides[1:] != (channels, 1) or array.strides[0] < row:
        array = numpy.ascontiguousarray(array)
    stride = max(array.strides[0], row)
    length = (height - 1) * stride + row if array.size else 0
    return (array.__array_interface__["data"][0], length, array), width, height, channels, stride, None


def matte(make: Callable[[], _remrembg.Raw]) -> Matte:
    """A matte as an array over the memory that it was made in; made when there is NumPy."""
    import numpy

    raw = make()
    height, width = raw.shape
    made: Matte = numpy.ndarray(raw.shape, numpy.float32, _buffer(raw, height * width * 4))
    return made


def _buffer(picture: Union[_remrembg.Picture, _remrembg.Raw], length: int) -> Any:
    """The picture's pixels as a writable buffer, which keeps the picture.

    The stable ABI has no buffer protocol before Python 3.11, so this takes `ctypes`.
    """
    import ctypes

    buffer: Any = (ctypes.c_ubyte * length).from_address(picture.address)
    buffer.owner = picture
    return buffer


def as_given(picture: _remrembg.Picture, image: Any) -> Any:
    """Pixels as what the caller gave: an array, or a Pillow image with its colour profile."""
    height, width, channels = picture.shape
    buffer = _buffer(picture, height * width * channels)
    if is_array(image):
        import numpy

        return numpy.ndarray(picture.shape if channels > 1 else (height, width), numpy.uint8, buffer)
    from PIL import Image

    mode = _MODES[channels]
    made = Image.frombuffer(mode, (width, height), buffer, "raw", mode, 0, 1)
    # The buffer is this picture's alone, so its pixels may be changed in place, as by `load()`.
    made.readonly = 0
    profile = _profile(image)
    if channels > 1 and profile is not None:
        made.info["icc_profile"] = profile
    return made
