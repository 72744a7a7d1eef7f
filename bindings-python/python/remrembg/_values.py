"""Options and settings on their way in: typed values as the hosted API's form has them."""

from __future__ import annotations

import operator
import sys
import warnings
from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple, Type

#: Options whose values are points and boxes.
_REGIONS = ("keep", "drop")


def pairs(values: Mapping[str, Any]) -> List[Tuple[str, str]]:
    """Options as text. `None` is an option that was not given."""
    return [
        (whole(key), regions(value) if key in _REGIONS else text(value))
        for key, value in values.items()
        if value is not None
    ]


def regions(value: Any) -> str:
    """A point, a box or several of them as text."""
    if isinstance(value, str) or not hasattr(value, "__len__"):
        return text(value)
    several = [value] if len(value) and not hasattr(value[0], "__len__") else value
    return " ".join(text(region) if isinstance(region, str) else ",".join(map(text, region)) for region in several)


def text(value: Any) -> str:
    """One value as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if hasattr(value, "__len__") and not isinstance(value, str):
        return _color(value) or str(value)
    # Of an enum that is text or a number, `str` gives the name.
    if isinstance(value, str):
        return whole(str.__str__(value))
    return whole(str(int(value) if isinstance(value, int) else value))


def number(value: Any) -> Optional[int]:
    """A whole number as rembg cuts it off; `None` is one that was not given."""
    return None if value is None else int(value)


def whole(words: str) -> str:
    """Text that UTF-8 can hold: half a surrogate pair becomes U+FFFD."""
    return words.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _color(channels: Any) -> str:
    """`(255, 0, 0)` as `#ff0000`; nothing for what is no colour."""
    try:
        return "#" + bytes(map(operator.index, channels)).hex() if len(channels) in (3, 4) else ""
    except (TypeError, ValueError):
        return ""


def stands_in_for_vitmatte(ignored: Dict[str, Any], only_mask: bool) -> bool:
    """Whether alpha matting takes the place of ViTMatte, which is taken out of `ignored`. A mask alone has neither."""
    if not ignored.pop("vitmatte", False) or only_mask:
        return False
    warn("there is no ViTMatte: alpha matting takes its place", UserWarning)
    return True


def warn_of_ignored(function: str, arguments: Iterable[str]) -> None:
    """Tells of arguments that are passed over, as rembg passes them over without a word."""
    for name in arguments:
        warn(f"{function}() passes over the argument '{name}'", UserWarning)


def warn(message: str, category: Type[Warning]) -> None:
    """Warn of the line of the program that called this package."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] == "remrembg":
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
