"""The command line: ``remrembg`` and ``python -m remrembg``."""

from __future__ import annotations

import sys

from remrembg import _remrembg


def main() -> int:
    """Runs the command line with this process's arguments."""
    return _remrembg.run(["remrembg", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
