#!/usr/bin/env python3
"""Runs the tests of every language, then counts them and names each that was skipped.

    run_tests.py [SUITE...]    rust, python, node, quality; all of them without a word

Every suite runs, also after one that failed, and two at a time, as each waits for a part of its time. Where rust is
one of several, all of Rust is compiled before the first.
"""

import concurrent.futures
import os
import re
import subprocess
import sys

#: suite: how its runner tells of passed, failed and skipped tests, and of one that was skipped. The longest come first.
SUITES = {
    "rust": (
        r"^test result: .* (?P<passed>\d+) passed; (?P<failed>\d+) failed; (?P<skipped>\d+) ignored",
        r"^test (.* \.\.\. ignored.*)$",
    ),
    "node": (r"^(?:ℹ|#) (?P<kind>pass|fail|skipped) (?P<count>\d+)$", r"^\s*﹣ (.*)$"),
    "python": (r"^=+ .*\d+ (passed|failed|skipped).* in .*=+$", r"^SKIPPED (.*)$"),
    "quality": (r"^=+ .*\d+ (passed|failed|skipped).* in .*=+$", r"^SKIPPED (.*)$"),
}
KINDS = {"pass": "passed", "fail": "failed"}
#: What tests start listens there, and no proxy of the environment reaches it.
OWN_MACHINE = "127.0.0.1,localhost"
MAKE = [os.environ.get("MAKE", "make"), "--no-print-directory"]
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def main(names):
    if any(name not in SUITES for name in names):
        sys.exit(__doc__)
    names = names or list(SUITES)
    for variable in ("NO_PROXY", "no_proxy"):
        os.environ[variable] = ",".join(filter(None, [os.environ.get(variable), OWN_MACHINE]))
    if len(names) > 1:
        # Once, for suites that would both set up or compile the same. What cannot be had fails the suite that needs it.
        for target in ["test-setup", *(["compile-tests"] if "rust" in names else [])]:
            subprocess.run([*MAKE, target])
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        results = list(threads.map(lambda name: run(name, prefix=f"{name}: " if len(names) > 1 else ""), names))
    for name, status, counts, skipped in results:
        print(f"\n{name}: {told(counts)}{'' if status == 0 else f', and make ended with {status}'}")
        for test in skipped:
            print(f"  skipped: {test}")
    total = {kind: sum(counts[kind] for _, _, counts, _ in results) for kind in ("passed", "failed", "skipped")}
    print(f"\n{told(total)}")
    sys.exit(any(status or counts["passed"] == 0 for _, status, counts, _ in results))


def run(name, prefix=""):
    """Its name, how it ended, its counts, and what it skipped; all that it says is passed on, behind the prefix."""
    print(f"\n== {name}", flush=True)
    summary, skip = (re.compile(pattern) for pattern in SUITES[name])
    counts, skipped = {"passed": 0, "failed": 0, "skipped": 0}, []
    with subprocess.Popen([*MAKE, f"test-{name}"], stdout=subprocess.PIPE, text=True, errors="replace") as process:
        for line in process.stdout:
            print(prefix + line, end="", flush=True)
            line = COLOURS.sub("", line.rstrip())
            if match := skip.match(line):
                skipped.append(match.group(1))
            if match := summary.match(line):
                for kind, count in counted(match):
                    counts[kind] += count
    return name, process.returncode, counts, skipped


def counted(match):
    """What one line of a runner counts: pairs of a kind and a number."""
    found = match.groupdict()
    if "kind" in found:
        yield KINDS.get(found["kind"], found["kind"]), int(found["count"])
    elif "passed" in found:
        yield from ((kind, int(count)) for kind, count in found.items())
    else:
        for count, kind in re.findall(r"(\d+) (passed|failed|skipped|error)", match.group()):
            yield "failed" if kind == "error" else kind, int(count)


def told(counts):
    return f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped"


if __name__ == "__main__":
    main(sys.argv[1:])
