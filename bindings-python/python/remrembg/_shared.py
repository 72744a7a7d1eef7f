"""The remover that functions share which are not given one."""

from __future__ import annotations

from typing import Optional

from remrembg._loaded import loading
from remrembg._remover import Remover

_default: Optional[Remover] = None


def default() -> Remover:
    """The remover of the functions that are not given one, made when first needed."""
    global _default
    with loading:
        if _default is None:
            _default = Remover()
        return _default
