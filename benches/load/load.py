#!/usr/bin/env python3
"""Puts `remrembg serve` under load, and tells what it did and what memory it took.

    load.py REMREMBG PICTURE [--parts PARTS] [--seconds N] [--connections N] [--hostile FOLDER] [--flags FLAGS]

REMREMBG is the program, PICTURE what is sent. With --hostile, files of that folder are sent too,
10,000 in all: as they are, cut off and with bits turned over. What is printed is JSON.
"""

import argparse
import asyncio
import collections
import json
import pathlib
import random
import re
import shlex
import shutil
import subprocess
import tempfile
import time

BOUNDARY = b"----remrembg"
HOSTILE = 10_000
LORIS = 1000


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("picture", type=pathlib.Path)
    parser.add_argument("--parts", default="few,load,slow-loris,endless,hostile")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--connections", type=int, default=400)
    parser.add_argument("--hostile", type=pathlib.Path)
    parser.add_argument("--flags", default="")
    words = parser.parse_args()
    picture = words.picture.read_bytes()
    form = as_form(words.picture.name, picture)
    told = {}
    for name, part in [
        ("few", lambda at: steady(at, form, 8, 30)),
        ("load", lambda at: steady(at, form, words.connections, words.seconds)),
        ("slow-loris", lambda at: loris(at, form)),
        ("endless", lambda at: endless(at)),
        ("hostile", lambda at: hostile(at, words.hostile) if words.hostile else nothing()),
    ]:
        if name not in words.parts.split(","):
            continue
        with Service(words.program, shlex.split(words.flags)) as service:
            told[name] = asyncio.run(watched(service, part(service.address)))
            print(json.dumps({name: told[name]}), flush=True)
    if "few" in told:
        core = alone(words.program, words.picture)
        print(json.dumps({"core": core, "throughput": told["few"]["per_second"] / core}))


def alone(program, picture):
    """Removals a second of the command line: core without HTTP."""
    times = {}
    for count in (20, 220):
        with tempfile.TemporaryDirectory() as folder:
            for number in range(count):
                shutil.copy(picture, pathlib.Path(folder, f"{number}{picture.suffix}"))
            start = time.monotonic()
            command = [program, "remove", folder, "--out", folder + "-out", "--jobs", "3", "--quiet"]
            subprocess.run(command, check=True)
            shutil.rmtree(folder + "-out")
            times[count] = time.monotonic() - start
    return 200 / (times[220] - times[20])


class Service:
    def __init__(self, program, flags, before=()):
        command = [*before, program, "serve", "--listen", "127.0.0.1:0", "--log", "error", *flags]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        host, port = re.search(r"http://(.*):(\d+)", self.process.stdout.readline()).groups()
        self.address = (host, int(port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def megabytes(self, name):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"{name}:\s+(\d+) kB", status).group(1)) // 1024


async def watched(service, work):
    """Runs it, and adds memory: at first, at the end of each tenth, and the most."""
    seen = [service.megabytes("VmRSS")]

    async def look():
        while True:
            await asyncio.sleep(1)
            seen.append(service.megabytes("VmRSS"))

    looking = asyncio.create_task(look())
    told = await work
    looking.cancel()
    step = max(1, len(seen) // 10)
    return {**told, "resident_mb": seen[::step], "most_mb": service.megabytes("VmHWM")}


def as_form(name, data):
    head = f'--{BOUNDARY.decode()}\r\nContent-Disposition: form-data; name="image"; filename="{name}"\r\n\r\n'
    return head.encode() + data + b"\r\n--" + BOUNDARY + b"--\r\n"


def head(length, key=""):
    """The head of a request with a form, and with an API key where there is one."""
    named = f"x-api-key: {key}\r\n" if key else ""
    kind = f"multipart/form-data; boundary={BOUNDARY.decode()}"
    return f"POST /rmbg HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\n{named}Content-Length: {length}\r\n\r\n".encode()


async def ask(connection, form, key=""):
    """One request on an open connection: its status."""
    reader, writer = connection
    writer.write(head(len(form), key) + form)
    await writer.drain()
    return await answer(reader)


async def answer(reader):
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    await reader.readexactly(int(re.search(r"content-length: (\d+)", lines).group(1)))
    return int(lines[9:12])


async def steady(address, form, connections, seconds, key=""):
    """Requests on so many connections, one after the other on each; who is sent away waits a second."""
    statuses, times = collections.Counter(), []
    end = time.monotonic() + seconds

    async def client():
        connection = await asyncio.open_connection(*address)
        while time.monotonic() < end:
            start = time.monotonic()
            try:
                status = await ask(connection, form, key)
            except (OSError, asyncio.IncompleteReadError) as error:
                status = type(error).__name__
                connection = await asyncio.open_connection(*address)
            statuses[status] += 1
            if status == 200:
                times.append(time.monotonic() - start)
            else:
                await asyncio.sleep(1)
                connection[1].close()
                connection = await asyncio.open_connection(*address)
        connection[1].close()

    await asyncio.gather(*(client() for _ in range(connections)))
    times.sort()
    return {
        "statuses": dict(statuses),
        "per_second": len(times) / seconds,
        "median_s": times[len(times) // 2],
        "p99_s": times[len(times) * 99 // 100],
    }


async def loris(address, form):
    """A thousand sockets send a byte a second of a head; others are answered meanwhile."""

    async def slow():
        try:
            _, writer = await asyncio.open_connection(*address)
            for byte in head(10)[:40]:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(1)
        except OSError:
            return True
        return False

    slowly = [asyncio.create_task(slow()) for _ in range(LORIS)]
    await asyncio.sleep(3)
    told = await steady(address, form, 8, 20)
    cut = sum(await asyncio.gather(*slowly))
    return {**told, "sockets": LORIS, "cut_off": cut}


async def endless(address):
    """A body of ten gigabytes."""
    reader, writer = await asyncio.open_connection(*address)
    writer.write(head(10 << 30) + as_form("large.png", b"")[: -len(BOUNDARY) - 8])
    sent, piece = 0, bytes(1 << 20)
    answered = asyncio.create_task(answer(reader))
    try:
        while sent < 10 << 30 and not answered.done():
            writer.write(piece)
            await writer.drain()
            sent += len(piece)
    except OSError:
        pass
    try:
        status = await answered
    except (OSError, asyncio.IncompleteReadError) as error:
        status = type(error).__name__
    return {"sent_mb": sent >> 20, "status": status}


async def hostile(address, folder):
    """Files that are odd or broken, 32 at once."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size < 1 << 20)
    dice, statuses = random.Random(1), collections.Counter()
    whole = iter(files)

    async def client():
        connection = await asyncio.open_connection(*address)
        while sum(statuses.values()) < HOSTILE:
            path = next(whole, None)
            data = bytearray((path or dice.choice(files)).read_bytes())
            if path is None and data:
                data = data[: dice.randrange(len(data)) + 1] if dice.random() < 0.3 else data
                for _ in range(dice.randrange(1, 30)):
                    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
            try:
                status = await ask(connection, as_form("a.png", bytes(data)))
            except (OSError, asyncio.IncompleteReadError) as error:
                status = type(error).__name__
                connection = await asyncio.open_connection(*address)
            statuses[status] += 1
        connection[1].close()

    await asyncio.gather(*(client() for _ in range(32)))
    return {"files": len(files), "statuses": dict(statuses)}


async def nothing():
    return {}


if __name__ == "__main__":
    main()
