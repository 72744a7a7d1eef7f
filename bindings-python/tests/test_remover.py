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

import numpy
import pytest
from PIL import Image

import remrembg
from pictures import picture

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


def test_many_come_in_order_and_a_bad_one_spoils_no_other(tiny):
    pictures = [picture((8 + number, 8)) for number in range(20)]
    pictures[3] = b"no picture"
    outcomes = list(tiny.remove_many(pictures, jobs=4))
    assert [outcome.image for outcome in outcomes] == pictures
    widths = [Image.open(io.BytesIO(outcome.get())).width for outcome in outcomes if outcome.error is None]
    assert widths == [8 + number for number in range(20) if number != 3]
    bad = outcomes[3]
    assert bad.result is None and isinstance(bad.error, remrembg.ValidationError)
    with pytest.raises(remrembg.ValidationError):
        bad.get()


def test_many_give_back_what_they_got(tiny):
    array = numpy.zeros((8, 8, 3), numpy.uint8)
    image = Image.new("RGB", (8, 8))
    made = [outcome.get() for outcome in remrembg.remove_many([array, image, picture()], session=tiny, w=4)]
    assert (made[0].shape, made[1].size, type(made[2])) == ((4, 4, 4), (4, 4), bytes)


def test_many_take_no_more_than_they_need(tiny):
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield picture()

    for number, outcome in enumerate(tiny.remove_many(endless(), jobs=2)):
        assert outcome.error is None
        if number == 4:
            break
    assert len(taken) <= 4 + 2 * 2 + 1


def test_what_the_source_of_pictures_raises_comes_out(tiny):
    def source():
        yield picture()
        raise KeyError("mine")

    outcomes = tiny.remove_many(source(), jobs=4)
    assert next(outcomes).error is None
    with pytest.raises(KeyError, match="mine"):
        next(outcomes)


def test_what_an_asynchronous_source_raises_comes_out_after_its_pictures(tiny):
    async def source():
        yield picture()
        raise KeyError("mine")

    async def main():
        outcomes = tiny.remove_many_async(source(), jobs=4)
        assert (await outcomes.__anext__()).error is None
        with pytest.raises(KeyError, match="mine"):
            await outcomes.__anext__()

    asyncio.run(main())


def test_a_wrong_option_is_told_before_any_picture_is_taken(tiny):
    with pytest.raises(TypeError, match="olny_mask"):
        tiny.remove_many(iter([]), olny_mask=True)
    with pytest.raises(TypeError, match="olny_mask"):
        tiny.remove_many_async(iter([]), olny_mask=True)
    with pytest.raises(ValueError, match="jobs must be at least 0, got: -1"):
        tiny.remove_many([], jobs=-1)


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


def test_leaving_a_loop_does_not_cancel_the_callers_token(tiny):
    token = remrembg.CancelToken()
    next(iter(tiny.remove_many([picture()] * 3, cancel=token)))
    gc.collect()
    assert not token.cancelled


def test_other_threads_run_while_it_works(photo):
    remover = remrembg.Remover(engine="rten", threads=1)
    done = threading.Event()

    def work():
        remover.rmbg(photo)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    steps = 0
    while not done.is_set():
        steps += 1
    thread.join()
    assert steps > 10_000


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


def test_many_come_from_and_to_an_event_loop(tiny):
    async def source():
        for number in range(6):
            await asyncio.sleep(0)
            yield b"" if number == 2 else picture((8 + number, 8))

    async def main():
        got = [outcome async for outcome in tiny.remove_many_async(source(), jobs=2)]
        again = [outcome async for outcome in tiny.remove_many_async([picture()] * 3)]
        async for _ in tiny.remove_many_async(source()):
            break
        return got, again

    got, again = asyncio.run(main())
    assert [outcome.error is None for outcome in got] == [True, True, False, True, True, True]
    assert Image.open(io.BytesIO(got[5].get())).width == 13
    assert len(again) == 3


def test_an_asynchronous_source_that_waits_holds_back_nothing_that_is_done(tiny):
    ended = []

    async def source():
        try:
            for number in range(3):
                yield picture()
                # Nothing more comes before the result is there.
                await asyncio.wait_for(given[number].wait(), 60)
            await asyncio.Event().wait()
        finally:
            ended.append(True)

    async def main():
        given.extend(asyncio.Event() for _ in range(3))
        outcomes = tiny.remove_many_async(source(), jobs=8)
        for event in given:
            assert (await outcomes.__anext__()).error is None
            event.set()
        await outcomes.aclose()
        assert ended == [True], "the source ends with the loop"

    given = []
    asyncio.run(main())


def test_an_event_loop_takes_no_more_than_it_needs(tiny):
    taken = []

    async def endless():
        while True:
            taken.append(1)
            yield picture()

    async def main():
        number = 0
        async for outcome in tiny.remove_many_async(endless(), jobs=2):
            number += 1
            assert outcome.error is None and len(taken) <= number + 2 * 2
            if number == 12:
                break

    asyncio.run(main())


@pytest.mark.parametrize(("options", "expected"), [({}, 2 * 3), ({"jobs": 2}, 2 * 2)])
def test_twice_as_many_are_taken_as_jobs_and_those_are_as_many_as_the_remover_holds(tiny_settings, options, expected):
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield picture()

    def progress(stage, fraction):
        # None is done before so many are taken.
        end = time.monotonic() + 60
        while len(taken) < expected:
            assert time.monotonic() < end, f"{len(taken)} are taken"
            time.sleep(0.001)

    remover = remrembg.Remover(**{**tiny_settings, "in_flight": 3})
    for number, outcome in enumerate(remover.remove_many(endless(), progress=progress, **options)):
        assert outcome.error is None and len(taken) <= number + expected
        if number == 12:
            break


def test_one_picture_is_not_many(tiny):
    for image in ("photo.jpg", picture()):
        with pytest.raises(TypeError, match="images must be an iterable of pictures"):
            tiny.remove_many(image)


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


def test_a_result_comes_while_the_source_goes_on(tiny):
    outcomes, seen = [], []

    def source():
        # Fewer than two for each job, from where on it waits for one in any case.
        for number in range(15):
            yield picture()
            if outcomes:
                seen.append(number)
                return
            time.sleep(0.02)

    for outcome in tiny.remove_many(source(), jobs=8):
        outcomes.append(outcome)
    assert seen, "not all at the end"


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
