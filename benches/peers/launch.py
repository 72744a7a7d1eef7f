"""Runs a command to its end, and writes to a file the seconds and the most memory, in kilobytes, that it needed.

    launch.py FILE COMMAND...

A small process of its own: the most memory that a process ever had starts at what the process
that forked it had, so a large one would count for its own what is its parent's.
"""

import os
import sys
import time


def main(path, *command):
    start = time.perf_counter()
    process = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - start
    with open(path, "w") as file:
        file.write(f"{seconds} {usage.ru_maxrss}")
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) != 0)
