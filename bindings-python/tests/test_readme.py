"""The examples of the documentation: each runs as a program of its own."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Iterator, List, Set, Tuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: Where examples are, and the heading they are under.
TEXTS = [
    (ROOT / "README.md", "# remrembg"),
    (ROOT / "docs/python.md", "# From Python"),
    (ROOT / "docs/migrating-from-rembg.md", "# In place of rembg"),
    (ROOT / "bindings-python/README.md", "# remrembg"),
]


def section(text: str, heading: str) -> str:
    """From a heading to the next of its level or above, code aside."""
    level = heading.index(" ")
    code = [match.span() for match in re.finditer(r"^```.*?^```", text, re.M | re.S)]
    heads = [
        match
        for match in re.finditer(rf"^#{{1,{level}}} .*$", text, re.M)
        if not any(start < match.start() < end for start, end in code)
    ]
    for here, after in zip(heads, [*heads[1:], None]):
        if here.group().strip() == heading:
            return text[here.end() : after.start() if after else None]
    return ""


def examples() -> Iterator[Tuple[str, str]]:
    for path, heading in TEXTS:
        blocks = re.findall(r"^```python[^\n]*\n(.*?)^```", section(path.read_text("utf-8"), heading), re.M | re.S)
        for number, block in enumerate(blocks, 1):
            yield f"{path.relative_to(ROOT)} {number}", block


def packages(code: str) -> Set[str]:
    """What an example imports besides remrembg, also under the name rembg, and the standard library."""
    names: Set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {name.partition(".")[0] for name in names} - {"remrembg", "rembg"} - set(sys.stdlib_module_names)


EXAMPLES: List[Tuple[str, str]] = list(examples())


@pytest.mark.parametrize(("path", "heading"), TEXTS, ids=[f"{path.parent.name}/{path.name}" for path, _ in TEXTS])
def test_there_are_examples(path: Path, heading: str) -> None:
    name = str(path.relative_to(ROOT))
    assert [told for told, _ in EXAMPLES if told.startswith(f"{name} ")], f"{name} has no example under {heading}"


@pytest.mark.parametrize("code", [code for _, code in EXAMPLES], ids=[name for name, _ in EXAMPLES])
def test_an_example_runs(code: str, folder: Path, alone: Path) -> None:
    needed = packages(code)
    missing = sorted(name for name in needed if find_spec(name) is None)
    if missing:
        compile(code, "an example", "exec")
        pytest.skip(f"compiled and not run: needs {', '.join(missing)}")
    (folder / "example.py").write_text(code, "utf-8")
    python = sys.executable if needed else str(alone)
    done = subprocess.run([python, "example.py"], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
