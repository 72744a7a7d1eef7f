"""The library: a model on an engine, and the removals it does."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Callable, Deque, Dict, Iterable, Iterator, List, Optional, Tuple

from remrembg import _inputs, _remrembg

#: Called as ``progress(stage, fraction)``, the fraction of the stage from 0 to 1.
Progress = Callable[[str, float], Any]


@dataclass(frozen=True)
class Outcome:
    """What became of one picture of many."""

    #: The picture, as it came.
    image: Any
    #: The encoded file, ``None`` where it failed.
    data: Optional[bytes]
    #: Why it failed, ``None`` where it did not.
    error: Optional[Exception]

    def result(self) -> bytes:
        """The encoded file; raises why there is none."""
        if self.error is not None:
            raise self.error
        assert self.data is not None
        return self.data


class Remover:
    """A model on an engine. Made once, used for many pictures, by any number of threads.

    :param model: a model's name, or the path of an ONNX file. Default: the one inside.
    :param engine: ``"auto"``, ``"onnxruntime"`` or ``"rten"``, the engine inside.
    :param threads: threads of one inference, 0 for one per core.
    :param settings: the others that ``remrembg.SETTINGS`` lists.

    Pickles as its settings: the copy loads the model anew. After a fork, a removal in
    the child raises :class:`EngineError`; a remover made there works.
    """

    def __init__(
        self, model: Optional[str] = None, engine: Optional[str] = None, threads: Optional[int] = None, **settings: Any
    ) -> None:
        self._settings: Dict[str, Any] = {"model": model, "engine": engine, "threads": threads, **settings}
        self._core = _remrembg.Remover(_inputs.pairs(self._settings), _inputs.runtimes())

    def __reduce__(self) -> Tuple[Any, ...]:
        return _again, (type(self), self._settings)

    def __repr__(self) -> str:
        return f"Remover(model={self.model!r}, engine={self.engine['name']!r})"

    @property
    def model(self) -> str:
        """The model's name, or the path of its file."""
        return self._core.model

    @property
    def engine(self) -> Dict[str, Any]:
        """What the model runs on: name, version, provider, threads, library, fallback."""
        return self._core.engine

    def rmbg(
        self,
        image: Any,
        *,
        progress: Optional[Progress] = None,
        cancel: Optional[_remrembg.CancelToken] = None,
        **options: Any,
    ) -> bytes:
        """Removes the background as the hosted API does, and gives the encoded file."""
        return self.encode(image, progress=progress, cancel=cancel, **options).data

    def encode(
        self,
        image: Any,
        *,
        progress: Optional[Progress] = None,
        cancel: Optional[_remrembg.CancelToken] = None,
        **options: Any,
    ) -> _remrembg.Encoded:
        """As :meth:`rmbg`, with MIME type, sizes and times beside the file."""
        return self._core.encode(_inputs.given(image), _inputs.pairs(options), progress, cancel)

    def rmbg_many(self, images: Iterable[Any], *, jobs: int = 2, **options: Any) -> Iterator[Outcome]:
        """Removes from many, ``jobs`` at a time, and yields an :class:`Outcome` for each, in order.

        Takes pictures from ``images`` as it goes. Leaving the loop stops what is running.
        """
        cancel = _remrembg.CancelToken()
        waiting: Deque[Tuple[Any, "Future[bytes]"]] = deque()
        with ThreadPoolExecutor(jobs) as pool:
            try:
                for image in images:
                    waiting.append((image, pool.submit(self.rmbg, image, cancel=cancel, **options)))
                    if len(waiting) >= 2 * jobs:
                        yield _outcome(*waiting.popleft())
                while waiting:
                    yield _outcome(*waiting.popleft())
            finally:
                cancel.cancel()
                for _, future in waiting:
                    future.cancel()

    async def rmbg_async(self, image: Any, **options: Any) -> bytes:
        """As :meth:`rmbg`, on a thread of the loop's. Cancelling the task stops the removal."""
        cancel = _remrembg.CancelToken()
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(None, lambda: self.rmbg(image, cancel=cancel, **options))
        finally:
            cancel.cancel()


def _again(kind: type, settings: Dict[str, Any]) -> Any:
    return kind(**settings)


def _outcome(image: Any, future: "Future[bytes]") -> Outcome:
    error = future.exception()
    if error is None:
        return Outcome(image, future.result(), None)
    if not isinstance(error, Exception):
        raise error
    return Outcome(image, None, error)


_default: List[Remover] = []
_default_lock = threading.Lock()


def default() -> Remover:
    """The remover of the functions that are not asked for one, made when first needed."""
    with _default_lock:
        if not _default:
            _default.append(Remover())
        return _default[0]
