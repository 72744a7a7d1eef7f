"""Background removal that people embed: it runs wholly on this machine.

    import remrembg

    webp = remrembg.rmbg("photo.jpg", w=800, bg_color="#ffffff")  # as the hosted rembg.com API
    cutout = remrembg.remove(image)                               # as rembg, for bytes, Pillow, NumPy

Both use one :class:`Remover`, made when first needed with the model inside. Make your own to
choose the model, the engine and its threads, and for many pictures, progress, cancelling and
``async``.

Whatever goes wrong is a :class:`RemrembgError`. All functions may be called from any thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Optional, overload

from remrembg import _remrembg
from remrembg._batch import Outcome
from remrembg._engine import EngineInfo
from remrembg._errors import (
    CancelledError,
    EngineError,
    InputOutputError,
    InternalError,
    MissingFileError,
    ModelError,
    RemrembgError,
    UnknownModelError,
    ValidationError,
)
from remrembg._rembg import Session, fetch_model, new_session
from remrembg._remover import Remover, default
from remrembg._remrembg import CancelToken

if TYPE_CHECKING:
    from typing import Iterable, Iterator, Literal, NoReturn

    from PIL.Image import Image
    from typing_extensions import Unpack

    from remrembg._types import (
        AnyArray,
        Array,
        Color,
        Encoded,
        Flag,
        Integer,
        Number,
        Progress,
        RemoveOptions,
        Source,
    )

__all__ = [
    "MODELS",
    "CancelToken",
    "CancelledError",
    "EngineError",
    "EngineInfo",
    "InputOutputError",
    "InternalError",
    "MissingFileError",
    "ModelError",
    "Outcome",
    "RemrembgError",
    "Remover",
    "Session",
    "UnknownModelError",
    "ValidationError",
    "__version__",
    "fetch_model",
    "new_session",
    "remove",
    "remove_many",
    "rmbg",
]

__version__: str = _remrembg.VERSION
#: The names of the models that can be asked for; the first is inside, the others are fetched.
MODELS = tuple(_remrembg.models())


def rmbg(
    image: Optional[Source],
    *,
    format: Optional[str] = None,
    w: Integer = None,
    h: Integer = None,
    exact_resize: Flag = None,
    mask: Flag = None,
    bg_color: Color = None,
    angle: Number = None,
    expand: Flag = None,
    api_key: Optional[str] = None,
    **unknown: NoReturn,
) -> bytes:
    """Remove the background of a picture, as the hosted API's ``POST /rmbg`` does.

    Values may be text, as in the API's form, or of Python's types. ``None`` is not given.

    :param image: a path, bytes or a file object with WebP, PNG, JPEG or BMP, at most 50 MB and
        10000 pixels a side; a ``PIL.Image.Image`` or a ``numpy.ndarray`` of uint8 too. A path's
        name, and a file object's where it has one, must end as a picture's does.
OPTIONS
    :param api_key: taken and never looked at: nothing leaves this machine.
    :returns: the encoded result.
    :raises ValidationError: with the hosted API's status, message, details and JSON; for an option
        of another name too.
    :raises MissingFileError: there is no such file.
    :raises InputOutputError: the file cannot be read.
    :raises EngineError: inference failed.
    :raises TypeError: ``image`` is of another type.
    """
    return default().rmbg(
        image,
        format=format,
        w=w,
        h=h,
        exact_resize=exact_resize,
        mask=mask,
        bg_color=bg_color,
        angle=angle,
        expand=expand,
        **unknown,
    )
