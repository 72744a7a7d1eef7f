"""A remover among processes: pickled, forked, interrupted, and left at the end."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading

import pytest

import remrembg
from pictures import picture


def test_subclasses_of_a_remover_pickle_with_what_is_theirs(tiny_settings):
    copy = pickle.loads(pickle.dumps(Named("mine", **tiny_settings)))
    assert (type(copy), copy.name) == (Named, "mine")
    assert copy.rmbg(picture())


class Named(remrembg.Remover):
    def __init__(self, name, **settings):
        super().__init__(**settings)
        self.name = name


def test_a_remover_pickles_as_its_settings(tiny_settings):
    remover = remrembg.Remover(**tiny_settings, threads=1)
    copy = pickle.loads(pickle.dumps(remover))
    assert repr(copy) == repr(remover)
    assert copy.rmbg(picture()) == remover.rmbg(picture())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_remover_works_in_the_child_of_a_fork(tiny):
    expected = tiny.rmbg(picture())
    child = os.fork()
    if child == 0:
        os._exit(0 if tiny.rmbg(picture()) == expected else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert tiny.rmbg(picture()) == expected


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_pictures_that_were_begun_before_a_fork_are_refused_in_the_child(tiny):
    outcomes = tiny.remove_many([picture()] * 6, jobs=2)
    assert next(outcomes).get()
    child = os.fork()
    if child == 0:
        signal.alarm(60)
        try:
            # What was done at the fork may still come.
            list(outcomes)
        except RuntimeError as error:
            os._exit(0 if "before a fork" in str(error) else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len([outcome.get() for outcome in outcomes]) == 5


@pytest.mark.parametrize("engine", ["auto", "rten"])
@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_processes_share_a_remover_by_its_settings(photo, method, engine, tiny_settings):
    settings = tiny_settings if engine == "rten" else {}
    remover = remrembg.Remover(**settings, threads=1)
    expected = remover.rmbg(photo)
    with multiprocessing.get_context(method).Pool(2) as pool:
        made = pool.map(remover.rmbg, [str(photo)] * 4)
        with pytest.raises(remrembg.ValidationError, match="0 bytes"):
            pool.apply(remover.rmbg, (b"",))
    assert made == [expected] * 4


INTERRUPTED = """
import sys, threading, remrembg
remover = remrembg.Remover(engine="rten", threads=1)
def progress(stage, fraction):
    if stage == "segment":
        sys.stdout.write("begun\\n")
        sys.stdout.flush()
try:
    {call}
except KeyboardInterrupt:
    print("interrupted", flush=True)
    assert remover.rmbg(sys.argv[1])
    print("and well", flush=True)
"""


@pytest.mark.parametrize(
    "call",
    [
        "[remover.rmbg(sys.argv[1], progress=progress) for _ in iter(int, 1)]",
        "list(remover.remove_many([sys.argv[1]] * 1000, jobs=2, progress=progress))",
        "import asyncio; [asyncio.run(remover.rmbg_async(sys.argv[1], progress=progress)) for _ in iter(int, 1)]",
    ],
)
def test_ctrl_c_stops_at_once(photo, call):
    code = INTERRUPTED.format(call=call)
    words = [sys.executable, "-c", code, str(photo)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, preexec_fn=default_interrupt) as process:
        end = threading.Timer(120, process.kill)
        end.start()
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read().replace("begun\n", "")
        end.cancel()
    assert rest == "interrupted\nand well\n"
    assert process.returncode == 0


def test_ctrl_c_is_heard_within_an_inference(photo):
    """No callback lets the interpreter in meanwhile."""
    code = """
import os, signal, sys, threading, time, remrembg
remover = remrembg.Remover(engine="native", threads=1)
remover.rmbg(sys.argv[1])
start = time.process_time()
remover.rmbg(sys.argv[1])
whole = time.process_time() - start
start = time.process_time()
try:
    threading.Timer(whole / 5, os.kill, (os.getpid(), signal.SIGINT)).start()
    remover.rmbg(sys.argv[1])
    sys.exit("it went on to its end")
except KeyboardInterrupt:
    took = time.process_time() - start
assert took < 0.7 * whole, (took, whole)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(photo)],
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=default_interrupt,
    )
    assert (done.returncode, done.stderr) == (0, "")


def default_interrupt():
    """A shell's background jobs ignore Ctrl-C, and so would what they start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_a_daemon_thread_in_the_middle_of_a_removal_does_not_spoil_the_exit(photo):
    code = (
        "import sys, threading, time, remrembg\n"
        "remover = remrembg.Remover(engine='rten', threads=1)\n"
        "begun = threading.Event()\n"
        "def work():\n"
        "    remover.rmbg(sys.argv[1], progress=lambda stage, fraction: stage == 'segment' and begun.set())\n"
        "threading.Thread(target=work, daemon=True).start()\n"
        "begun.wait()\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(photo)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_thread_finishes_many_pictures_after_the_main_one_has_ended(tiny_settings):
    code = (
        "import asyncio, threading, remrembg\n"
        f"remover = remrembg.Remover({str(tiny_settings['model'])!r}, 'rten', model_recipe='size=8')\n"
        f"pictures = [bytes.fromhex({picture().hex()!r})] * 40\n"
        "async def later():\n"
        "    return [outcome.get() async for outcome in remover.remove_many_async(pictures)]\n"
        "def work():\n"
        "    threading.main_thread().join()\n"
        "    for made in ([outcome.get() for outcome in remover.remove_many(pictures)], asyncio.run(later())):\n"
        "        print(len(made), flush=True)\n"
        "threading.Thread(target=work).start()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "40\n40\n", "")


def test_pictures_that_are_left_halfway_hold_up_no_end(tiny_settings):
    code = (
        "import remrembg\n"
        f"remover = remrembg.Remover({str(tiny_settings['model'])!r}, 'rten', model_recipe='size=8')\n"
        f"outcomes = remover.remove_many([bytes.fromhex({picture().hex()!r})] * 40)\n"
        "next(outcomes)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_atexit_calls_too_late_is_told_why():
    code = (
        "import atexit\n"
        "def late():\n"
        "    try: remrembg.remove(b'')\n"
        "    except Exception as error: print(error)\n"
        "atexit.register(late)\n"
        "import remrembg\n"
    )
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, timeout=60)
    assert "the interpreter ends" in done.stdout, (done.stdout, done.stderr)


def test_a_thread_that_takes_no_end_for_an_answer_does_not_spoil_the_exit(tiny_settings):
    code = (
        "import threading, time, remrembg\n"
        f"remover = remrembg.Remover({str(tiny_settings['model'])!r}, 'rten', model_recipe='size=8')\n"
        "def work():\n"
        "    while True:\n"
        "        try: remover.rmbg(bytes.fromhex(DATA))\n"
        "        except BaseException: pass\n"
        f"DATA = {picture().hex()!r}\n"
        "for _ in range(4): threading.Thread(target=work, daemon=True).start()\n"
        "time.sleep(0.2)\n"
    )
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stderr) == (0, "")


def test_the_end_does_not_wait_for_pictures_that_were_not_begun(tiny_settings):
    code = (
        "import io, time, remrembg\n"
        f"remover = remrembg.Remover({str(tiny_settings['model'])!r}, 'rten', model_recipe='size=8')\n"
        "class Slow(io.BytesIO):\n"
        "    def read(self, *size):\n"
        "        if self.tell() == 0:\n"
        "            print(f'{self.number} began', flush=True)\n"
        "            time.sleep(5 if self.number else 0)\n"
        "        return super().read(*size)\n"
        "def slow(number):\n"
        f"    made = Slow(bytes.fromhex({picture().hex()!r}))\n"
        "    made.number = number\n"
        "    return made\n"
        "outcomes = remover.remove_many(map(slow, range(9)), jobs=2)\n"
        "print(next(outcomes).error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert "None" in done.stdout and "0 began" in done.stdout and "3 began" not in done.stdout, done.stdout


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.parametrize("engine", ["rten", "native"])
def test_a_fork_beside_a_thread_that_loads_a_model_leaves_a_child_that_works(tiny_settings, engine):
    settings = {"threads": 2} if engine == "native" else tiny_settings
    remover, over = remrembg.Remover(**settings), threading.Event()
    assert remover.engine.name == engine
    expected = remover.rmbg(picture())

    def load():
        while not over.is_set():
            remrembg.Remover(**settings)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        for _ in range(10):
            child = os.fork()
            if child == 0:
                signal.alarm(20)
                os._exit(0 if remover.rmbg(picture()) == expected else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        over.set()
        thread.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_in_a_callback_leaves_a_child_that_ends(tiny_settings):
    code = (
        "import atexit, os, time\n"
        "at, children = [], []\n"
        # Hooks run last to first: these two around the package's own, whose time it is.
        "atexit.register(lambda: children and not children[0] and os._exit(int(time.monotonic() - at[0] > 2)))\n"
        "import remrembg\n"
        "atexit.register(lambda: at.append(time.monotonic()))\n"
        f"remover = remrembg.Remover({str(tiny_settings['model'])!r}, 'rten', model_recipe='size=8')\n"
        "def progress(stage, fraction):\n"
        "    if not children: children.append(os.fork())\n"
        f"try: remover.rmbg(bytes.fromhex({picture().hex()!r}), progress=progress)\n"
        "except remrembg.EngineError: pass\n"
        "if children[0]: assert os.waitpid(children[0], 0)[1] == 0\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_signal_handler_may_wait_for_the_others(tiny_settings):
    """The main thread waits for a place, and its handler for the thread that has the place."""
    code = (
        "import signal, threading, os, time, remrembg\n"
        f"remover = remrembg.Remover({str(tiny_settings['model'])!r}, 'rten', model_recipe='size=8', in_flight=1)\n"
        f"data, inside, go = bytes.fromhex({picture().hex()!r}), threading.Event(), threading.Event()\n"
        "def progress(stage, fraction):\n"
        "    inside.set(); go.wait()\n"
        "def handler(*_):\n"
        "    go.set(); worker.join(); remover.rmbg(data)\n"
        "signal.signal(signal.SIGTERM, handler)\n"
        "worker = threading.Thread(target=lambda: remover.rmbg(data, progress=progress))\n"
        "worker.start(); inside.wait()\n"
        "threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()\n"
        "assert remover.rmbg(data)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
