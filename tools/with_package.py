#!/usr/bin/env python3
"""Runs Node with the package that `make node-package` built, as its users have it.

    with_package.py WORDS...    packs it, installs it in .cache/node-tests, runs Node with these words

Node runs in that folder, outside the package's own, so that nothing can load its
source instead. PACKAGE tells programs where the packed file is.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

from setup import NODE_FOLDERS, NPM_WORDS, alone

#: What tells the tests something.
OURS = {"REMREMBG_GENERATE", "REMREMBG_TEST_PICTURES"}


def main(words):
    if not words:
        sys.exit(__doc__)
    folder = NODE_FOLDERS["node-tests"][1]
    with alone(folder), tempfile.TemporaryDirectory() as packed:
        run("npm", "pack", "--silent", "--pack-destination", packed, cwd=NODE_FOLDERS["node"][0])
        package = next(pathlib.Path(packed).glob("*.tgz"))
        run("npm", "install", "--no-save", "--package-lock=false", *NPM_WORDS, package, cwd=folder)
        environment = {name: value for name, value in os.environ.items() if not is_setting(name)}
        environment |= {"PACKAGE": str(package), "NODE_PATH": ""}
        return subprocess.run(["node", *words], cwd=folder, env=environment, stdin=subprocess.DEVNULL).returncode


def is_setting(name):
    """Whether it would make the package another than its users have."""
    return name.startswith(("NODE_", "REMREMBG_")) and name not in OURS


def run(*words, cwd):
    subprocess.run(list(map(str, words)), cwd=cwd, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
