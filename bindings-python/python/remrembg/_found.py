"""What a removal says of what it found."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple, Optional, Tuple

from remrembg import _remrembg, _values


class Found(NamedTuple):
    """How much of the picture the subject is, where it is, and how sure the model is of it.

    Of the upright picture, before it is resized and turned; with `invert_mask` of what is kept.

    coverage    the mean of the alpha, 0.0 to 1.0
    bounds      (left, top, right, bottom) in pixels, around all that is more than faint: what
                `PIL.Image.Image.crop` takes; None where nothing was found
    confidence  how sure the model is, 0.0 to 1.0: the mean of its mask, each pixel counted as often
                as it is subject
    """

    coverage: float
    bounds: Optional[Tuple[int, int, int, int]]
    confidence: float


class NothingFoundWarning(UserWarning):
    """Nothing was found in a picture, so that its result is empty."""


def told(fields: Tuple[Any, Any, Any], hear: Optional[Callable[[Found], Any]]) -> None:
    """Warn where nothing was found, and tell who wants to hear."""
    found = Found(*fields)
    # Of many pictures the loop warns, not the thread that works on one.
    if not getattr(hear, "warns", False):
        warn_of(found)
    if hear is not None:
        hear(found)


def warn_of(found: Optional[Found]) -> None:
    """Warn where nothing was found."""
    if found is not None and found.bounds is None:
        _values.warn(_remrembg.NOTHING_FOUND, NothingFoundWarning)
