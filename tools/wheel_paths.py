#!/usr/bin/env python3
"""Removes the builder's folder from a wheel: maturin writes that path into the list of parts (SBOM).

    wheel_paths.py WHEEL [FOLDER...]

A wheel in which a file has the path of any FOLDER all the same is removed, and that is an error.
"""

import base64
import csv
import hashlib
import io
import json
import pathlib
import sys
import zipfile


def main(wheel, *folders):
    wheel = pathlib.Path(wheel)
    with zipfile.ZipFile(wheel) as archive:
        entries = {entry.filename: entry for entry in archive.infolist()}
        files = {name: archive.read(name) for name in entries}
    (record,) = (name for name in files if name.endswith(".dist-info/RECORD"))
    (parts,) = (name for name in files if name.endswith(".cyclonedx.json"))
    files[parts] = files[parts].replace(builder(files[parts]).encode(), b"path+file:///remrembg")
    files[record] = recorded(files, record)
    named = [f"{name} names {folder}" for name in files for folder in folders if folder.encode() in files[name]]
    if named:
        wheel.unlink()
        sys.exit(f"wheel_paths: {wheel.name} was removed: {', '.join(named)}")
    part = wheel.with_suffix(".part")
    with zipfile.ZipFile(part, "w") as archive:
        for name, data in files.items():
            archive.writestr(entries[name], data, entries[name].compress_type)
    part.replace(wheel)


def builder(parts):
    """Where the project lies, as the list of parts has it."""
    folder, found, _ = json.loads(parts)["metadata"]["component"]["bom-ref"].rpartition("/bindings-python#")
    if not found:
        sys.exit("wheel_paths: the list of parts does not name the folder of the package")
    return folder


def recorded(files, record):
    """The lines of RECORD, with the hashes and sizes that files have now."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    for name, *_ in csv.reader(files[record].decode().splitlines()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).rstrip(b"=").decode()
        rows.writerow([name, "", ""] if name == record else [name, f"sha256={digest}", len(files[name])])
    return text.getvalue().encode()


if __name__ == "__main__":
    main(*sys.argv[1:])
