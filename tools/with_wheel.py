#!/usr/bin/env python3
"""Runs Python with the package that `make wheel` built, as its users have it.

    with_wheel.py WORDS...                runs .cache/tests' Python with these words
    with_wheel.py --in quality WORDS...   runs that of another environment of setup.py
    with_wheel.py --from FOLDER WORDS...  takes the wheel that is there; without it, that in dist/

It runs in a folder outside the repository, so that nothing can import the
package's source instead of the wheel. WHEELS tells programs where the wheel is.
"""

import os
import subprocess
import sys
import tempfile

from setup import ENVIRONMENTS, PYTHON, ROOT, alone, pip


def main(words):
    given = {"--in": "tests", "--from": "dist"}
    while words[:1] and words[0] in given:
        given[words[0]], words = "".join(words[1:2]), words[2:]
    place, folder = given["--in"], ROOT / given["--from"]
    if not words or place not in ENVIRONMENTS:
        sys.exit(__doc__)
    wheels = sorted(map(str, folder.glob("*.whl")))
    if len(wheels) != 1:
        sys.exit(f"with_wheel: there must be one wheel in {folder}: run `make wheel`")
    environment = {name: value for name, value in os.environ.items() if not is_setting(name)}
    environment["WHEELS"] = str(folder)
    with alone(ENVIRONMENTS[place][0]), tempfile.TemporaryDirectory() as outside:
        pip("install", "--no-index", "--no-deps", "--force-reinstall", wheels[0], environment=place)
        command = [str(ENVIRONMENTS[place][0] / PYTHON), *words]
        return subprocess.run(command, cwd=outside, env=environment, stdin=subprocess.DEVNULL).returncode


def is_setting(name):
    """Whether it would make the package another than its users have."""
    return name.startswith(("PYTHON", "REMREMBG_")) and name != "REMREMBG_TEST_PICTURES"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
