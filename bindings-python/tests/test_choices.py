"""What can be chosen of a cut-out: masks, edges, colours, prompts."""

from __future__ import annotations

import io

import numpy
import pytest
from PIL import Image

import remrembg
from pictures import encoded, half_red, opened
from remrembg import remove


def test_only_mask_gives_the_mask_alone(tiny):
    mask = remove(half_red(), session=tiny, only_mask=True)
    assert (mask.mode, mask.getpixel((1, 4)), mask.getpixel((6, 4))) == ("L", 255, 0)
    assert mask.tobytes() == remove(half_red(), session=tiny, only_mask=True, bgcolor=(1, 2, 3, 4)).tobytes()
    assert mask.tobytes() == remove(half_red(), session=tiny, only_mask=True, alpha_matting=True).tobytes()


def test_bgcolor_is_put_behind_and_the_result_is_still_rgba(tiny):
    for color in ((10, 200, 30, 255), "#0ac81e"):
        made = remove(half_red(), session=tiny, bgcolor=color)
        assert (made.mode, made.getpixel((1, 4)), made.getpixel((6, 4))) == (
            "RGBA",
            (255, 0, 0, 255),
            (10, 200, 30, 255),
        )
    assert opened(remove(encoded(half_red()), session=tiny, bgcolor=(10, 200, 30, 255))).mode == "RGBA"
    clear = remove(half_red(), session=tiny, bgcolor=(10, 200, 30, 100))
    assert clear.getpixel((6, 4)) == (10, 200, 30, 100)


def test_putalpha_keeps_the_colours_under_full_transparency(tiny):
    wide = half_red((64, 8))
    assert remove(wide, session=tiny, putalpha=True).getpixel((60, 4)) == (0, 40, 80, 0)
    assert remove(wide, session=tiny).getpixel((60, 4)) == (0, 0, 0, 0)


def test_soft_edges_have_the_colours_of_the_picture_not_darker_ones(tiny):
    """rembg multiplies them by alpha and stores that as if it had not."""
    array = numpy.full((8, 8, 3), 200, numpy.uint8)
    array[:, :, 0] = numpy.linspace(0, 255, 8).astype(numpy.uint8)
    made = remove(array, session=tiny)
    soft = (made[:, :, 3] > 0) & (made[:, :, 3] < 255)
    assert soft.any()
    assert (made[soft][:, 1:3] == 200).all()


def test_post_process_mask_smooths_and_hardens(tiny):
    array = numpy.zeros((64, 64, 3), numpy.uint8)
    array[16:48, 8:32, 0] = 255
    soft = remove(array, session=tiny, only_mask=True, refine=False)
    hard = remove(array, session=tiny, only_mask=True, post_process_mask=True)
    assert set(numpy.unique(hard)) == {0, 255}
    assert len(numpy.unique(soft)) > 10
    assert hard[32, 20] == 255 and hard[32, 50] == 0


def test_alpha_matting_finds_the_blend_that_a_coarse_mask_misses(session_for_blend):
    session, picture, alpha = session_for_blend
    plain = remove(picture, session=session, refine=False)[:, :, 3]
    matted = remove(picture, session=session, refine=False, alpha_matting=True)
    off = lambda got: numpy.abs(got.astype(float) - alpha).mean()  # noqa: E731
    assert off(matted[:, :, 3]) < 3 < off(plain)
    half = numpy.abs(alpha - 128) < 60
    assert numpy.abs(matted[half][:, :3].astype(int) - (220, 30, 30)).max() < 40, "colours without the background's"


def test_refinement_finds_the_blend_too_and_its_colours(session_for_blend):
    session, picture, alpha = session_for_blend
    plain = remove(picture, session=session, refine=False, decontaminate=False)
    refined = remove(picture, session=session)
    off = lambda got: numpy.abs(got[:, :, 3].astype(float) - alpha).mean()  # noqa: E731
    assert off(refined) < 0.5 * off(plain)
    half = (numpy.abs(alpha - 128) < 60) & (refined[:, :, 3] > 40)
    far = lambda got: numpy.abs(got[half][:, :3].astype(int) - (220, 30, 30)).mean()  # noqa: E731
    assert far(refined) < 0.5 * far(remove(picture, session=session, decontaminate=False))


def test_a_mask_that_is_brought_stands_in_for_the_models(tiny):
    ramp = numpy.repeat(numpy.linspace(0, 255, 8).astype(numpy.uint8)[None], 8, axis=0)
    photo = half_red()
    for mask in (
        ramp,
        Image.fromarray(ramp),
        encoded(Image.fromarray(ramp)),
        io.BytesIO(encoded(Image.fromarray(ramp))),
    ):
        made = remove(photo, session=tiny, mask_from=mask, refine=False)
        assert (numpy.asarray(made)[:, :, 3] == ramp).all()
    with pytest.raises(remrembg.ValidationError) as error:
        remove(photo, session=tiny, mask_from=b"no picture")
    assert error.value.details[0]["field"] == "mask"


def test_a_trimap_is_solved_from_the_picture(session_for_blend):
    session, picture, alpha = session_for_blend
    trimap = numpy.where(alpha > 254, 255, numpy.where(alpha < 1, 0, 128)).astype(numpy.uint8)
    made = remove(picture, session=session, mask_from=trimap, trimap=True, only_mask=True)
    assert numpy.abs(made.astype(float) - alpha).mean() < 3
    with pytest.raises(remrembg.ValidationError, match="mask"):
        remove(picture, session=session, trimap=True)


def test_preset_and_compression_are_words_quality_is_a_number_and_anything_else_is_refused(tiny):
    for options in ({"preset": "fast"}, {"preset": "BEST"}, {"quality": 70}, {"compression": "small"}):
        assert remove(half_red(), session=tiny, **options).getpixel((1, 4))[3] == 255
    for key in ("preset", "compression"):
        with pytest.raises(remrembg.ValidationError, match=f"'{key}' must be one of .*, got: 'good'"):
            remove(half_red(), session=tiny, **{key: "good"})
    with pytest.raises(remrembg.ValidationError, match="'quality' must be an integer, got: 'best'"):
        remove(half_red(), session=tiny, quality="best")


def test_a_small_png_shows_the_same_as_a_fast_one_in_fewer_bytes(tiny, photo):
    fast, usual, small = (
        remove(photo.read_bytes(), session=tiny, format="png", compression=word) for word in ("fast", None, "small")
    )
    assert len(small) < len(usual) < len(fast)
    assert Image.open(io.BytesIO(small)).tobytes() == Image.open(io.BytesIO(fast)).tobytes()


def test_what_was_found_is_told_to_who_wants_to_hear(tiny):
    heard = []
    remove(half_red((64, 32)), session=tiny, refine=False, on_found=heard.append)
    tiny.rmbg(half_red((64, 32)), refine=False, on_found=heard.append)
    assert all(isinstance(found, remrembg.Found) for found in heard) and heard[0] == heard[1]
    coverage, (left, top, right, bottom), confidence = heard[0]
    assert 0.4 < coverage < 0.6 and 0.8 < confidence <= 1
    assert (left, top, bottom) == (0, 0, 32) and 30 <= right <= 40
    [outcome] = tiny.remove_many([half_red((64, 32))], refine=False)
    assert outcome.found == heard[0]
    [refused] = tiny.remove_many([b"no picture"])
    assert refused.found is None and refused.error is not None


def test_a_picture_in_which_nothing_is_found_is_warned_of(tiny):
    heard = []
    black = Image.new("RGB", (8, 8))
    with pytest.warns(remrembg.NothingFoundWarning, match="nothing was found in the picture") as warned:
        made = remove(black, session=tiny, on_found=heard.append)
    assert warned[0].filename == __file__
    for call in (lambda: tiny.remove(black), lambda: tiny.rmbg(black), lambda: next(tiny.remove_many([black]))):
        with pytest.warns(remrembg.NothingFoundWarning) as warned:
            call()
        assert [each.filename for each in warned] == [__file__]
    assert made.getextrema()[3] == (0, 0)
    assert heard == [(0.0, None, 0.0)]


def test_points_and_boxes_choose_among_subjects(tiny):
    both = numpy.zeros((32, 96, 3), numpy.uint8)
    both[8:24, 8:40, 0] = both[8:24, 56:88, 0] = 255
    kept = lambda **hints: remove(both, session=tiny, only_mask=True, refine=False, **hints)[16, [24, 72]] > 127  # noqa: E731
    assert kept().tolist() == [True, True]
    for keep in ((24, 16), [(24, 16)], "24,16", ["24,16"], (0, 0, 48, 32), numpy.array([24, 16])):
        assert kept(keep=keep).tolist() == [True, False], keep
    assert kept(drop=[(24, 16), (50, 0, 90, 32)]).tolist() == [False, False]
    with pytest.raises(remrembg.ValidationError, match="'drop' must lie in the picture of 96×32 pixels, got: '96,0'"):
        kept(drop=(96, 0))
    with pytest.raises(remrembg.ValidationError, match="whole pixels, got: '1,2,3'"):
        remrembg.rmbg(encoded(half_red()), keep=(1, 2, 3))


def test_a_clean_mask_has_no_specks(tiny):
    ring = numpy.zeros((64, 64), numpy.uint8)
    ring[10:54, 10:54] = 255
    ring[24:40, 24:40] = 0
    ring[60, 60] = 90
    brought = {"session": tiny, "only_mask": True, "refine": False, "mask_from": ring}
    picture = Image.new("RGB", (64, 64))
    assert numpy.asarray(remove(picture, **brought))[60, 60] == 90
    clean = numpy.asarray(remove(picture, clean_mask=True, **brought))
    assert (clean[60, 60], clean[32, 32], clean[12, 32]) == (0, 0, 255)


def test_an_inverted_mask_keeps_the_background(tiny):
    made = remove(half_red(), session=tiny, invert_mask=True)
    assert [made.getpixel((x, 4))[3] for x in (1, 6)] == [0, 255]


def test_the_matte_is_the_models_own_in_floats(tiny):
    wide = numpy.repeat(numpy.repeat(numpy.asarray(half_red()), 4, axis=1), 2, axis=0)
    matte = tiny.matte(wide, refine=False)
    assert (matte.dtype, matte.shape) == (numpy.float32, (8, 8))
    assert matte[:, 0].min() == 1.0 and matte[:, 7].max() == 0.0
    assert tiny.matte(encoded(half_red())).shape == (8, 8)
    assert numpy.array_equal(tiny.matte(wide), matte), "one view, as rembg has it"


@pytest.fixture
def session_for_blend(tiny):
    """Red before blue, mixed over a soft edge that the model's 8 × 8 mask is too coarse for."""
    x = numpy.arange(96)
    alpha = numpy.clip((60 - x) / 12, 0, 1)
    red, blue = numpy.array([220, 30, 30]), numpy.array([20, 40, 210])
    row = alpha[:, None] * red + (1 - alpha[:, None]) * blue
    picture = numpy.repeat(row[None].round().astype(numpy.uint8), 96, axis=0)
    return tiny, picture, numpy.repeat(alpha[None] * 255, 96, axis=0)


def test_thresholds_that_leave_no_sure_region_give_the_plain_alpha(tiny):
    plain = remove(half_red(), session=tiny)
    made = remove(half_red(), session=tiny, alpha_matting=True, alpha_matting_foreground_threshold=270)
    assert made.getchannel("A").tobytes() == plain.getchannel("A").tobytes()


def test_alpha_matting_takes_the_place_of_vitmatte(tiny):
    matted = remove(half_red(), session=tiny, alpha_matting=True)
    with pytest.warns(UserWarning, match="there is no ViTMatte: alpha matting takes its place") as told:
        vitmatte = remove(half_red(), session=tiny, vitmatte=True)
    assert vitmatte.tobytes() == matted.tobytes() and len(told) == 1
    mask = remove(half_red(), session=tiny, only_mask=True)
    assert remove(half_red(), session=tiny, only_mask=True, vitmatte=True).tobytes() == mask.tobytes()
