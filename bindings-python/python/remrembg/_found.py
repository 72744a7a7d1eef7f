"""What a removal says of what it found."""

from __future__ import annotations

import warnings
from typing import Any, Callable, NamedTuple, Optional, Tuple


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


def told(
    fields: Tuple[float, Optional[Tuple[int, int, int, int]], float], hear: Optional[Callable[[Found], Any]]
) -> None:
    """Warn where nothing was found, and tell who wants to hear."""
    found = Found(*fields)
    if found.bounds is None:
        # Of who called `rmbg` or `remove`, the methods or the functions.
        warnings.warn("nothing was found in the picture, the result is empty", NothingFoundWarning, stacklevel=4)
    if hear is not None:
        hear(found)
