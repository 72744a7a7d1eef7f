"""Pictures and values on their way in: what Python has, as the core takes it."""

from __future__ import annotations

import importlib.util
import os
from typing import Any, List, Mapping, Optional, Tuple, Union

#: What the core takes: nothing, an encoded file, one with an upload's name, or a path.
Given = Union[None, bytes, Tuple[str, bytes], str]


def given(image: Any) -> Given:
    """A path, bytes or a file object, as the core takes it.

    A file object that has a name is an upload of that name, as ``requests``
    makes of it.
    """
    if image is None:
        return None
    if isinstance(image, (bytes, bytearray, memoryview)):
        return bytes(image)
    if isinstance(image, (str, os.PathLike)):
        return os.fsdecode(image)
    if not hasattr(image, "read"):
        raise TypeError(f"image must be a path, bytes or a file object, not {type(image).__name__}")
    data = image.read()
    if not isinstance(data, bytes):
        raise TypeError("image must be a file opened for bytes: open(path, 'rb')")
    name = getattr(image, "name", None)
    return (os.path.basename(name), data) if isinstance(name, str) else data


def pairs(values: Mapping[str, Any]) -> List[Tuple[str, str]]:
    """Options as text, those that are ``None`` left out."""
    return [(key, text(value)) for key, value in values.items() if value is not None]


def text(value: Any) -> str:
    """A value as the hosted API's form has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (tuple, list)):
        return "#" + "".join(f"{channel:02x}" for channel in value)
    return str(value)


def runtimes() -> List[str]:
    """Where an installed ``onnxruntime`` package keeps its library, found without importing it."""
    spec: Optional[Any] = importlib.util.find_spec("onnxruntime")
    folders = spec.submodule_search_locations if spec else None
    return [os.path.join(folder, "capi") for folder in folders or []]
