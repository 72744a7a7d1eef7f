"""The wheel and the source distribution: what they are called, hold and need."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from importlib import metadata
from pathlib import Path
from typing import Dict

import pytest
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile

VERSION = metadata.version("remrembg")
INFO = f"remrembg-{VERSION}.dist-info"
MODULE = "remrembg/_remrembg.abi3.so"
PARTS = f"{INFO}/sboms/remrembg-python.cyclonedx.json"
WEIGHTS = "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8"
#: Of the wheel in bytes; more than a third of it are the weights. That of the release profile has almost two million
#: less.
LARGEST = 17_000_000
#: The licences of the project, of works it has inside, and of the crates that are compiled in.
LICENCES = ["LICENSE", "NOTICE", "THIRD-PARTY.txt"]
#: What manylinux2014 promises of any Linux.
SYSTEM = {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "libgcc_s.so.1", "ld-linux-x86-64.so.2"}


@pytest.fixture(scope="module")
def files(wheel: Path) -> Dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def told(files: Dict[str, bytes]) -> Message:
    return Parser().parsestr(files[f"{INFO}/METADATA"].decode("utf-8"))


def test_one_wheel_serves_every_python_and_most_linuxes(wheel: Path) -> None:
    tags = wheel.name.removeprefix(f"remrembg-{VERSION}-").removesuffix(".whl").split("-")
    assert tags[:2] == ["cp39", "abi3"]
    assert sorted(tags[2].split(".")) == ["manylinux2014_x86_64", "manylinux_2_17_x86_64"]


def test_it_is_small(wheel: Path) -> None:
    size = wheel.stat().st_size
    assert size < LARGEST, size


def test_nothing_in_it_tells_when_it_was_built(wheel: Path, sdist: Path, files: Dict[str, bytes]) -> None:
    with zipfile.ZipFile(wheel) as archive, tarfile.open(sdist) as sources:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert len({entry.mtime for entry in sources}) == 1
    parts = json.loads(files[PARTS])
    assert parts["metadata"]["timestamp"].startswith("1980-01-01T")
    assert "serialNumber" not in parts


def test_its_list_of_parts_does_not_name_the_folder_where_it_was_built(files: Dict[str, bytes]) -> None:
    folders = re.findall(r"file:///[^#\"]*", files[PARTS].decode())
    assert folders and all(folder.startswith("file:///remrembg/") for folder in folders), set(folders)


def test_a_wheel_that_names_its_builders_folder_is_removed(wheel: Path, root: Path, tmp_path: Path) -> None:
    copy = tmp_path / wheel.name
    copy.write_bytes(wheel.read_bytes())
    clean = [sys.executable, str(root / "tools/wheel_paths.py"), str(copy)]
    subprocess.run([*clean, "/a/folder"], check=True)
    assert copy.read_bytes() == wheel.read_bytes(), "it was clean"
    refused = subprocess.run([*clean, "/a/folder", "remrembg-python"], capture_output=True, text=True)
    assert refused.returncode == 1
    assert f"{copy.name} was removed: " in refused.stderr and "names remrembg-python" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_its_record_has_the_hash_and_size_of_every_file(files: Dict[str, bytes]) -> None:
    rows = list(csv.reader(files[f"{INFO}/RECORD"].decode().splitlines()))
    assert sorted(name for name, _, _ in rows) == sorted(files)
    for name, digest, size in rows:
        if name != f"{INFO}/RECORD":
            sha256 = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).rstrip(b"=").decode()
            assert (digest, size) == (f"sha256={sha256}", str(len(files[name]))), name


def test_it_holds_the_package_and_no_more(files: Dict[str, bytes], root: Path) -> None:
    package = root / "bindings-python/python"
    sources = {str(path.relative_to(package)) for path in package.rglob("*.py*") if "__pycache__" not in path.parts}
    sources |= {"remrembg/py.typed", "remrembg/_remrembg.pyi"}
    assert {name for name in files if not name.startswith(INFO)} == sources | {MODULE}
    for name in sources:
        assert files[name] == (package / name).read_bytes(), f"{name}: the wheel is stale: run `make wheel`"
    licences = {name.rpartition("/")[2]: files[name] for name in files if "/licenses/" in name}
    assert licences == {name: (root / name).read_bytes() for name in LICENCES}


def test_its_metadata_tells_what_an_index_shows(told: Message) -> None:
    assert (told["Name"], told["Version"]) == ("remrembg", VERSION)
    assert (told["License-Expression"], told.get_all("License-File")) == ("MIT", LICENCES)
    assert told["Requires-Python"] == ">=3.9"
    assert told["Summary"]
    assert "rembg" in told["Keywords"]
    assert "Typing :: Typed" in (told.get_all("Classifier") or [])
    assert "import remrembg" in told.get_payload()
    assert told["Description-Content-Type"].startswith("text/markdown")


def test_its_page_on_an_index_has_no_link_into_the_repository(told: Message) -> None:
    links = re.findall(r"\]\(([^)]*)\)", told.get_payload())
    assert [link for link in links if not link.startswith(("https://", "#"))] == []


def test_its_extras_are_the_runtimes(told: Message) -> None:
    assert sorted(told.get_all("Requires-Dist") or []) == [
        "onnxruntime ; extra == 'cpu'",
        "onnxruntime-gpu ; extra == 'gpu'",
        "onnxruntime-openvino ; extra == 'openvino'",
    ]


def test_it_has_a_console_script() -> None:
    (script,) = metadata.distribution("remrembg").entry_points
    assert (script.group, script.name, script.value) == ("console_scripts", "remrembg", "remrembg.__main__:main")


def test_its_module_takes_nothing_but_the_system_and_the_interpreter(files: Dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "module.so"
    path.write_bytes(files[MODULE])
    with path.open("rb") as file:
        elf = ELFFile(file)
        dynamic = elf.get_section_by_name(".dynamic")
        assert isinstance(dynamic, DynamicSection)
        assert {tag.needed for tag in dynamic.iter_tags("DT_NEEDED")} <= SYSTEM
        assert elf.get_section_by_name(".symtab") is None, "symbols are stripped"
        exported = [symbol.name for symbol in elf.get_section_by_name(".dynsym").iter_symbols() if defined(symbol)]
    assert exported == ["PyInit__remrembg"]


def defined(symbol: object) -> bool:
    entry = symbol.entry  # type: ignore[attr-defined]
    return bool(entry["st_shndx"] != "SHN_UNDEF" and entry["st_info"]["bind"] != "STB_LOCAL")


def test_it_keeps_to_the_stable_abi(wheel: Path) -> None:
    command = [sys.executable, "-m", "abi3audit", "--strict", "--summary", str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_source_distribution_has_all_that_a_build_takes(sdist: Path, root: Path) -> None:
    assert sdist.name == f"remrembg-{VERSION}.tar.gz"
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
        weights = archive.extractfile(f"remrembg-{VERSION}/models/u2netp.onnx")
        assert weights is not None
        assert hashlib.sha256(weights.read()).hexdigest() == WEIGHTS
    crates = ("bindings-python", "cli", "core", "native", "server", "tools/build-features", "webp")
    assert {"Cargo.toml", "Cargo.lock", "pyproject.toml", "LICENSE", "NOTICE", "models/build.rs"} <= names
    assert {f"{crate}/Cargo.toml" for crate in crates} <= names
    for crate in crates:
        sources = {str(path.relative_to(root)) for path in (root / crate / "src").rglob("*.rs")}
        assert sources <= names, sources - names
    assert {name.partition("/")[0] for name in names if "/" in name} == {
        *(crate.partition("/")[0] for crate in crates),
        "models",
    }
    # The one test that a manifest names, so that cargo needs it.
    assert [name for name in names if "/tests/" in name and "/src/" not in name] == ["native/tests/kernels.rs"]
