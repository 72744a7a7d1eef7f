"""Many pictures at once, in a loop and beside an event loop."""

from __future__ import annotations

import asyncio
import gc
import io
import time

import numpy
import pytest
from PIL import Image

import remrembg
from pictures import picture


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


@pytest.mark.filterwarnings("error::remrembg.NothingFoundWarning")
def test_a_warning_that_is_an_error_is_the_pictures_own(tiny):
    pictures = [picture(), Image.new("RGB", (8, 8)), picture(), picture()]

    async def main():
        return [outcome async for outcome in tiny.remove_many_async(pictures, jobs=1)]

    for outcomes in (list(tiny.remove_many(pictures, jobs=1)), asyncio.run(main())):
        assert [outcome.image for outcome in outcomes] == pictures
        kinds = [type(outcome.error) for outcome in outcomes]
        assert kinds == [type(None), remrembg.NothingFoundWarning, type(None), type(None)]


def test_what_the_caller_throws_in_between_is_the_callers(tiny):
    outcomes = tiny.remove_many([picture()] * 3, jobs=1)
    next(outcomes)
    with pytest.raises(KeyError, match="mine"):
        outcomes.throw(KeyError("mine"))
    assert list(outcomes) == []


def test_a_wrong_option_is_told_before_any_picture_is_taken(tiny):
    with pytest.raises(TypeError, match="olny_mask"):
        tiny.remove_many(iter([]), olny_mask=True)
    with pytest.raises(TypeError, match="olny_mask"):
        tiny.remove_many_async(iter([]), olny_mask=True)
    with pytest.raises(ValueError, match="jobs must be at least 0, got: -1"):
        tiny.remove_many([], jobs=-1)


def test_leaving_a_loop_does_not_cancel_the_callers_token(tiny):
    token = remrembg.CancelToken()
    next(iter(tiny.remove_many([picture()] * 3, cancel=token)))
    gc.collect()
    assert not token.cancelled


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
    async def source():
        for event in given:
            yield picture()
            # Nothing more comes before the result is there.
            await event.wait()
        await asyncio.Event().wait()

    async def main():
        given.extend(asyncio.Event() for _ in range(3))
        outcomes = tiny.remove_many_async(source(), jobs=8)
        for event in given:
            assert (await asyncio.wait_for(outcomes.__anext__(), 60)).error is None
            event.set()
        await outcomes.aclose()

    given = []
    asyncio.run(main())


@pytest.mark.parametrize("waits", [True, False])
def test_an_asynchronous_source_ends_with_the_loop_and_is_let_finish(tiny, waits):
    ended = []

    async def source():
        try:
            while True:
                yield picture()
                if waits:
                    await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            ended.append(True)

    async def main():
        given = source()
        outcomes = tiny.remove_many_async(given, jobs=2)
        assert (await outcomes.__anext__()).error is None
        await outcomes.aclose()
        assert ended == [True]

    asyncio.run(main())


def test_an_event_loop_begins_before_the_source_is_at_its_end(tiny):
    begun = []

    def source():
        yield picture()
        yield picture()
        # The first has begun when the second was taken; a thread may need a while to tell so.
        end = time.monotonic() + 60
        while not begun and time.monotonic() < end:
            time.sleep(0.001)
        seen.extend(begun)

    async def main():
        options = {"jobs": 8, "progress": lambda stage, fraction: begun.append(stage)}
        return [outcome async for outcome in tiny.remove_many_async(source(), **options)]

    seen = []
    assert asyncio.run(main()) and seen, "not all at the end"


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
