"""What a process has loaded of a remover, and what it asks of it."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

from remrembg import _engine, _remrembg, _values

if TYPE_CHECKING:
    from typing import Dict, List, Tuple

    from remrembg._remrembg import CancelToken
    from remrembg._threads import Threads
    from remrembg._types import Progress


#: Held while a model is loaded. A fork waits for it: the child could not load another
#: model if the fork had come in the middle.
loading = threading.RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=loading.acquire, after_in_parent=loading.release, after_in_child=loading.release)

#: Of the asynchronous calls of one remover, as many may be on their way at once.
_MOST_THREADS = 32


class Task(NamedTuple):
    """One removal, as the native module takes it."""

    picture: Any
    options: List[Tuple[str, str]]
    mask: Any = None
    #: Whether GIF and TIFF are read too, as rembg reads them and the hosted API does not.
    more_formats: bool = True
    progress: Optional[Progress] = None
    cancel: Optional[CancelToken] = None


class Loaded:
    """The native remover of one process, and the threads of its asynchronous calls."""

    def __init__(self, settings: Dict[str, Any]) -> None:
        self.process = os.getpid()
        with loading:
            self.core = _remrembg.Remover(_values.pairs(settings), _engine.runtimes())
        self._threads: Optional[Threads] = None

    @property
    def threads(self) -> Threads:
        if self._threads is None:
            from remrembg._threads import Threads

            self._threads = Threads(_MOST_THREADS)
        return self._threads
