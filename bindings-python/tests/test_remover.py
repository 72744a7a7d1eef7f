"""The library: settings, callbacks, stops, threads and event loops."""

from __future__ import annotations

import asyncio
import gc
import io
import os
import subprocess
import sys
import threading
import time
import weakref

import pytest
from PIL import Image

import remrembg
from pictures import half_red, picture

STAGES = ["decode", "segment", "refine", "cut_out", "encode"]


def test_a_remover_tells_what_it_runs_on():
    remover = remrembg.Remover(engine="rten", threads="2")
    engine = remover.engine
    assert (remover.model, engine.name, engine.threads, engine.library) == ("u2netp", "rten", 2, None)
    assert repr(remover) == "Remover(engine='rten', threads='2')"


def test_wrong_settings_are_all_told_at_once():
    with pytest.raises(remrembg.ValidationError) as caught:
        remrembg.Remover(threads=-1, max_side="wide", zoom=1)
    assert [problem["field"] for problem in caught.value.details] == ["threads", "max_side", "zoom"]


def test_limits_are_settings(tiny_settings):
    remover = remrembg.Remover(**tiny_settings, max_side=7, max_bytes=2**20)
    with pytest.raises(remrembg.ValidationError, match=r"Image width \(8px\) exceeds the maximum allowed width of 7px"):
        remover.rmbg(picture())


def test_onnxruntime_is_found_where_it_is_installed_without_being_imported(tiny_settings):
    code = (
        "import sys, remrembg\n"
        f"engine = remrembg.Remover(model={str(tiny_settings['model'])!r}, model_recipe='size=8').engine\n"
        "assert 'onnxruntime' not in sys.modules\n"
        "assert engine.name == 'onnxruntime' and 'site-packages' in engine.library, engine\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_bundled_model_runs_on_our_own_engine_unless_onnxruntime_is_asked_for():
    engine = remrembg.Remover().engine
    assert (engine.name, engine.provider, engine.library, engine.fallback) == ("native", "CPU", None, None)
    assert remrembg.Remover(engine="onnxruntime").engine.name == "onnxruntime"
    assert remrembg.Remover(providers="cpu").engine.name == "native"


def test_progress_tells_each_stage_from_start_to_end(tiny):
    told = []
    tiny.rmbg(picture(), format="png", progress=lambda stage, fraction: told.append((stage, fraction)))
    assert list(dict.fromkeys(stage for stage, fraction in told if fraction == 0)) == STAGES
    assert [stage for stage, fraction in told if fraction == 1] == STAGES
    assert all(0 <= fraction <= 1 for _, fraction in told)


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("fraction", [0, 1])
def test_what_a_callback_raises_ends_the_removal_and_comes_out(tiny, stage, fraction):
    class Mine(Exception):
        pass

    told = []

    def progress(name, so_far):
        told.append(name)
        if (name, so_far) == (stage, fraction):
            raise Mine(stage)

    with pytest.raises(Mine, match=stage) as caught:
        tiny.rmbg(picture(), progress=progress)
    assert caught.value.__traceback__ is not None
    assert told[-1] == stage, "nothing is told after it"
    assert tiny.rmbg(picture())


def test_a_callback_may_use_the_remover(tiny):
    inner = []
    tiny.rmbg(picture(), progress=lambda stage, fraction: inner.append(tiny.rmbg(picture())))
    assert len(set(inner)) == 1


def test_a_token_stops_what_runs_and_what_comes(tiny):
    token = remrembg.CancelToken()
    assert not token.cancelled

    def progress(stage, fraction):
        if stage == "segment":
            token.cancel()

    with pytest.raises(remrembg.CancelledError):
        tiny.rmbg(picture(), cancel=token, progress=progress)
    assert token.cancelled
    with pytest.raises(remrembg.CancelledError):
        tiny.remove(picture(), cancel=token)
    child = remrembg.CancelToken(token)
    assert child.cancelled
    outcomes = list(tiny.remove_many([picture()] * 3, cancel=token))
    assert [type(outcome.error) for outcome in outcomes] == [remrembg.CancelledError] * 3


def test_other_threads_run_while_it_works(photo):
    """A thread counts in which hundredths of a second it ran; a call that kept the interpreter would leave it a few."""
    remover = remrembg.Remover(engine="rten", threads=1)
    done, ran = threading.Event(), set()

    def work():
        remover.rmbg(photo)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    while not done.is_set():
        ran.add(int(time.monotonic() * 100))
    thread.join()
    assert len(ran) > 10, ran


def test_a_file_object_is_the_mask_of_all_pictures(tiny):
    mask = io.BytesIO()
    Image.new("L", (8, 8), 255).save(mask, "PNG")
    for many in (tiny.remove_many, collected_async(tiny)):
        mask.seek(0)
        outcomes = list(many([picture()] * 6, mask_from=mask))
        assert [outcome.error for outcome in outcomes] == [None] * 6


def collected_async(remover):
    async def collected(images, options):
        return [outcome async for outcome in remover.remove_many_async(images, **options)]

    return lambda images, **options: asyncio.run(collected(images, options))


def test_warnings_are_of_the_line_that_asked_and_callbacks_see_its_context(tiny):
    import contextvars

    black, request, seen = Image.new("RGB", (8, 8)), contextvars.ContextVar("request"), []

    async def ask():
        request.set("mine")
        with pytest.warns(remrembg.NothingFoundWarning) as warned:
            await tiny.remove_async(black, on_found=lambda found: seen.append(request.get()))
        return warned

    assert [one.filename for one in asyncio.run(ask())] == [__file__]
    assert seen == ["mine"]
    with pytest.warns(UserWarning, match="passes over") as warned:
        tiny.remove(half_red(), foo=1)
        remrembg.new_session("u2netp", gpu=1)
    assert [one.filename for one in warned if "passes over" in str(one.message)] == [__file__] * 2


def test_any_number_of_threads_may_share_one(tiny):
    expected = tiny.rmbg(picture())
    made = []
    threads = [threading.Thread(target=lambda: made.extend(tiny.rmbg(picture()) for _ in range(20))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 160 and set(made) == {expected}


def test_async_calls_leave_the_loop_free(photo):
    async def main():
        remover = remrembg.Remover(threads=1)
        ticks = 0
        task = asyncio.create_task(remover.rmbg_async(photo))
        while not task.done():
            await asyncio.sleep(0)
            ticks += 1
        assert ticks > 20
        return await task

    assert asyncio.run(main()) == remrembg.Remover(threads=1).rmbg(photo)


def test_cancelling_a_task_stops_its_removal(tiny_settings):
    stages, go = [], threading.Event()

    async def main():
        remover = remrembg.Remover(**tiny_settings, in_flight=1)
        begun, loop = asyncio.Event(), asyncio.get_running_loop()

        def progress(stage, fraction):
            stages.append(stage)
            if stage == "segment":
                loop.call_soon_threadsafe(begun.set)
                go.wait(60)

        task = asyncio.create_task(remover.rmbg_async(picture(), progress=progress))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go.set()
        await remover.rmbg_async(picture())  # There is one place: the first has left it.

    asyncio.run(main())
    assert stages[-1] == "segment", "it went no further"


def test_errors_come_out_of_async_calls(tiny):
    async def main():
        with pytest.raises(remrembg.ValidationError):
            await tiny.remove_async(b"")

        def progress(stage, fraction):
            raise LookupError("mine")

        with pytest.raises(LookupError, match="mine"):
            await tiny.remove_async(picture(), progress=progress)

    asyncio.run(main())


def test_a_callback_that_raises_stop_iteration_does_not_hang_a_task(tiny):
    async def main():
        def progress(stage, fraction):
            raise StopIteration

        with pytest.raises(RuntimeError, match="StopIteration"):
            await tiny.rmbg_async(picture(), progress=progress)

    asyncio.run(asyncio.wait_for(main(), 20))


def test_functions_share_one_model_however_many_threads_ask_first():
    code = (
        "import threading, remrembg\n"
        "from remrembg import _shared\n"
        "made = []\n"
        "threads = [threading.Thread(target=lambda: made.append(_shared.default())) for _ in range(8)]\n"
        "[thread.start() for thread in threads]; [thread.join() for thread in threads]\n"
        "assert len(set(map(id, made))) == 1\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_tokens_may_be_nested_without_end():
    token = first = remrembg.CancelToken()
    for _ in range(2000):
        token = remrembg.CancelToken(token)
    assert not token.cancelled
    first.cancel()
    assert token.cancelled


def test_nothing_is_kept_after_a_removal(tiny):
    image = Image.new("RGB", (8, 8))
    data = io.BytesIO(picture())
    kept = [weakref.ref(image), weakref.ref(data)]
    tiny.remove(image)
    tiny.rmbg(data)
    del image, data
    gc.collect()
    assert [reference() for reference in kept] == [None, None]


def test_a_remover_goes_when_nobody_has_it(tiny_settings):
    before = used()
    for _ in range(20):
        remrembg.Remover(**tiny_settings).rmbg(picture())
    gc.collect()
    assert used() <= before


def used():
    """How many threads there are, native ones among them, and how many open files."""
    if not os.path.isdir("/proc/self/task"):
        pytest.skip("needs /proc")
    return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))
