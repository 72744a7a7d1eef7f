"""Where pixels are, so that Rust reads them in place and Python sees Rust's.

`memoryview` alone does not tell an address, and the stable ABI has no buffer
protocol before Python 3.11, so this takes `ctypes`.
"""

from __future__ import annotations

import ctypes
from typing import Any, Tuple, Union

#: Bytes, or the address, length and owner of bytes elsewhere.
Memory = Union[bytes, Tuple[int, int, Any]]


def of_buffer(data: Union[bytearray, memoryview]) -> Memory:
    """The bytes of a buffer in place, or a copy of one that is read-only or has gaps."""
    view = memoryview(data)
    if view.readonly or not view.c_contiguous or view.nbytes == 0:
        return bytes(view)
    first = ctypes.c_char.from_buffer(view)
    return ctypes.addressof(first), view.nbytes, first


def at(address: int, length: int, owner: Any) -> Any:
    """A writable buffer over memory that `owner` holds."""
    buffer: Any = (ctypes.c_ubyte * length).from_address(address)
    buffer.owner = owner
    return buffer
