"""Threads that work while the program goes on, also where its main thread has ended already."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Callable, List, Optional, Tuple

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Type

_Work = Tuple["Future[Any]", Callable[..., Any], Tuple[Any, ...], Any]


class Threads(Executor):
    """As `concurrent.futures.ThreadPoolExecutor`, whose threads take nothing more once the main thread has ended.

    The interpreter's end does not wait for these: it stops what they are at, see `src/exit.rs`.
    """

    def __init__(self, most: int) -> None:
        self._most, self._process = most, os.getpid()
        self._threads: List[threading.Thread] = []
        self._work: SimpleQueue[Optional[_Work]] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._lock = threading.Lock()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have a thread call it."""
        check_process(self._process)
        future: Future[Any] = Future()
        with self._lock:
            self._work.put((future, fn, args, kwargs))
            if not self._idle.acquire(blocking=False) and len(self._threads) < self._most:
                name = f"remrembg_{len(self._threads)}"
                thread = threading.Thread(target=_work, args=(self._work, self._idle), name=name, daemon=True)
                thread.start()
                self._threads.append(thread)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Have the threads end once they have done what they were given."""
        with self._lock:
            threads, self._threads = self._threads, []
        for _ in threads:
            self._work.put(None)
        # Once the interpreter ends, none of them runs any more.
        for thread in threads if wait and not sys.is_finalizing() else []:
            thread.join()

    def __exit__(
        self, kind: Optional[Type[BaseException]], value: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.shutdown()

    def __del__(self) -> None:
        # Without the lock: nobody else has this any more, and in the child of a fork one may hold it who is not there.
        if os.getpid() == self._process:
            for _ in self._threads:
                self._work.put(None)


def check_process(process: int) -> None:
    """Raise in the child of a fork, which has none of the threads: whoever waited for them would wait for ever."""
    if os.getpid() != process:
        raise RuntimeError("these pictures were begun before a fork: begin them anew in the child")


def _work(work: SimpleQueue[Optional[_Work]], idle: threading.Semaphore) -> None:
    while True:
        taken = work.get()
        if taken is None:
            return
        future, call, args, kwargs = taken
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(call(*args, **kwargs))
            except BaseException as error:
                future.set_exception(error)
        # Nothing is held on to while there is nothing to do.
        del taken, future, call, args, kwargs
        idle.release()
