#!/usr/bin/env python3
"""Compares one `remrembg serve` with two that share a Redis behind HAProxy, and kills one of them at work.

    several.py REMREMBG PICTURE [--seconds N] [--connections N]

REMREMBG is the program, PICTURE what is sent. Each server has one core of its own, as if it were a machine, and one
server with the same Redis behind the same proxy stands beside them; clients, proxy and Redis share those cores.
It needs redis-server, haproxy and taskset. What is printed is JSON.
"""

import argparse
import asyncio
import contextlib
import json
import pathlib
import socket
import statistics
import subprocess
import tempfile
import time

from load import Service, as_form, ask, steady

PROXY = """
defaults
    mode http
    timeout connect 2s
    timeout client 5m
    timeout server 5m
    option forwardfor
    option redispatch
    retries 2
frontend public
    bind 127.0.0.1:{port}
    default_backend servers
backend servers
    balance leastconn
    option httpchk GET /health/ready
    default-server check inter 1s fall 1 rise 1
{servers}
"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("picture", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--connections", type=int, default=8)
    words = parser.parse_args()
    form = as_form(words.picture.name, words.picture.read_bytes())
    with contextlib.ExitStack() as ends, tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        accounts = Accounts(words.program, redis(ends, folder))
        key = accounts.user()
        flags = ["--redis", accounts.url, "--threads", "1", "--in-flight", "1"]
        servers = [ends.enter_context(Service(words.program, flags, ["taskset", "-c", str(core)])) for core in (0, 1)]
        direct = servers[0].address
        one, two = proxy(ends, folder, servers[:1]), proxy(ends, folder, servers)
        time.sleep(2)
        print(json.dumps(costs(direct, key)), flush=True)
        for name, address in [("alone", direct), ("one behind the proxy", one), ("two behind the proxy", two)] * 3:
            told = asyncio.run(steady(address, form, words.connections, words.seconds, key))
            print(json.dumps({name: told}), flush=True)
        before = accounts.used()
        told = asyncio.run(killed(two, form, words.connections, servers[1], key))
        print(json.dumps({"killed": {**told, "charged": accounts.used() - before}}), flush=True)


class Accounts:
    """The commands for the users of one Redis."""

    def __init__(self, program, url):
        self.program, self.url = program, url

    def run(self, *words):
        command = [self.program, *words, "--redis", self.url]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def user(self):
        """Adds one, and gives a key of it."""
        self.run("users", "add", "anna", "--email", "anna@example.com", "--credits", "1000000")
        return self.run("keys", "create", "anna")

    def used(self):
        return json.loads(self.run("usage", "anna", "--json"))["api_usage"]


def redis(ends, folder):
    path = folder / "redis"
    kept = ["--dir", folder, "--save", "", "--appendonly", "yes"]
    begin(ends, ["redis-server", "--port", "0", "--unixsocket", path, *kept])
    while not path.exists():
        time.sleep(0.05)
    return f"unix://{path}"


def proxy(ends, folder, servers):
    """Gives the address of one before these servers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    lines = [f"    server s{number} {server.address[0]}:{server.address[1]}" for number, server in enumerate(servers)]
    config = folder / f"{port}.cfg"
    config.write_text(PROXY.format(port=port, servers="\n".join(lines)))
    begin(ends, ["haproxy", "-db", "-f", config])
    return ("127.0.0.1", port)


def begin(ends, command):
    process = ends.enter_context(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    ends.callback(process.terminate)


def costs(address, key):
    """Milliseconds of a request whose form is refused: key, limits and a credit that is held and given back."""

    async def ask_often():
        connection = await asyncio.open_connection(*address)
        times = []
        for _ in range(3000):
            start = time.perf_counter()
            assert await ask(connection, b"------remrembg--\r\n", key) == 400
            times.append((time.perf_counter() - start) * 1000)
        return times

    times = sorted(asyncio.run(ask_often())[500:])
    return {"refused form": {"median_ms": statistics.median(times), "p99_ms": times[len(times) * 99 // 100]}}


async def killed(address, form, connections, server, key):
    """Load for twenty seconds; after five, one server is killed."""

    async def kill():
        await asyncio.sleep(5)
        server.process.kill()

    told, _ = await asyncio.gather(steady(address, form, connections, 20, key), kill())
    return told


if __name__ == "__main__":
    main()
