"""The command line: `remrembg` and `python -m remrembg`."""

from __future__ import annotations

import signal
import sys

from remrembg import _engine, _remrembg


def main() -> int:
    """Run the command line with this process's arguments and give the exit status."""
    # Python's own handler would raise a KeyboardInterrupt after the clean end.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _remrembg.run(["remrembg", *sys.argv[1:]], _engine.runtimes())


if __name__ == "__main__":
    sys.exit(main())
