"""Background removal that people embed, wholly on this machine.

>>> import remrembg
>>> webp = remrembg.rmbg("photo.jpg", w=800)  # doctest: +SKIP

:func:`rmbg` speaks the options and the errors of the hosted rembg.com API;
:class:`Remover` is the library beneath.
"""

from __future__ import annotations

from typing import Any, Optional, Union

from remrembg._errors import (
    CancelledError,
    EngineError,
    InputOutputError,
    InternalError,
    ModelError,
    RemrembgError,
    ValidationError,
)
from remrembg._remover import Outcome, Remover, default
from remrembg._remrembg import CancelToken, __version__

__all__ = [
    "CancelToken",
    "CancelledError",
    "EngineError",
    "InputOutputError",
    "InternalError",
    "ModelError",
    "Outcome",
    "RemrembgError",
    "Remover",
    "ValidationError",
    "__version__",
    "rmbg",
]


def rmbg(
    image: Any,
    *,
    format: Optional[str] = None,
    w: Union[int, str, None] = None,
    h: Union[int, str, None] = None,
    exact_resize: Union[bool, str, None] = None,
    mask: Union[bool, str, None] = None,
    bg_color: Optional[str] = None,
    angle: Union[float, str, None] = None,
    expand: Union[bool, str, None] = None,
    api_key: Optional[str] = None,
) -> bytes:
    """Removes the background of a picture, as the hosted API's ``POST /rmbg``.

    :param image: a path, bytes or a file object; WebP, PNG, JPEG or BMP.
    :param api_key: taken, and never looked at: nothing leaves this machine.
    :returns: the encoded file.
    :raises ValidationError: with the hosted API's status, message and JSON.
    """
    return default().rmbg(
        image, format=format, w=w, h=h, exact_resize=exact_resize, mask=mask, bg_color=bg_color, angle=angle, expand=expand
    )
