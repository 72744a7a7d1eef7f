#!/usr/bin/env python3
"""Checks that the tests, the wheel and the Node package are built from the same compiled crates.

Cargo turns on those features of a dependency that the packages of one call ask for. Where two
calls ask for different ones, the crate and all that stand on it are compiled twice.
`tools/build-features/Cargo.toml` asks for what is missing in either.
"""

import subprocess
import sys

HOST = subprocess.run(["rustc", "--print", "host-tuple"], check=True, capture_output=True, text=True).stdout.strip()
ALL = ["--workspace", "--exclude", "remrembg-benches"]
#: The other calls of cargo, by what they build.
OTHERS = {
    "the libraries": ALL,
    "the wheel": ["--package", "remrembg-python"],
    "the Node package": ["--package", "remrembg-node"],
}


def main():
    tests = crates(ALL, "normal,build,dev")
    differing = [(name, crate) for name, words in OTHERS.items() for crate in crates(words, "normal,build") - tests]
    for name, crate in sorted(differing):
        print(f"build_features: {name} has {crate}, and the tests have other features of it")
    sys.exit(bool(differing))


def crates(words, edges):
    """Each crate with its version and the features that are on."""
    form = ["--edges", edges, "--prefix", "none", "--format", "{p} {f}"]
    command = ["cargo", "tree", "--locked", "--target", HOST, *form, *words]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return {line.replace(" (*)", "").replace(" (proc-macro)", "").strip() for line in lines}


if __name__ == "__main__":
    main()
