#!/usr/bin/env python3
"""Takes the folder of who built it out of a wheel: the list of what is inside, which maturin writes, names it.

wheel_paths.py WHEEL
"""

import base64
import csv
import hashlib
import io
import pathlib
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main(wheel):
    wheel = pathlib.Path(wheel)
    with zipfile.ZipFile(wheel) as archive:
        entries = [(entry, archive.read(entry)) for entry in archive.infolist()]
    names = {entry.filename: number for number, (entry, _) in enumerate(entries)}
    (record,) = (name for name in names if name.endswith(".dist-info/RECORD"))
    for name, number in names.items():
        if "/sboms/" in name:
            entry, data = entries[number]
            entries[number] = entry, data.replace(ROOT.as_uri().encode(), b"file:///remrembg")
    entry, lines = entries[names[record]]
    entries[names[record]] = entry, recorded(lines, {entry.filename: data for entry, data in entries}, record)
    part = wheel.with_suffix(".part")
    with zipfile.ZipFile(part, "w") as archive:
        for entry, data in entries:
            archive.writestr(entry, data, entry.compress_type)
    part.replace(wheel)


def recorded(lines, files, record):
    """The lines of RECORD, with the hashes and sizes that files have now."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    for name, *_ in csv.reader(lines.decode().splitlines()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).rstrip(b"=").decode()
        rows.writerow([name, "", ""] if name == record else [name, f"sha256={digest}", len(files[name])])
    return text.getvalue().encode()


if __name__ == "__main__":
    main(*sys.argv[1:])
