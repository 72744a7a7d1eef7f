#!/usr/bin/env python3
"""Writes THIRD-PARTY.txt: the licences of every crate that is compiled into a package. `--check` compares instead.

Both fail for a crate of ours that would be published without LICENSE and NOTICE."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PATH = ROOT / "THIRD-PARTY.txt"
#: What is handed to others.
SHIPPED = ("remrembg-cli", "remrembg-ffi", "remrembg-node", "remrembg-python")
#: What the scripts inside these crates are made of, by name and version: a new version may be made of other works.
BUNDLED = {"utoipa-swagger-ui-vendored 0.2.0": ROOT / "server/src/page/swagger-ui-bundle.js.LICENSE.txt"}
#: Files that have a licence, or what one asks to be passed on.
TEXTS = re.compile(r"(?:licen[cs]e|copying|notice|copyright|unlicense)", re.IGNORECASE)
HEAD = """\
remrembg is compiled from these crates as well; NOTICE names the works that are no crates. Of a crate that may be used
under one of several licences, MIT counts where it is among them.
"""


def main() -> int:
    text = written()
    for crate in without_texts():
        print(f"{crate} is packed without LICENSE or NOTICE", file=sys.stderr)
        return 1
    if "--check" not in sys.argv[1:]:
        PATH.write_text(text, "utf-8")
    elif not PATH.is_file() or PATH.read_text("utf-8") != text:
        print(f"{PATH.name} is stale: run tools/licences.py", file=sys.stderr)
        return 1
    return 0


def written() -> str:
    """All crates by name, and each text once, below the crates that have it."""
    crates = compiled_in()
    if missing := BUNDLED.keys() - {title(crate) for crate in crates}:
        raise SystemExit(f"tools/licences.py has the texts of {', '.join(missing)}, which is not compiled in")
    owners: dict[str, list[str]] = {}
    for crate in crates:
        owners.setdefault("\n\n".join(texts_of(crate)) or told(crate), []).append(title(crate))
    listed = "".join(f"    {title(crate)}: {crate['license'] or 'see below'}\n" for crate in crates)
    parts = ["\n".join(names) + "\n\n" + text.strip() + "\n" for text, names in owners.items()]
    rule = "\n" + "-" * 100 + "\n\n"
    return rule.join([f"{HEAD}\n{listed}", *parts])


def without_texts() -> list[str]:
    """Our own crates that can be published and would lack a text that goes with them."""
    members = json.loads(cargo("metadata", "--format-version", "1", "--no-deps"))["packages"]
    names = [member["name"] for member in members if member["publish"] != []]
    listed = {
        name: cargo("package", "--list", "--quiet", "--allow-dirty", "--package", name).splitlines() for name in names
    }
    return [name for name, files in listed.items() if not {"LICENSE", "NOTICE"}.issubset(files)]


def title(crate: dict[str, Any]) -> str:
    return f"{crate['name']} {crate['version']}"


def told(crate: dict[str, Any]) -> str:
    """What the manifest says, of a crate without a text."""
    authors = ", ".join(crate["authors"]) or "its authors"
    return f"Copyright {authors}. The crate holds no text; its manifest says {crate['license']}. {crate['repository']}"


def compiled_in() -> list[dict[str, Any]]:
    """The crates of others in what is shipped, on every platform, by name and version."""
    packages = json.loads(cargo("metadata", "--format-version", "1"))["packages"]
    known = {(package["name"], package["version"]): package for package in packages}
    tree = ["tree", "--edges", "normal", "--prefix", "none", "--target", "all", "--format", "{p}"]
    lines = cargo(*tree, *(word for name in SHIPPED for word in ("--package", name))).splitlines()
    pairs = {(words[0], words[1].removeprefix("v")) for words in map(str.split, lines) if len(words) > 1}
    return sorted(
        (known[pair] for pair in pairs if known[pair]["source"]), key=lambda one: (one["name"], one["version"])
    )


def cargo(*words: str) -> str:
    return subprocess.run(["cargo", *words, "--locked"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


def texts_of(crate: dict[str, Any]) -> list[str]:
    """The texts in a crate's folder; of several to choose from the one of MIT, beside notices."""
    folder = Path(crate["manifest_path"]).parent
    files = sorted(path for path in folder.iterdir() if path.is_file() and TEXTS.match(path.name))
    license = (crate["license"] or "").replace("/", " OR ")
    if " OR " in license and " AND " not in license:
        chosen = [path for path in files if "MIT" in path.name.upper()]
        notices = [path for path in files if path.name.upper().startswith(("NOTICE", "COPYRIGHT"))]
        files = chosen + notices if chosen else files
    files += [BUNDLED[title(crate)]] if title(crate) in BUNDLED else []
    return [path.read_text("utf-8", errors="replace").replace("\r\n", "\n").strip() for path in files]


if __name__ == "__main__":
    sys.exit(main())
