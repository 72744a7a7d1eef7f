"""Options and settings on their way in: typed values as the hosted API's form has them."""

from __future__ import annotations

from typing import Any, List, Mapping, Tuple


def pairs(values: Mapping[str, Any]) -> List[Tuple[str, str]]:
    """Options as text. `None` is an option that was not given."""
    return [(whole(key), text(value)) for key, value in values.items() if value is not None]


def text(value: Any) -> str:
    """One value as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if hasattr(value, "__len__") and not isinstance(value, str):
        return _color(value) or str(value)
    return whole(str(value))


def whole(words: str) -> str:
    """Text that UTF-8 can hold: half a surrogate pair becomes U+FFFD."""
    return words.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _color(channels: Any) -> str:
    """`(255, 0, 0)` as `#ff0000`; nothing for what is no colour."""
    try:
        return "#" + bytes(map(int, channels)).hex() if len(channels) in (3, 4) else ""
    except (TypeError, ValueError):
        return ""
