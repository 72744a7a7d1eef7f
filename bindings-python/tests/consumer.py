"""A program as users write it, for type checkers: never run."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Iterator, List, Optional

import numpy
import numpy.typing
from PIL import Image
from typing_extensions import assert_type

import remrembg
from remrembg import CancelToken, Remover, new_session, remove, rmbg

Pixels = numpy.typing.NDArray[numpy.uint8]


def hosted(photo: Path) -> bytes:
    assert_type(rmbg(photo), bytes)
    rmbg(str(photo), w=800, h="600", bg_color="#fff", mask=False, angle=12.5, expand="true", format="png")
    rmbg(photo.read_bytes(), width=800)  # type: ignore[call-arg]
    with photo.open("rb") as file:
        return rmbg(file)


def rembgs(photo: Path, image: Image.Image, array: Pixels) -> None:
    session = new_session("u2netp")
    assert_type(remove(photo, session=session), bytes)
    assert_type(remove(io.BytesIO(b"")), bytes)
    assert_type(remove(image, True, 240, 10, 10, session, False, True, quality=9, expand=0), Image.Image)
    assert_type(remove(image, only_mask=True), Image.Image)
    assert_type(remove(array, post_process_mask=True), Pixels)
    assert_type(remove(image, force_return_bytes=True), bytes)
    assert_type(session.predict(image), List[Image.Image])


def library(paths: List[Path], images: Iterator[Image.Image]) -> Optional[str]:
    remover = Remover(engine="rten", threads=2)
    for outcome in remover.remove_many(paths, jobs=2):
        assert_type(outcome.result, Optional[bytes])
        assert_type(outcome.get(), bytes)
    for made in remover.remove_many(images):
        assert_type(made.result, Optional[Image.Image])
    cancel = CancelToken()
    remover.rmbg(paths[0], progress=lambda stage, fraction: print(stage, fraction), cancel=cancel)
    cancel.cancel()
    return remover.engine.library


async def beside_an_event_loop(remover: Remover, photo: Path, image: Image.Image) -> bytes:
    assert_type(await remover.remove_async(image), Image.Image)
    async for outcome in remover.remove_many_async([photo]):
        outcome.get()
    return await remover.rmbg_async(photo, format="png", w=300)


def failing(photo: Path) -> Any:
    try:
        return rmbg(photo)
    except remrembg.ValidationError as error:
        assert_type(error.status, int)
        return error.details[0]["message"], error.json()
    except (remrembg.MissingFileError, remrembg.EngineError, remrembg.ModelError) as error:
        return error.code
