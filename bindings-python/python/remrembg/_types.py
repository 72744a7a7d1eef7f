"""Types of arguments, for type checkers."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Callable, Optional, Protocol, Sequence, TypedDict, Union

from remrembg._found import Found

if TYPE_CHECKING:
    import numpy
    import numpy.typing
    from PIL.Image import Image

    from remrembg._remrembg import CancelToken

    Array = numpy.typing.NDArray[numpy.uint8]
    Matte = numpy.typing.NDArray[numpy.float32]
    AnyArray = numpy.typing.NDArray[Any]
    Encoded = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, "Readable"]
    Source = Union[Encoded, Image, AnyArray]

#: Called once, when a removal is done.
OnFound = Callable[[Found], object]
#: Called as `progress(stage, fraction)`: the stage's name, and 0.0 to 1.0 of it.
Progress = Callable[[str, float], object]
Flag = Union[bool, int, str, None]
Integer = Union[int, str, None]
Number = Union[float, str, None]
Color = Union[str, Sequence[int], None]
#: `fast`, `balanced` or `best`.
Preset = Optional[str]
#: `fast`, `default` or `small`.
Compression = Optional[str]
#: `auto`, `on` or `off`.
Flat = Optional[str]
#: Points, (x, y), and boxes, (left, top, right, bottom).
Regions = Union[str, Sequence[int], Sequence[Sequence[int]], None]


class Readable(Protocol):
    """A file object, as far as it is used."""

    def read(self, size: int, /) -> bytes: ...


class CutOutOptions(TypedDict, total=False):
    """The options that the hosted API does not have."""

    quality: Integer
    compression: Compression
    preset: Preset
    refine: Flag
    flat: Flat
    decontaminate: Flag
    matting: Flag
    matting_foreground_threshold: Integer
    matting_background_threshold: Integer
    matting_erode_size: Integer
    trimap: Flag
    clean_mask: Flag
    keep: Regions
    drop: Regions
    smooth_mask: Flag
    invert_mask: Flag
    keep_colors: Flag
    keep_alpha: Flag


class RmbgKeywords(CutOutOptions, total=False):
    """What `remrembg.rmbg` takes besides what the hosted API has."""

    on_found: Optional[OnFound]
    progress: Optional[Progress]
    cancel: Optional[CancelToken]


class RmbgOptions(RmbgKeywords, total=False):
    """What `rmbg` takes besides the picture."""

    format: Optional[str]
    w: Integer
    h: Integer
    exact_resize: Flag
    mask: Flag
    bg_color: Color
    angle: Number
    expand: Flag
    mask_from: Optional[Source]
    api_key: Optional[str]


class RemoveKeywords(TypedDict, total=False):
    """What `remove` takes by name alone."""

    quality: Integer
    compression: Compression
    preset: Preset
    refine: bool
    flat: Flat
    decontaminate: bool
    clean_mask: bool
    keep: Regions
    drop: Regions
    invert_mask: bool
    mask_from: Optional[Source]
    trimap: bool
    bgcolor: Color
    putalpha: bool
    format: Optional[str]
    w: Integer
    h: Integer
    exact_resize: Flag
    angle: Number
    expand: Flag
    on_found: Optional[OnFound]
    progress: Optional[Progress]
    cancel: Optional[CancelToken]
    vitmatte: bool


class RemoveOptions(RemoveKeywords, total=False):
    """What `remove` takes besides the picture."""

    alpha_matting: bool
    alpha_matting_foreground_threshold: int
    alpha_matting_background_threshold: int
    alpha_matting_erode_size: int
    only_mask: bool
    post_process_mask: bool
