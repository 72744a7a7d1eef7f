"""remrembg's core. The package remrembg is its face."""

import os
from pathlib import Path
from typing import Any, Callable, Dict, Final, List, Optional, Sequence, Tuple, Union, final

__all__ = [
    "NOTHING_FOUND",
    "VERSION",
    "CancelToken",
    "Picture",
    "Raw",
    "Remover",
    "custom_models",
    "fetch",
    "forked",
    "models",
    "notice",
    "options",
    "providers",
    "run",
    "settings",
    "stop_all",
]

VERSION: Final[str]
NOTHING_FOUND: Final[str]

_Found = Tuple[float, Optional[Tuple[int, int, int, int]], float]

@final
class CancelToken:
    """Asks removals to stop, from any thread.

    One token may be given to many removals. There is no way back: make a new
    one for the next. A token with a parent is cancelled when the parent is.
    """

    def __new__(cls, parent: Optional[CancelToken] = None) -> CancelToken: ...
    def cancel(self) -> None:
        """End every removal with this token, running or yet to come, with a
        CancelledError.
        """
    @property
    def cancelled(self) -> bool:
        """Whether a stop was asked for."""

@final
class Remover:
    """A model on an engine; `remrembg.Remover` is its face."""

    def __new__(cls, settings: Sequence[Tuple[str, str]], hints: Sequence[Union[str, os.PathLike[str]]]) -> Remover: ...
    @property
    def model(self) -> str:
        """The model's name, or the path of its file."""
    @property
    def in_flight(self) -> int:
        """How many removals may run at once."""
    @property
    def engine(self) -> Dict[str, Any]:
        """What the model runs on, as the fields of `remrembg.EngineInfo`."""
    def encode(self, task: Any) -> Tuple[bytes, _Found]:
        """Remove, and encode: the file, and the fields of `remrembg.Found`."""
    def pixels(self, task: Any) -> Tuple[Picture, _Found]:
        """Remove, and give pixels, and the fields of `remrembg.Found`."""
    def matte(self, task: Any) -> Raw:
        """Run the model alone, and give what it makes of the picture."""

@final
class Picture:
    """Rows of pixels without gaps, for `remrembg._pictures` to look at in place."""

    @property
    def address(self) -> int:
        """Python reads and writes here."""
    @property
    def shape(self) -> Tuple[int, int, int]:
        """Height, width, channels: 1 for grey, 3 for RGB, 4 for RGBA with straight alpha."""

@final
class Raw:
    """Rows of 32-bit floats without gaps, as `Picture`."""

    @property
    def address(self) -> int: ...
    @property
    def shape(self) -> Tuple[int, int]:
        """Height, width."""

def options() -> List[List[str]]:
    """Key, type, default, range and help of each option."""

def settings() -> List[List[str]]:
    """Key, default, range and help of each setting of a remover."""

def run(words: Sequence[str], hints: Sequence[Union[str, os.PathLike[str]]]) -> int:
    """Run the command line with these words, the program's name first, and with
    places where ONNX Runtime may be; give the exit status.
    """

def models() -> List[str]:
    """The names of the models that can be asked for, the one inside first."""

def custom_models() -> List[Tuple[str, str]]:
    """rembg's names for an ONNX file of the caller's own, and the recipe of each."""

def providers() -> List[str]:
    """ONNX Runtime's names for what an engine can be asked to compute on."""

def notice(name: str) -> Optional[str]:
    """What to know of a model's licence before it is fetched."""

def fetch(name: str, progress: Optional[Callable[[int, int], object]]) -> Path:
    """Fetch a model, unless it is on this machine, and give its path."""

def stop_all() -> None:
    """Stop all removals, and wait until they have ended."""

def forked() -> None:
    """In the child of a fork, nobody is at work."""
