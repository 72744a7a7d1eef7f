"""What runs the model."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import List, NamedTuple, Optional


class EngineInfo(NamedTuple):
    """What a :class:`Remover` runs its model on."""

    #: ``"onnxruntime"``, or ``"rten"``, the engine inside.
    name: str
    #: The engine's version.
    version: str
    #: What computes, as the engine calls it, such as ``"CPUExecutionProvider"``.
    provider: str
    #: Threads that compute one inference, at least 1.
    threads: int
    #: The ONNX Runtime library in use; ``None`` for the engine inside.
    library: Optional[str]
    #: Why something less preferred is used, where it is.
    fallback: Optional[str]


def runtimes() -> List[str]:
    """Where an installed ``onnxruntime`` package keeps its library. It is not imported."""
    try:
        spec = find_spec("onnxruntime")
    except (ImportError, ValueError):
        return []
    folders = spec.submodule_search_locations if spec else None
    return [os.path.join(folder, "capi") for folder in folders or []]
