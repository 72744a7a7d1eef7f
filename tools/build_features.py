#!/usr/bin/env python3
"""Checks that the tests, the wheel and the Node package are built from the same compiled crates.

Cargo turns on those features of a dependency that the packages of one call ask for. Where two
calls ask for different ones, the crate and all that stand on it are compiled twice.
`tools/build-features/Cargo.toml` asks for what is missing in either.
"""

import subprocess
import sys

HOST = subprocess.run(["rustc", "--print", "host-tuple"], check=True, capture_output=True, text=True).stdout.strip()
TESTS = ["--workspace", "--exclude", "remrembg-benches", "--edges", "normal,build,dev"]
PACKAGES = ["remrembg-python", "remrembg-node"]


def main():
    tests = crates(TESTS)
    other = {name: crates(["--package", name, "--edges", "normal,build"]) - tests for name in PACKAGES}
    for name, crate in [(name, crate) for name, differing in other.items() for crate in sorted(differing)]:
        print(f"build_features: {name} has {crate}, and the tests have other features of it")
    sys.exit(any(other.values()))


def crates(words):
    """Each crate with its version and the features that are on."""
    command = ["cargo", "tree", "--locked", "--target", HOST, "--prefix", "none", "--format", "{p} {f}", *words]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return {line.replace(" (*)", "").replace(" (proc-macro)", "").strip() for line in lines}


if __name__ == "__main__":
    main()
