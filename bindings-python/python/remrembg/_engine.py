"""What runs the model."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import List, NamedTuple, Optional

#: ONNX Runtime, from version 1.30 on, would tell its maker of its use. Who has set it has decided.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


class EngineInfo(NamedTuple):
    """What a `Remover` runs its model on.

    name       "onnxruntime", "rten" or "native"
    version    the engine's version
    provider   what computes, as the engine calls it, such as "CPUExecutionProvider"
    threads    threads that compute one inference, at least 1
    library    the ONNX Runtime library in use; None for the other two
    fallback   why something less preferred is used, where it is
    """

    name: str
    version: str
    provider: str
    threads: int
    library: Optional[str]
    fallback: Optional[str]


def runtimes() -> List[str]:
    """Where an installed `onnxruntime` package keeps its library. It is not imported."""
    try:
        spec = find_spec("onnxruntime")
    except (ImportError, ValueError):
        return []
    folders = spec.submodule_search_locations if spec else None
    return [os.path.join(folder, "capi") for folder in folders or []]
