"""Many pictures at once, and pictures beside an event loop."""

from __future__ import annotations

import collections.abc
import os
import sys
from collections import deque
from typing import TYPE_CHECKING, Any, Generic, Iterable, Optional, TypeVar

from remrembg import _found, _pictures
from remrembg._remrembg import CancelToken

if TYPE_CHECKING:
    from concurrent.futures import Future
    from typing import (
        AsyncGenerator,
        AsyncIterable,
        Awaitable,
        Callable,
        Deque,
        Dict,
        Generator,
        List,
        Tuple,
        Union,
    )

    from remrembg._found import Found
    from remrembg._threads import Threads

Given = TypeVar("Given")
Made = TypeVar("Made")


class Outcome(Generic[Given, Made]):
    """What became of one picture of many.

    image    the picture, as it came
    result   what `Remover.remove` gives for it; None where it failed
    error    why it failed; None where it did not
    found    what was found in it, a `Found`; None where it failed
    """

    image: Given
    result: Optional[Made]
    error: Optional[Exception]
    found: Optional[Found]

    __slots__ = ("error", "found", "image", "result")

    def __init__(
        self,
        image: Given,
        result: Optional[Made] = None,
        error: Optional[Exception] = None,
        found: Optional[Found] = None,
    ) -> None:
        self.image = image
        self.result = result
        self.error = error
        self.found = found

    def __repr__(self) -> str:
        told = f"error={self.error!r}" if self.error else f"result=<{type(self.result).__name__}>"
        return f"Outcome({self.image!r:.60}, {told})"

    def get(self) -> Made:
        """The result; raises the error where there is none."""
        if self.error is not None:
            raise self.error
        assert self.result is not None
        return self.result


def check(remove: Callable[..., Any], images: Any, jobs: int, options: Dict[str, Any]) -> None:
    """Raises for what no picture can be asked."""
    import inspect

    if isinstance(images, (str, bytes)):
        raise TypeError(f"images must be an iterable of pictures, not {type(images).__name__}")
    if jobs < 0:
        raise ValueError(f"jobs must be at least 0, got: {jobs}")
    # What rembg's own functions pass over, these do not.
    known = [one for one in inspect.signature(remove).parameters.values() if one.kind is not one.VAR_KEYWORD]
    inspect.Signature(known).bind(None, **{key: value for key, value in options.items() if key != "vitmatte"})
    mask: Any = options.get("mask_from")
    if _pictures.is_pillow(mask):
        # Its file is read at the first use, and several threads would do that at once.
        mask.load()
    elif not _pictures.is_array(mask) and callable(getattr(mask, "read", None)):
        # It can be read but once.
        options["mask_from"] = _pictures.read(mask)


def many(
    remove: Callable[..., Any], images: Iterable[Any], jobs: int, options: Dict[str, Any]
) -> Generator[Outcome[Any, Any], None, None]:
    """See `Remover.remove_many`."""
    from remrembg._threads import Threads, check_process

    process = os.getpid()
    stop = CancelToken(options.get("cancel"))
    work = {**options, "cancel": stop}
    waiting: Deque[Tuple[Any, List[Found], Future[Any]]] = deque()
    with Threads(jobs) as threads:
        try:
            source, broken = iter(images), None
            while True:
                try:
                    image = next(source)
                except StopIteration:
                    break
                except Exception as error:
                    # What the source raises comes out after the pictures that it gave.
                    broken = error
                    break
                found, hears = _hearing(work)
                waiting.append((image, found, threads.submit(remove, image, **hears)))
                while waiting and (len(waiting) >= 2 * jobs or waiting[0][2].done()):
                    yield _told(_outcome(*waiting.popleft()))
                    check_process(process)
            while waiting:
                check_process(process)
                yield _told(_outcome(*waiting.popleft()))
            if broken is not None:
                raise broken
        finally:
            stop.cancel()
            for _, _, future in waiting:
                future.cancel()


def _hearing(options: Dict[str, Any]) -> Tuple[List[Found], Dict[str, Any]]:
    """Where one removal will put what it found, and the options with which it does."""
    found: List[Found] = []
    own = options.get("on_found")

    def hear(what: Found) -> None:
        found.append(what)
        if own is not None:
            own(what)

    hear.warns = True  # type: ignore[attr-defined]
    return found, {**options, "on_found": hear}


def _told(outcome: Outcome[Any, Any]) -> Outcome[Any, Any]:
    try:
        _found.warn_of(outcome.found)
    except _found.NothingFoundWarning as error:
        # Where warnings are errors, this one is the picture's, as `Remover.remove` has it.
        return Outcome(outcome.image, error=error)
    return outcome


def _outcome(image: Any, found: List[Found], future: Future[Any]) -> Outcome[Any, Any]:
    error = future.exception()
    if error is None:
        return Outcome(image, result=future.result(), found=found[0])
    if isinstance(error, Exception):
        return Outcome(image, error=error)
    raise error


async def in_thread(threads: Threads, remove: Callable[..., Made], image: Any, options: Dict[str, Any]) -> Made:
    """Run one removal on a thread, in the context of who asked for it; cancelling the task stops it."""
    import asyncio
    import contextvars

    stop, context = CancelToken(options.get("cancel")), contextvars.copy_context()
    found, work = _hearing({**options, "cancel": stop})

    def call() -> Made:
        try:
            return context.run(remove, image, **work)
        except StopIteration as error:  # A future cannot hold one.
            raise RuntimeError("a callback raised StopIteration") from error

    try:
        made = await asyncio.get_running_loop().run_in_executor(threads, call)
    finally:
        stop.cancel()
    # Here and not on the thread, so that the line is told that asked for it. Of many pictures the loop warns.
    if not getattr(options.get("on_found"), "warns", False):
        _found.warn_of(found[0])
    return made


async def many_async(
    remove: Callable[..., Awaitable[Any]],
    images: Union[Iterable[Any], AsyncIterable[Any]],
    jobs: int,
    options: Dict[str, Any],
) -> AsyncGenerator[Outcome[Any, Any], None]:
    """See `Remover.remove_many_async`."""
    import asyncio

    places = asyncio.Semaphore(jobs)

    async def one(image: Any) -> Outcome[Any, Any]:
        async with places:
            found, hears = _hearing(options)
            try:
                return Outcome(image, result=await remove(image, **hears), found=found[0])
            except Exception as error:
                return Outcome(image, error=error)

    waiting: Deque[asyncio.Task[Outcome[Any, Any]]] = deque()
    room, changed, left = asyncio.Semaphore(2 * jobs), asyncio.Event(), asyncio.Event()

    async def feed() -> None:
        source = _each(images)
        try:
            await room.acquire()
            async for image in source:
                if left.is_set():
                    break
                waiting.append(asyncio.create_task(one(image)))
                changed.set()
                # A source that never waits lets the others begin.
                await asyncio.sleep(0)
                await room.acquire()
        finally:
            await source.aclose()

    # The source is read in one task, whatever it holds from one picture to the next.
    feeder = asyncio.create_task(feed())
    feeder.add_done_callback(lambda _: changed.set())
    try:
        while waiting or not feeder.done():
            if waiting:
                outcome = await waiting[0]
                waiting.popleft()
                room.release()
                yield _told(outcome)
            else:
                changed.clear()
                await changed.wait()
        # What the source raises comes out after the pictures that it gave.
        await feeder
    finally:
        left.set()
        for task in (feeder, *waiting):
            task.cancel()
        # Before Python 3.12, asyncio.wait_for may lose a cancellation, and the source then wait for ever.
        while sys.version_info < (3, 12) and not feeder.done():
            await asyncio.wait([feeder], timeout=10)
            feeder.cancel()
        await asyncio.gather(feeder, *waiting, return_exceptions=True)


async def _each(images: Union[Iterable[Any], AsyncIterable[Any]]) -> AsyncGenerator[Any, None]:
    if isinstance(images, Iterable):
        for image in images:
            yield image
        return
    source = images.__aiter__()
    try:
        async for image in source:
            yield image
    finally:
        # A generator; what it was made of is the caller's.
        if isinstance(source, collections.abc.AsyncGenerator):
            await source.aclose()
