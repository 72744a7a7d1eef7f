"""The command line, under the names of `rembg.cli`."""

from __future__ import annotations

import signal
import sys
import threading
from typing import TYPE_CHECKING, Optional

from remrembg import _engine, _remrembg, new_session, remove

if TYPE_CHECKING:
    from typing import NoReturn, Sequence

__all__ = ["main", "new_session", "remove", "run"]


def run(words: Sequence[str]) -> int:
    """Run the command line with these arguments and give the exit status."""
    if threading.current_thread() is not threading.main_thread():
        return _remrembg.run(["remrembg", *words], _engine.runtimes())
    # Python's own handler would raise a KeyboardInterrupt after the clean end.
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return _remrembg.run(["remrembg", *words], _engine.runtimes())
    finally:
        for number, handler in handlers.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


def main(args: Optional[Sequence[str]] = None) -> NoReturn:
    """Run the command line, with this process's arguments unless others are given, and end the process."""
    sys.exit(run(sys.argv[1:] if args is None else args))
