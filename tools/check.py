#!/usr/bin/env python3
"""Runs the linters, and meanwhile fetches what the tests need, which mostly waits for the network; then all tests."""

import pathlib
import subprocess
import sys

from run_tests import MAKE

SETUP = [sys.executable, str(pathlib.Path(__file__).with_name("setup.py"))]


def main():
    expect([*SETUP, "venv", "weights", "photo", "wheel", "tests", "node", "deny"])
    with subprocess.Popen([*SETUP, "tools", "node-tests"]) as rest:
        linted = subprocess.run([*MAKE, "format", "lint", "licences", "advisories"]).returncode
    if rest.returncode:
        sys.exit("check: what the tests need could not be set up; the reason stands above")
    if linted:
        sys.exit("check: a linter failed; the reason stands above")
    expect([*MAKE, "test"])


def expect(command):
    status = subprocess.run(command).returncode
    if status:
        sys.exit(status)


if __name__ == "__main__":
    main()
