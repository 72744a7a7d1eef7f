"""rembg's call: what comes back has the type, the shape and the meaning that its users know.

Modes and shapes in the tables are those that rembg 2.0.86 gives for the same.
"""

from __future__ import annotations

import asyncio
import inspect
import io
import os
import pickle
import struct

import numpy
import pytest
from PIL import Image, ImageOps, PngImagePlugin

import remrembg
from pictures import encoded, half_red, opened
from remrembg import ValidationError, new_session, remove


def display_p3(session) -> bytes:
    """The profile of Display P3, out of a PNG that says by number that it is one (ITU-T H.273)."""
    says = PngImagePlugin.PngInfo()
    says.add(b"cICP", bytes([12, 13, 0, 1]))
    file = io.BytesIO()
    half_red().save(file, "PNG", pnginfo=says)
    profile: bytes = opened(session.rmbg(file.getvalue(), format="png")).info["icc_profile"]
    return profile


def test_the_names_are_rembgs():
    names = list(inspect.signature(remove).parameters)
    assert names[:8] == [
        "data",
        "alpha_matting",
        "alpha_matting_foreground_threshold",
        "alpha_matting_background_threshold",
        "alpha_matting_erode_size",
        "session",
        "only_mask",
        "post_process_mask",
    ]
    defaults = {name: parameter.default for name, parameter in inspect.signature(remove).parameters.items()}
    assert [defaults[name] for name in names[1:8]] == [False, 240, 10, 10, None, False, False]
    assert {"decontaminate", "bgcolor", "force_return_bytes", "putalpha"} < set(names)


def test_what_comes_back_is_what_went_in(tiny):
    image = half_red()
    assert opened(remove(encoded(image), session=tiny)).format == "PNG"
    made = remove(image, session=tiny)
    assert (type(made), made.mode, made.size) == (Image.Image, "RGBA", (8, 8))
    array = remove(numpy.asarray(image), session=tiny)
    assert (type(array), array.dtype, array.shape) == (numpy.ndarray, numpy.uint8, (8, 8, 4))
    assert (array == numpy.asarray(made)).all()
    assert (array == numpy.asarray(opened(remove(encoded(image), session=tiny)))).all()
    assert tuple(array[4, 1]) == (255, 0, 0, 255)
    assert array[4, 6, 3] == 0


def test_a_path_and_a_file_object_give_bytes(tiny, tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(encoded(half_red()))
    expected = remove(path.read_bytes(), session=tiny)
    assert remove(path, session=tiny) == expected
    assert remove(str(path), session=tiny) == expected
    with path.open("rb") as file:
        assert remove(file, session=tiny) == expected


@pytest.mark.parametrize(
    "mode", ["RGB", "RGBA", "La", "RGBa", "L", "LA", "P", "CMYK", "1", "I", "F", "YCbCr", "HSV", "LAB"]
)
def test_every_mode_of_pillow_gives_rgba_and_a_grey_mask(tiny, mode):
    source = half_red() if mode in ("YCbCr", "HSV") else half_red().convert("L" if mode in "LA1IF" else "RGB")
    source = source.convert(mode.upper()) if mode in ("La", "RGBa") else source
    image = ImageOps.invert(source.convert("RGB")).convert(mode) if mode == "CMYK" else source.convert(mode)
    made = remove(image, session=tiny)
    mask = remove(image, session=tiny, only_mask=True)
    assert (made.mode, mask.mode, made.size, mask.size) == ("RGBA", "L", (8, 8), (8, 8))


def test_sixteen_bits_become_eight(tiny):
    deep = (numpy.asarray(half_red().convert("L")).astype(numpy.uint16)) * 257
    assert (
        remove(Image.fromarray(deep), session=tiny).tobytes() == remove(half_red().convert("L"), session=tiny).tobytes()
    )


def test_transparency_in_a_palette_limits_the_alpha(tiny):
    image = half_red().convert("P", palette=Image.Palette.ADAPTIVE)
    image.info["transparency"] = image.getpixel((1, 1))
    assert remove(image, session=tiny).getpixel((1, 1))[3] == 0


@pytest.mark.parametrize(
    ("shape", "cut_out"),
    [
        ((6, 8), (6, 8, 4)),
        ((6, 8, 1), (6, 8, 4)),
        ((6, 8, 2), (6, 8, 4)),
        ((6, 8, 3), (6, 8, 4)),
        ((6, 8, 4), (6, 8, 4)),
    ],
)
def test_every_shape_of_array_gives_four_channels_and_a_flat_mask(tiny, shape, cut_out):
    array = numpy.full(shape, 255, numpy.uint8)
    assert remove(array, session=tiny).shape == cut_out
    assert remove(array, session=tiny, only_mask=True).shape == (6, 8)


def test_arrays_need_not_be_contiguous(tiny):
    whole = numpy.asarray(half_red((16, 12)))
    views = [whole[:, ::-1], whole[::-1], whole[::2, ::2], whole[:, :, ::-1], whole[2:, 3:], whole.transpose(1, 0, 2)]
    for view in views:
        assert (remove(view, session=tiny) == remove(view.copy(), session=tiny)).all()
    padded = numpy.zeros((12, 20, 3), numpy.uint8)[:, :16]
    padded[:] = whole
    assert (remove(padded, session=tiny) == remove(whole, session=tiny)).all()


def test_a_result_may_be_written_to_and_outlives_all_else(tiny):
    made = remove(numpy.asarray(half_red()), session=tiny)
    made[:] = 7
    assert (made == 7).all()
    image = remove(half_red(), session=tiny)
    image.putpixel((0, 0), (1, 2, 3, 4))
    assert image.getpixel((0, 0)) == (1, 2, 3, 4)


def test_a_truth_array_is_black_and_white(tiny):
    truth = numpy.asarray(half_red().convert("L")) > 50
    assert (remove(truth, session=tiny) == remove(truth.astype(numpy.uint8) * 255, session=tiny)).all()


@pytest.mark.parametrize(
    "array", [numpy.zeros((4, 4, 3), numpy.float32), numpy.zeros((4, 4, 5), numpy.uint8), numpy.zeros(4, numpy.uint16)]
)
def test_an_array_of_another_kind_is_refused_by_name(tiny, array):
    with pytest.raises(TypeError, match=f"got: {array.dtype}"):
        remove(array, session=tiny)


def test_an_empty_array_is_refused(tiny):
    with pytest.raises(remrembg.ValidationError, match="at least one pixel"):
        remove(numpy.zeros((0, 4, 3), numpy.uint8), session=tiny)


def test_the_given_picture_stays_as_it_was(tiny):
    """rembg's putalpha changes the caller's image."""
    image, array = half_red(), numpy.asarray(half_red()).copy()
    before = image.tobytes()
    for options in ({}, {"putalpha": True}, {"bgcolor": (1, 2, 3, 4)}):
        remove(image, session=tiny, **options)
        remove(array, session=tiny, **options)
    assert (image.mode, image.tobytes(), array.tobytes()) == ("RGB", before, before)


def test_exif_orientation_is_applied(tiny):
    image = half_red((8, 4))
    exif = image.getexif()
    exif[0x0112] = 6
    file = io.BytesIO()
    image.save(file, "JPEG", exif=exif, quality=100, subsampling=0)
    made = remove(opened(file.getvalue()), session=tiny)
    assert made.size == (4, 8)
    assert made.getpixel((2, 1))[3] > 200 and made.getpixel((2, 6))[3] < 50, "the subject is above"


def test_a_background_is_put_into_the_profile_of_a_pillow_image(tiny):
    profile = display_p3(tiny)
    image = Image.new("RGB", (20, 10), (9, 9, 9))
    jade = (0, 168, 107, 255)
    assert remove(image, session=tiny, bgcolor=jade).getpixel((0, 0)) == jade, "without a profile it is sRGB"
    image.info["icc_profile"] = profile
    red, green, blue, alpha = remove(image, session=tiny, bgcolor=jade).getpixel((0, 0))
    assert max(abs(red - 75), abs(green - 165), abs(blue - 112)) <= 1 and alpha == 255
    file = remove(image, session=tiny, force_return_bytes=True)
    assert opened(file).info["icc_profile"] == profile
    file = tiny.rmbg(image, format="png")
    assert opened(file).info["icc_profile"] == profile


@pytest.mark.parametrize("format", ["GIF", "TIFF"])
def test_gif_and_tiff_are_read_as_rembg_reads_them_but_not_in_place_of_the_hosted_api(tiny, format, tmp_path):
    file = io.BytesIO()
    Image.new("RGB", (20, 10), (255, 255, 255)).save(
        file, format, save_all=True, append_images=[Image.new("RGB", (20, 10))]
    )
    path = tmp_path / "picture.bin"
    path.write_bytes(file.getvalue())
    expected = remove(Image.new("RGB", (20, 10), (255, 255, 255)), session=tiny)
    for data in (file.getvalue(), path, io.BytesIO(file.getvalue())):
        assert opened(remove(data, session=tiny)).tobytes() == expected.tobytes()
    [outcome] = tiny.remove_many([path])
    assert outcome.error is None
    with pytest.raises(ValidationError, match="valid image"):
        tiny.rmbg(file.getvalue())


def test_the_colour_profile_of_a_pillow_image_is_kept(tiny):
    image = half_red()
    image.info["icc_profile"] = b"a profile"
    assert remove(image, session=tiny).info["icc_profile"] == b"a profile"
    assert "icc_profile" not in remove(image, session=tiny, only_mask=True).info
    palette = half_red().convert("P")
    palette.info["icc_profile"] = b"a profile"
    assert remove(palette, session=tiny).info["icc_profile"] == b"a profile"


class Left(remrembg.sessions.BaseSession):
    """Finds the left half of any picture, and needs no model."""

    def __init__(self):
        pass

    def predict(self, img, *args, **kwargs):
        mask = Image.new("L", img.size)
        mask.paste(255, (0, 0, img.width // 2, img.height))
        return [mask]


class Named(remrembg.sessions.sessions["u2netp"]):
    predict = Left.predict


@pytest.mark.parametrize("kind", ["pillow", "array", "bytes", "file"])
def test_of_a_session_of_ones_own_the_mask_is_its_predicts(kind):
    image = Image.new("RGB", (20, 10), (9, 200, 9))
    data = {
        "pillow": lambda: image,
        "array": lambda: numpy.asarray(image),
        "bytes": lambda: encoded(image),
        "file": lambda: io.BytesIO(encoded(image)),
    }[kind]()
    made = remove(data, session=Left())
    made = Image.open(io.BytesIO(made)) if isinstance(made, bytes) else Image.fromarray(numpy.asarray(made))
    assert [made.getpixel((x, 5))[3] for x in (0, 9, 10, 19)] == [255, 255, 0, 0]


def test_of_many_pictures_it_is_too_and_a_broken_one_is_told_as_ever():
    pictures = [Image.new("RGB", (20, 10), (9, 200, 9))] * 3
    made = [outcome.get() for outcome in remrembg.remove_many(pictures, session=Left())]
    assert [[one.getpixel((x, 5))[3] for x in (0, 19)] for one in made] == [[255, 0]] * 3
    with pytest.raises(ValidationError, match="valid image"):
        remove(b"no picture", session=Left())
    brought = Image.new("L", (20, 10), 255)
    assert remove(pictures[0], session=Left(), mask_from=brought).getpixel((19, 5))[3] == 255


def test_an_object_that_is_no_session_may_predict_too():
    class Duck:
        predict = Left.predict

    assert remove(Image.new("RGB", (20, 10)), session=Duck()).getpixel((19, 5))[3] == 0
    with pytest.raises(TypeError, match="not object"):
        remove(Image.new("RGB", (20, 10)), session=object())


def test_a_class_that_is_added_to_the_sessions_is_had_by_its_name(monkeypatch):
    class Mine(Named):
        @classmethod
        def name(cls, *args, **kwargs):
            return "mine"

    monkeypatch.setattr(remrembg.sessions, "sessions_class", [*remrembg.sessions.sessions_class, Mine])
    session = new_session("mine")
    assert type(session) is Mine
    assert remove(Image.new("RGB", (20, 10)), session=session).getpixel((19, 5))[3] == 0


def test_the_own_predict_of_a_session_counts_in_its_own_methods_too():
    image, session = Image.new("RGB", (20, 10)), Named()
    ends = [session.remove(image), next(session.remove_many([image])).get(), asyncio.run(session.remove_async(image))]
    assert [end.getpixel((19, 5))[3] for end in ends] == [0, 0, 0]
    assert session.remove(image, only_mask=True).getpixel((0, 5)) == 255


def test_sessions_of_ones_own_pickle_with_their_predict():
    session = pickle.loads(pickle.dumps(Left()))
    assert remove(Image.new("RGB", (20, 10)), session=session).getpixel((19, 5))[3] == 0
    session = pickle.loads(pickle.dumps(Named()))
    assert (type(session), session.model_name) == (Named, "u2netp")
    assert remove(Image.new("RGB", (20, 10)), session=session).getpixel((19, 5))[3] == 0


def test_a_pillow_result_can_be_changed_in_place():
    for mask, pixel in ((False, (1, 2, 3, 4)), (True, 5)):
        made = remove(half_red(), only_mask=mask)
        made.load()[0, 0] = pixel
        assert made.getpixel((0, 0)) == made.copy().getpixel((0, 0)) == pixel


def test_numbers_of_matting_that_are_none_are_not_given():
    names = ("foreground_threshold", "background_threshold", "erode_size")
    options = {f"alpha_matting_{name}": None for name in names}
    assert remove(half_red(), **options).tobytes() == remove(half_red()).tobytes()


def test_an_attribute_stands_in_for_predict_too_and_gives_one_mask():
    session = new_session("u2netp")
    session.predict = lambda img, *args, **kwargs: [Image.new("L", img.size, 255)]
    assert remove(Image.new("RGB", (8, 8)), session=session).getpixel((0, 0))[3] == 255
    session.predict = lambda img: [Image.new("L", img.size)] * 2
    with pytest.raises(TypeError, match="one mask, not 2"):
        remove(Image.new("RGB", (8, 8)), session=session)


def test_a_session_is_made_as_rembgs_subclasses_make_it():
    class My(remrembg.sessions.BaseSession):
        def __init__(self, model_name, sess_opts, *args, **kwargs):
            super().__init__(model_name, sess_opts, *args, **kwargs)

    session = My("u2netp", object())
    assert session.model_name == "u2netp"
    assert remove(half_red(), session=session).mode == "RGBA"


def test_unknown_models_are_refused_before_anything_is_kept_of_them():
    from remrembg import _rembg

    before = len(_rembg._classes)
    for number in range(3):
        with pytest.raises(remrembg.UnknownModelError, match=f"nobody-{number}"):
            new_session(f"nobody-{number}")
    assert len(_rembg._classes) <= max(before, len(_rembg.NAMES))


@pytest.mark.parametrize("color", [(1.0, 1.0, 1.0, 1.0), (0.5, 0.5, 0.5), numpy.ones(3)])
def test_a_colour_of_other_numbers_is_refused(tiny, color):
    with pytest.raises(ValidationError, match="Invalid color format"):
        remove(half_red(), session=tiny, bgcolor=color)


def linear_grey() -> bytes:
    """A profile (ICC.1:2022) for grey that is proportional to light."""
    d50 = struct.pack(">3i", 63190, 65536, 54061)
    white, curve = b"XYZ " + bytes(4) + d50, b"curv" + bytes(8)
    table = struct.pack(">I", 2) + b"".join(
        name + struct.pack(">2I", start, size) for name, start, size in [(b"wtpt", 156, 20), (b"kTRC", 176, 12)]
    )
    about = bytes(4) + b"\x02\x10\0\0mntrGRAYXYZ " + bytes(12) + b"acsp" + bytes(28) + d50 + bytes(48)
    return struct.pack(">I", 188) + about + table + white + curve


@pytest.mark.parametrize("mode", ["L", "LA"])
def test_grey_with_a_profile_is_as_bright_from_pillow_as_from_its_file(tiny, mode):
    image, file = Image.new("L", (20, 10)), io.BytesIO()
    image.paste(128, (0, 0, 10, 10))
    image = image.convert(mode)
    image.save(file, "PNG", icc_profile=linear_grey())
    (of_pillow, of_file) = (
        opened(remove(given, session=tiny, force_return_bytes=True, decontaminate=False))
        for given in (opened(file.getvalue()), file.getvalue())
    )
    # Of a mask the grey is no light.
    mask = Image.new("L", (20, 10), 128)
    mask.info["icc_profile"] = linear_grey()
    assert remove(half_red(), session=tiny, mask_from=mask, refine=False).getpixel((3, 3))[3] == 128
    brightness = of_file.getpixel((5, 5))[0]
    # sRGB's curve of 1/2 (IEC 61966-2-1) is 0.735.
    assert abs(brightness - 188) <= 1
    assert abs(of_pillow.getpixel((5, 5))[0] - brightness) <= 1


def test_colour_keys_of_a_png_are_clear_however_it_comes(tiny):
    file = io.BytesIO()
    half_red().save(file, "PNG", transparency=(255, 0, 0))
    for data in (file.getvalue(), opened(file.getvalue())):
        made = remove(data, session=tiny)
        made = made if isinstance(made, Image.Image) else opened(made)
        assert made.getpixel((1, 4))[3] == 0


def test_numbers_of_any_size_are_thresholds(tiny):
    huge = remove(half_red(), session=tiny, alpha_matting=True, alpha_matting_erode_size=10**30)
    assert huge.size == (8, 8)


def test_subclasses_of_arrays_are_arrays(tiny):
    flat = numpy.asarray(half_red())[:, :, 0]
    assert (remove(flat.view(numpy.matrix), session=tiny) == remove(flat, session=tiny)).all()


def test_force_return_bytes_gives_bytes_whatever_came(tiny):
    for data in (half_red(), numpy.asarray(half_red()), encoded(half_red())):
        assert opened(remove(data, session=tiny, force_return_bytes=True)).format == "PNG"
    assert opened(remove(half_red(), session=tiny, force_return_bytes=True, format="webp")).format == "WEBP"


def test_the_options_of_the_hosted_api_go_with_it(tiny):
    made = remove(half_red(), session=tiny, w=20, h=10, exact_resize=True)
    assert made.size == (20, 10)
    assert remove(half_red((8, 4)), session=tiny, angle=90).size == (4, 8)
    with pytest.raises(ValueError, match="format is for encoded results"):
        remove(half_red(), session=tiny, format="png")


def test_what_is_no_session_is_refused():
    with pytest.raises(TypeError, match="session must be what new_session gives, or a Remover, not str"):
        remove(half_red(), session="u2netp")


def test_what_rembg_passes_over_is_passed_over_with_a_warning(tiny):
    plain = remove(half_red(), session=tiny)
    with pytest.warns(UserWarning, match=r"remove\(\) passes over the argument 'return_multiple'"):
        told = remove(half_red(), session=tiny, return_multiple=False)
    assert told.tobytes() == plain.tobytes()


def test_an_array_of_a_files_bytes_is_read_as_the_file(tiny):
    file = io.BytesIO()
    half_red().save(file, "PNG")
    array = numpy.frombuffer(file.getvalue(), numpy.uint8)
    assert remove(array, session=tiny) == remove(file.getvalue(), session=tiny)
    with pytest.raises(remrembg.ValidationError, match="invalid file signature"):
        remove(numpy.zeros(4, numpy.uint8), session=tiny)


def test_a_session_has_rembgs_names(tiny_settings):
    with pytest.raises(remrembg.ModelError, match="8"):
        new_session("u2net_custom", model_path=tiny_settings["model"])
    default = new_session()
    assert default.model_name == "u2netp" == remrembg.MODELS[0]
    [mask] = default.predict(half_red((32, 32)))
    assert (mask.mode, mask.size) == ("L", (32, 32))


def test_threads_come_from_the_session_options_or_the_environment(monkeypatch):
    class SessionOptions:
        intra_op_num_threads = 2

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert new_session("u2netp").engine.threads == 1
    assert new_session("u2netp", sess_opts=SessionOptions()).engine.threads == 2


def test_models_that_are_not_there_are_told():
    with pytest.raises(ValueError, match="Unknown model 'sam'"):
        new_session("sam")
    with pytest.raises(ValueError, match="model_path is required"):
        new_session("dis_custom")


def test_a_model_is_fetched_once_and_its_licence_told(tmp_path, monkeypatch):
    monkeypatch.setenv("REMREMBG_MODELS", str(tmp_path))
    monkeypatch.setenv("REMREMBG_MODEL_MIRROR", "http://127.0.0.1:9/")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.warns(UserWarning, match="forbids commercial use"), pytest.raises(remrembg.ModelError) as caught:
        new_session("bria-rmbg")
    assert caught.value.code == "model_fetch_failed"
    assert [name for name in os.listdir(tmp_path) if name.endswith(".onnx")] == []
    assert remrembg.fetch_model("u2netp") is None
