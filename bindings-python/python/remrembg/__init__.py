"""Background removal that people embed: it runs wholly on this machine.

    import remrembg

    webp = remrembg.rmbg("photo.jpg", w=800, bg_color="#ffffff")  # as the hosted rembg.com API
    cutout = remrembg.remove(image)                               # as rembg, for bytes, Pillow, NumPy

Both use one `Remover`, made when first needed with the model inside. Make your own to
choose the model, the engine and its threads, and for many pictures, progress, cancelling and
`async`.

What is refused or fails is a `RemrembgError`; what no request can be, such as a list for a
picture, is a `TypeError` or a `ValueError`. All functions may be called from any thread.
"""

from __future__ import annotations

import atexit
import os
from typing import TYPE_CHECKING, Any, Optional, overload

from remrembg import _batch, _remrembg
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
from remrembg._found import Found, NothingFoundWarning
from remrembg._rembg import Session, fetch_model, new_session, predicted, predicts
from remrembg._remover import Remover
from remrembg._remrembg import CancelToken
from remrembg._shared import default

if TYPE_CHECKING:
    from typing import Generator, Iterable, Literal

    from PIL.Image import Image
    from typing_extensions import Unpack

    from remrembg._types import (
        AnyArray,
        Array,
        Color,
        Compression,
        Encoded,
        Flag,
        Flat,
        Integer,
        Number,
        OnFound,
        Preset,
        Progress,
        Regions,
        RemoveKeywords,
        RmbgKeywords,
        Source,
    )

__all__ = [
    "MODELS",
    "CancelToken",
    "CancelledError",
    "EngineError",
    "EngineInfo",
    "Found",
    "InputOutputError",
    "InternalError",
    "MissingFileError",
    "ModelError",
    "NothingFoundWarning",
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

atexit.register(_remrembg.stop_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_remrembg.forked)

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
    mask_from: Optional[Source] = None,
    **more: Unpack[RmbgKeywords],
) -> bytes:
    """Remove the background of a picture, as the hosted API's `POST /rmbg` does.

    Values may be text, as in the API's form, or of Python's types. `None` is not given.

    :param image: a path, bytes or a file object with WebP, PNG, JPEG or BMP, at most 50 MB and
        10000 pixels a side; a `PIL.Image.Image` or a `numpy.ndarray` of uint8 too. A path's
        name, and a file object's where it has one, must end as a picture's does.
    :param w: Width of the result in pixels, before rotation. Alone it keeps the aspect ratio; with
        h the result fits inside w × h. Accepted: 1 to 10000; 0 is unset. Default: unset.
    :param h: Height of the result in pixels, before rotation. Alone it keeps the aspect ratio; with
        w the result fits inside w × h. Accepted: 1 to 10000; 0 is unset. Default: unset.
    :param exact_resize: With both w and h, make the result exactly w × h, even where that distorts
        it. Accepted: true, 1, yes or on is true, anything else false. Default: false.
    :param angle: Turn the result by this many degrees, counter-clockwise, after resizing it.
        Accepted: -360 to 360. Default: 0.
    :param expand: Let a turned result grow until nothing of it is cropped. Without it the size
        stays and the corners are cut off. Accepted: true, 1, yes or on is true, anything else
        false. Default: true.
    :param format: Format of the result. JPEG has no transparency and is put on white unless
        bg_color is given. Accepted: webp, png, jpeg (or jpg), bmp. Default: webp.
    :param mask: Return only the mask: white subject, black background, soft edges. Not together
        with bg_color. Accepted: true, 1, yes or on is true, anything else false. Default: false.
    :param bg_color: Fill the background with this colour of sRGB, the corners that rotation opened
        too. Not together with mask. Accepted: #RGB, #RGBA, #RRGGBB, #RRGGBBAA or a CSS colour name.
        Default: unset.
    :param quality: How true JPEG and WebP are to the colours: 1 is the smallest file, 100 the
        truest. Unset, it is 90 for JPEG and 80 for WebP. Accepted: 1 to 100. Default: unset.
    :param compression: How long PNG and WebP work for a smaller file. Accepted: fast, default,
        small. Default: default.
    :param preset: How much work goes into the subject and its edges, where refine is on. The model
        sees the picture once with fast; with balanced the bundled one sees it in two ways, and a
        third time where the subject is small or in doubt; with best any model sees it up to eight
        times. Accepted: fast, balanced, best. Default: balanced.
    :param refine: Lay the mask's edge onto the picture's own. Without it the mask is the model's,
        as rembg has it, and a mask that is brought is taken as it is. Accepted: true, 1, yes or on
        is true, anything else false. Default: true.
    :param flat: Where the picture's border has one colour, let the alpha follow from the distance
        to that colour, and cut out holes. auto does so for logos, icons and line drawings, on for
        any picture, such as a product on white. Not of a mask that is brought, or without refine.
        Accepted: auto, on, off. Default: auto.
    :param decontaminate: Take the old background's colour out of soft edges, so that no fringe of
        it shows on a new one. Accepted: true, 1, yes or on is true, anything else false. Default:
        true.
    :param matting: Solve for the alpha and the subject's colours along the edge (closed-form
        matting): seconds for a large picture. Accepted: true, 1, yes or on is true, anything else
        false. Default: false.
    :param matting_foreground_threshold: With matting, surely subject is where the mask is greater
        than this. Accepted: a whole number; 0 to 254 is useful. Default: 240.
    :param matting_background_threshold: With matting, surely background is where the mask is less
        than this. Accepted: a whole number; 1 to 255 is useful. Default: 10.
    :param matting_erode_size: With matting, side in pixels of the square by which both are eroded;
        what lies between is solved. Accepted: a whole number. Default: 10.
    :param trimap: The mask that is brought is a trimap: black is background, white is subject, and
        between them the alpha is solved as by matting. Accepted: true, 1, yes or on is true,
        anything else false. Default: false.
    :param clean_mask: Remove small stray islands from the mask and fill its pinholes. A second
        subject stays, and so does a hole through which the background is seen. Accepted: true, 1,
        yes or on is true, anything else false. Default: false.
    :param keep: What to keep. Of what is found the things at points and in boxes stay; a point on
        background, or where a thing is found but faintly, makes the thing around it subject. With
        boxes the model sees what is around them alone. Accepted: points as x,y and boxes as
        left,top,right,bottom, in pixels of the upright picture, with spaces between them. Default:
        unset.
    :param drop: What to drop: things at points, and all in boxes. A thing with points of both kinds
        is divided halfway between them, along edges where there are any; more points make the cut
        surer. Accepted: points as x,y and boxes as left,top,right,bottom, in pixels of the upright
        picture, with spaces between them. Default: unset.
    :param smooth_mask: Make the mask hard with smooth outlines: every pixel subject or background,
        before it is resized or turned. Accepted: true, 1, yes or on is true, anything else false.
        Default: false.
    :param invert_mask: Keep the background, and cut the subject out of it. keep and drop tell what
        that subject is. Accepted: true, 1, yes or on is true, anything else false. Default: false.
    :param keep_colors: Keep the picture's colours also where the result is fully transparent.
        Without it they are black there, but for a few pixels beyond the edge, which have the
        subject's colour. Accepted: true, 1, yes or on is true, anything else false. Default: false.
    :param keep_alpha: Keep an alpha channel, 255 throughout, also on an opaque bg_color. JPEG has
        none, and WebP leaves out one that is opaque. Accepted: true, 1, yes or on is true, anything
        else false. Default: false.
    :param api_key: taken and never looked at: nothing leaves this machine.
    :param mask_from: a mask to take in place of the model's, any picture that `image` may be:
        white is subject; of one with transparency its alpha counts. With `trimap` it tells what
        is known.
    :param more: the options that the hosted API does not have, from `quality` on.
    :returns: the encoded result.
    :raises ValidationError: with the hosted API's status, message, details and JSON; for an option
        of another name too.
    :raises MissingFileError: there is no such file.
    :raises InputOutputError: the file cannot be read.
    :raises EngineError: inference failed.
    :raises TypeError: `image` is of another type.
    """
    options = {**locals()}
    del options["more"]
    return default().rmbg(**options, **more)


@overload
def remove(
    data: Encoded,
    alpha_matting: bool = False,
    alpha_matting_foreground_threshold: int = 240,
    alpha_matting_background_threshold: int = 10,
    alpha_matting_erode_size: int = 10,
    session: Optional[Remover] = None,
    only_mask: bool = False,
    post_process_mask: bool = False,
    *,
    force_return_bytes: bool = False,
    **options: Unpack[RemoveKeywords],
) -> bytes: ...
@overload
def remove(
    data: Image,
    alpha_matting: bool = False,
    alpha_matting_foreground_threshold: int = 240,
    alpha_matting_background_threshold: int = 10,
    alpha_matting_erode_size: int = 10,
    session: Optional[Remover] = None,
    only_mask: bool = False,
    post_process_mask: bool = False,
    *,
    force_return_bytes: Literal[False] = False,
    **options: Unpack[RemoveKeywords],
) -> Image: ...
@overload
def remove(
    data: AnyArray,
    alpha_matting: bool = False,
    alpha_matting_foreground_threshold: int = 240,
    alpha_matting_background_threshold: int = 10,
    alpha_matting_erode_size: int = 10,
    session: Optional[Remover] = None,
    only_mask: bool = False,
    post_process_mask: bool = False,
    *,
    force_return_bytes: Literal[False] = False,
    **options: Unpack[RemoveKeywords],
) -> Array: ...
@overload
def remove(
    data: Source,
    alpha_matting: bool = False,
    alpha_matting_foreground_threshold: int = 240,
    alpha_matting_background_threshold: int = 10,
    alpha_matting_erode_size: int = 10,
    session: Optional[Remover] = None,
    only_mask: bool = False,
    post_process_mask: bool = False,
    *,
    force_return_bytes: Literal[True],
    **options: Unpack[RemoveKeywords],
) -> bytes: ...
def remove(
    data: Any,
    alpha_matting: bool = False,
    alpha_matting_foreground_threshold: int = 240,
    alpha_matting_background_threshold: int = 10,
    alpha_matting_erode_size: int = 10,
    session: Optional[Remover] = None,
    only_mask: bool = False,
    post_process_mask: bool = False,
    *,
    quality: Integer = None,
    compression: Compression = None,
    preset: Preset = None,
    refine: bool = True,
    flat: Flat = None,
    decontaminate: bool = True,
    clean_mask: bool = False,
    keep: Regions = None,
    drop: Regions = None,
    invert_mask: bool = False,
    mask_from: Optional[Source] = None,
    trimap: bool = False,
    bgcolor: Color = None,
    force_return_bytes: bool = False,
    putalpha: bool = False,
    format: Optional[str] = None,
    w: Integer = None,
    h: Integer = None,
    exact_resize: Flag = None,
    angle: Number = None,
    expand: Flag = None,
    on_found: Optional[OnFound] = None,
    progress: Optional[Progress] = None,
    cancel: Optional[CancelToken] = None,
    **ignored: Any,
) -> Any:
    """Remove the background of a picture, as rembg's `remove` does, and give back what came.

    Bytes, a path or a file object give the bytes of a PNG; a `PIL.Image.Image` gives one of mode
    `RGBA`; a `numpy.ndarray` of uint8, (height, width) or (height, width, 1 to 4 channels), gives
    one of (height, width, 4): red, green, blue and straight alpha, 0 to 255, in the order in which
    the colours came. With `only_mask` it is mode `L` or (height, width): 255 is subject.

    :param alpha_matting: solve for the alpha of the edge and for the subject's own colours there,
        from the picture (closed-form matting): seconds for a large picture.
    :param alpha_matting_foreground_threshold: mask values above it are surely subject.
    :param alpha_matting_background_threshold: mask values below it are surely background.
    :param alpha_matting_erode_size: pixels by which both sure regions shrink, the rest is solved.
    :param session: what `new_session` gave, or any `Remover`. Default: one that all
        calls share, with the model inside.
    :param only_mask: give the mask alone, as it is before alpha matting.
    :param post_process_mask: smooth the mask and make it hard: every pixel 0 or 255.
    :param quality: how true JPEG and WebP are to the colours, 1 to 100. Default: 90 for JPEG, 80 for WebP.
    :param compression: `"fast"`, `"default"` or `"small"`: how long PNG and WebP work for a smaller file.
    :param preset: `"fast"`, `"balanced"` or `"best"`: how much work goes into the subject and its
        edges. Default: balanced.
    :param refine: lay the mask's edge onto the picture's own. `False` gives rembg's mask, and takes
        a mask that is brought as it is.
    :param flat: `"auto"`, `"on"` or `"off"`: what to do with a picture whose border has one colour;
        as for `rmbg`.
    :param decontaminate: take the old background out of the colours of soft edges. Alpha matting
        does so anyway.
    :param clean_mask: remove small stray islands from the mask and fill its pinholes.
    :param keep: what to keep, points `(x, y)` and boxes `(left, top, right, bottom)`, one or a list
        of them, as for `rmbg`; and `drop` what to drop.
    :param invert_mask: keep the background, and cut the subject out of it.
    :param mask_from: as for `rmbg`, and so is `trimap`.
    :param bgcolor: red, green, blue and alpha, 0 to 255, to put behind the subject; text as
        `bg_color` of `rmbg` too. The result is RGBA all the same. Not used with `only_mask`.
    :param force_return_bytes: give the bytes of a file whatever came.
    :param putalpha: keep the picture's colours also where it is fully transparent. Without it they
        are black there, but for a few pixels beyond the edge in the subject's colour, so that the
        background cannot be brought back.
    :param format: of a result in bytes, as for `rmbg`. Default: PNG.
    :param w: as for `rmbg`, and so are `h`, `exact_resize`, `angle` and `expand`.
    :param on_found: as for `Remover.rmbg`, and so are `progress` and `cancel`.
    :param ignored: what rembg takes besides, such as `return_multiple`; it is passed over with a warning.
        `vitmatte=True` means `alpha_matting=True`, with a warning too.
    :raises ValidationError: the picture or an option is refused.
    :raises InputOutputError: the file cannot be read.
    :raises EngineError: inference failed.
    :raises CancelledError: `cancel` asked for a stop.
    :raises TypeError: `data` is of another type.
    :raises ValueError: `format` is given for a result that is not bytes.
    """
    options = {**locals(), **ignored}
    del options["session"], options["ignored"]
    if not predicts(session):
        return _chosen(session).remove(**options)
    # A class of one's own may never have loaded a model.
    if mask_from is None:
        try:
            options["data"], options["mask_from"] = predicted(session, data)
        except OSError:
            # Says what is wrong with it.
            default().remove(data)
            raise
        options["refine"] = False
    return default().remove(**options)


def remove_many(
    images: Iterable[Any], *, jobs: int = 0, session: Optional[Remover] = None, **options: Any
) -> Generator[Outcome[Any, Any], None, None]:
    """As `Remover.remove_many`, with `session` or the remover that all calls share."""
    if not predicts(session):
        return _chosen(session).remove_many(images, jobs=jobs, **options)
    import functools

    _batch.check(default().remove, images, jobs, options)
    return _batch.many(
        functools.partial(remove, session=session), images, jobs or default()._here.core.in_flight, options
    )


if not TYPE_CHECKING:
    #: As rembg has them without another import.
    _SUBMODULES = ("bg", "cli", "commands", "session_factory", "sessions")

    def __getattr__(name):
        if name not in _SUBMODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        import importlib

        return importlib.import_module(f"{__name__}.{name}")


def _chosen(session: Optional[Remover]) -> Remover:
    if session is None:
        return default()
    if not isinstance(session, Remover):
        raise TypeError(f"session must be what new_session gives, or a Remover, not {type(session).__name__}")
    return session
