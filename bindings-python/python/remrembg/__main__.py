"""The command line: `remrembg` and `python -m remrembg`."""

from __future__ import annotations

import sys

from remrembg.cli import run


def main() -> int:
    """Run the command line with this process's arguments and give the exit status."""
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
