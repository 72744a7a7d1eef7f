"""What is compared: rembg and remrembg, each with the same model on one thread."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from PIL import Image

    from filters import Bytes

MODEL = "u2netp"


@dataclass(frozen=True)
class Method:
    """A package's way to remove a background."""

    name: str
    package: str
    options: dict[str, Any] = field(default_factory=dict)


#: What the others are compared with, and what remrembg does unless it is told otherwise.
PLAIN = Method("rembg", "rembg")
DEFAULT = Method("remrembg, balanced (default)", "remrembg")
#: One view of the model, as rembg has it, and edges refined.
FAST = Method("remrembg, preset=fast", "remrembg", {"preset": "fast"})
METHODS = (
    PLAIN,
    Method("rembg, alpha_matting", "rembg", {"alpha_matting": True}),
    FAST,
    DEFAULT,
    Method("remrembg, preset=best", "remrembg", {"preset": "best"}),
    Method("remrembg, refine off", "remrembg", {"refine": False}),
    Method("remrembg, alpha_matting", "remrembg", {"alpha_matting": True}),
)


def versions() -> str:
    """What the numbers are of."""
    import remrembg

    engine = remrembg.Remover(MODEL, threads=1).engine.name
    return f"rembg {version('rembg')} and remrembg {version('remrembg')} (on {engine}), both with {MODEL}"


def use_models(folder: Path) -> None:
    """Let rembg take the model from this folder, as it does without a check of its checksum, and run on one thread."""
    os.environ |= {"U2NET_HOME": str(folder), "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}


def loaded() -> dict[str, Callable[..., Image.Image]]:
    """The function of each package that removes backgrounds."""
    import rembg

    import remrembg

    session = rembg.new_session(MODEL)
    remover = remrembg.Remover(MODEL, threads=1)
    return {
        "rembg": lambda photo, **options: rembg.remove(photo, session=session, **options),
        "remrembg": remover.remove,
    }


def cut_out(remove: Callable[..., Image.Image], method: Method, photo: Image.Image) -> Bytes:
    """The RGBA that a method gives out, colours as they come.

    What rembg's solver prints about its speed is not shown.
    """
    with contextlib.redirect_stdout(None):
        return np.asarray(remove(photo, **method.options).convert("RGBA"))
