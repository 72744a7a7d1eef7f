"""The names of `rembg.commands`: its commands as objects that run them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, List, Optional

from remrembg import cli

if TYPE_CHECKING:
    from typing import NoReturn, Sequence

__all__ = ["b_command", "command_functions", "d_command", "i_command", "p_command", "s_command"]


class Command:
    """One command of rembg's command line."""

    def __init__(self, name: str) -> None:
        self.name = name

    def main(self, args: Optional[Sequence[str]] = None) -> NoReturn:
        """Run it, with this process's arguments unless others are given, and end the process."""
        cli.main([self.name, *(sys.argv[1:] if args is None else args)])

    __call__ = main


b_command, d_command, i_command, p_command, s_command = map(Command, "bdips")
command_functions: List[Command] = [b_command, d_command, i_command, p_command, s_command]
