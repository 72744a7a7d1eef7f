"""The hosted API's call: what it takes, what it gives, how it fails."""

from __future__ import annotations

import enum
import inspect
import io
import os
import pickle
import subprocess
import sys
import tempfile

import pytest

import remrembg
from pictures import encoded, half_red, opened


def test_the_signature_is_the_one_of_the_contract():
    parameters = list(inspect.signature(remrembg.rmbg).parameters)
    fields = ["format", "w", "h", "exact_resize", "mask", "bg_color", "angle", "expand"]
    assert parameters == ["image", *fields, "api_key", "mask_from", "more"]
    from remrembg import _remrembg
    from remrembg._types import CutOutOptions

    names = [*fields, *CutOutOptions.__annotations__]
    assert sorted(names) == sorted(key for key, *_ in _remrembg.options()), "a name for each of core's options"


def test_settings_are_those_of_core():
    from remrembg import _remrembg

    parameters = list(inspect.signature(remrembg.Remover).parameters)
    assert sorted(parameters[:-1]) == sorted(key for key, *_ in _remrembg.settings())


def test_the_subject_is_kept_and_the_rest_is_clear(tiny):
    made = opened(tiny.rmbg(encoded(half_red()), format="png"))
    assert (made.mode, made.size) == ("RGBA", (8, 8))
    assert made.getpixel((1, 4)) == (255, 0, 0, 255)
    assert made.getpixel((6, 4))[3] == 0


def test_the_default_is_webp_as_the_hosted_api_has_it(photo):
    made = opened(remrembg.rmbg(photo, w=64))
    assert (made.format, made.size) == ("WEBP", (64, 64))


def test_every_way_to_hand_over_a_picture_gives_the_same(tiny, tmp_path):
    data = encoded(half_red())
    path = tmp_path / "photo.png"
    path.write_bytes(data)
    expected = tiny.rmbg(data)
    assert tiny.rmbg(str(path)) == expected
    assert tiny.rmbg(path) == expected
    assert tiny.rmbg(bytearray(data)) == expected
    assert tiny.rmbg(memoryview(data)) == expected
    assert tiny.rmbg(memoryview(bytearray(b"...." + data))[4:]) == expected
    assert tiny.rmbg(memoryview(bytes(b for byte in data for b in (byte, 0)))[::2]) == expected
    assert tiny.rmbg(io.BytesIO(data)) == expected
    with path.open("rb") as file:
        assert tiny.rmbg(file) == expected
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        assert tiny.rmbg(file) == expected
    assert tiny.rmbg(half_red()) == expected


def test_a_file_object_is_read_from_where_it_stands(tiny):
    data = encoded(half_red())
    file = io.BytesIO(b"skipped" + data)
    file.seek(7)
    assert tiny.rmbg(file) == tiny.rmbg(data)
    assert file.read() == b""


def test_a_file_object_may_give_more_or_less_than_it_was_asked_for(tiny):
    data = encoded(half_red())

    class Dribble:
        def __init__(self, blocks):
            self.blocks = iter(blocks)

        def read(self, size):
            return next(self.blocks, b"")

    assert tiny.rmbg(Dribble([data[:1], data[1:]])) == tiny.rmbg(data)
    assert tiny.rmbg(Dribble([data])) == tiny.rmbg(data)


def test_an_upload_of_a_web_framework_is_known_by_its_filename(tiny):
    class Upload(io.BytesIO):
        name = "image"

    upload = Upload(encoded(half_red()))
    for name in ("photo.png", b"caf\xe9.png", "<stdin>"):
        upload.seek(0)
        upload.filename = name
        assert opened(tiny.rmbg(upload)).size == (8, 8)
    upload.filename = ""
    with pytest.raises(remrembg.ValidationError, match="No file selected"):
        tiny.rmbg(upload)


def test_what_a_file_object_raises_comes_out(tiny):
    class Broken:
        def read(self, size):
            raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError, match="gone"):
        tiny.rmbg(Broken())
    with pytest.raises(TypeError, match="mode 'rb'"):
        tiny.rmbg(io.StringIO("text"))

    class Asynchronous:
        async def read(self, size):
            return b""

    with pytest.raises(TypeError, match=r"await file\.read\(\)"):
        tiny.rmbg(Asynchronous())


def test_an_endless_file_object_is_refused(tiny):
    class Endless:
        def read(self, size):
            return b"\0" * size

    with pytest.raises(remrembg.ValidationError, match=r"exceeds the maximum allowed size of 50 MB\."):
        tiny.rmbg(Endless())


@pytest.mark.parametrize("image", [3, 3.5, ["photo.png"], object(), ("a.png", b"")])
def test_other_types_are_named(tiny, image):
    with pytest.raises(TypeError, match=f"not builtins.{type(image).__name__}"):
        tiny.rmbg(image)


def test_members_of_an_enum_of_text_are_their_text(tiny):
    class Word(str, enum.Enum):
        PNG = "png"
        POINT = "1,4"
        ENGINE = "rten"

    class Number(enum.IntEnum):
        SIDE = 4

    data = encoded(half_red())
    expected = tiny.rmbg(data, format="png", w=4, keep="1,4")
    assert tiny.rmbg(data, format=Word.PNG, w=Number.SIDE, keep=Word.POINT) == expected
    assert tiny.rmbg(data, format=Word.PNG, w=Number.SIDE, keep=[Word.POINT]) == expected
    assert remrembg.Remover(engine=Word.ENGINE).engine.name == "rten"


def test_typed_values_and_text_are_the_same(tiny):
    data = encoded(half_red())
    typed = tiny.rmbg(data, w=20, h=10, exact_resize=True, angle=45.0, expand=False, bg_color=(250, 128, 114))
    text = tiny.rmbg(
        data, w="20", h=" 10 ", exact_resize="true", angle="4.5e1", expand="false", bg_color="salmon", format=None
    )
    assert typed == text
    assert opened(typed).size == (20, 10)
    assert tiny.rmbg(data, mask=True, api_key="any") == tiny.rmbg(data, mask="YES")
    assert tiny.rmbg(data, bg_color=[250, 128, 114]) == tiny.rmbg(data, bg_color=bytes([250, 128, 114]))
    assert tiny.rmbg(data, bg_color=(1, 2, 3, 4)) == tiny.rmbg(data, bg_color="#01020304")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"w": 800.0}, "'w' must be an integer, got: '800.0'"),
        ({"w": True}, "'w' must be an integer, got: 'true'"),
        ({"angle": float("nan")}, "'angle' must be between -360 and 360 degrees, got: nan"),
        ({"bg_color": (1, 2)}, "Invalid color format '(1, 2)'. Use hex format: #RGB, #RGBA, #RRGGBB, or #RRGGBBAA"),
        ({"bg_color": (0, 0, 256)}, "Invalid color format '(0, 0, 256)'."),
        ({"format": "\udc80"}, "Invalid format '\ufffd'. Allowed formats: PNG, JPEG, WEBP, BMP"),
        ({"widht": 5}, "Unknown option 'widht'"),
        ({"unknown": 5}, "Unknown option 'unknown'"),
    ],
)
def test_values_that_cannot_be_are_told_as_the_form_would(tiny, options, message):
    for rmbg in (tiny.rmbg, remrembg.rmbg):
        with pytest.raises(remrembg.ValidationError) as caught:
            rmbg(half_red(), **options)
        assert caught.value.message.startswith(message)
        assert caught.value.status == 400


def test_an_error_is_what_the_hosted_api_answers(tiny):
    with pytest.raises(remrembg.ValidationError) as caught:
        tiny.rmbg(b"", w="abc", angle=500)
    error = caught.value
    fields = [problem["field"] for problem in error.details]
    assert (error.status, error.message, fields) == (400, "Multiple validation errors", ["image", "w", "angle"])
    assert error.json() == {"error": error.message, "details": error.details, "status": 400}
    assert str(error) == (
        "Multiple validation errors:\n"
        "  image: Uploaded file is empty (0 bytes).\n"
        "  w: 'w' must be an integer, got: 'abc'\n"
        "  angle: 'angle' must be between -360 and 360 degrees, got: 500.0"
    )
    assert repr(error) == f"ValidationError({str(error)!r})"
    assert isinstance(error, ValueError) and isinstance(error, remrembg.RemrembgError)


def raised(call):
    with pytest.raises(remrembg.RemrembgError) as caught:
        call()
    return caught.value


@pytest.fixture
def one_of_each(tiny, tmp_path):
    cancelled = remrembg.CancelToken()
    cancelled.cancel()
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    return {
        remrembg.ValidationError: raised(lambda: tiny.rmbg(None)),
        remrembg.MissingFileError: raised(lambda: tiny.rmbg(tmp_path / "none.png")),
        remrembg.InputOutputError: raised(lambda: tiny.rmbg(tmp_path)),
        remrembg.CancelledError: raised(lambda: tiny.rmbg(half_red(), cancel=cancelled)),
        remrembg.UnknownModelError: raised(lambda: remrembg.Remover("u3net")),
        remrembg.ModelError: raised(lambda: remrembg.Remover(tmp_path / "broken.onnx")),
        remrembg.EngineError: raised(lambda: remrembg.Remover(engine="onnxruntime", onnxruntime=tmp_path)),
    }


def test_each_kind_of_error_has_its_class(one_of_each):
    for kind, error in one_of_each.items():
        assert type(error) is kind, error
    missing = one_of_each[remrembg.MissingFileError]
    assert isinstance(missing, FileNotFoundError)
    for error in (missing, pickle.loads(pickle.dumps(missing))):
        assert (error.errno, error.strerror, error.filename) == (2, "No such file or directory", None)
        assert error.args == (error.message,)


def test_errors_travel_between_processes(one_of_each):
    for error in one_of_each.values():
        copy = pickle.loads(pickle.dumps(error))
        assert type(copy) is type(error)
        assert (str(copy), copy.code, copy.status, copy.body) == (str(error), error.code, error.status, error.body)
        assert copy.details == error.details
        assert copy.json() == error.json()


@pytest.mark.skipif(sys.platform != "linux", reason="preloads a library as Linux does")
def test_the_key_is_taken_and_nobody_is_connected_to(photo, tmp_path, testdata):
    library, notes = tmp_path / "connections.so", tmp_path / "connections"
    compiler = os.environ.get("CC", "cc").split()
    subprocess.run([*compiler, "-shared", "-fPIC", testdata / "connections.c", "-ldl", "-o", library], check=True)

    def watched(code):
        """What a process connects to as it runs that."""
        notes.unlink(missing_ok=True)
        env = {**os.environ, "LD_PRELOAD": str(library), "CONNECTIONS": str(notes)}
        subprocess.run([sys.executable, "-c", code, str(photo)], check=True, env=env)
        return notes.read_text().splitlines() if notes.exists() else []

    connects = "import socket\ntry: socket.create_connection(('127.0.0.1', 1))\nexcept OSError: pass"
    assert "connect" in watched(connects)
    code = (
        "import sys, remrembg\n"
        "assert remrembg.rmbg(sys.argv[1], w=32, api_key='any') == remrembg.rmbg(sys.argv[1], w=32)\n"
        "remrembg.remove(open(sys.argv[1], 'rb').read())\n"
    )
    assert watched(code) == []


def test_neither_pillow_nor_numpy_nor_onnxruntime_is_imported(photo):
    code = (
        "import sys, remrembg\n"
        "remrembg.rmbg(sys.argv[1], w=32)\n"
        "remrembg.remove(open(sys.argv[1], 'rb').read())\n"
        "found = [name for name in ('PIL', 'numpy', 'onnxruntime', 'asyncio') if name in sys.modules]\n"
        "assert not found, found\n"
    )
    subprocess.run([sys.executable, "-c", code, str(photo)], check=True)


def test_a_refusal_tells_why_beside_the_hosted_apis_words(photo):
    whole = photo.read_bytes()
    for data, reason in (
        (b"GIF89a\x01\x00\x01\x00", "this is a GIF picture"),
        (b"hello", "this is text"),
        (whole[: len(whole) // 2], "the file ends too early"),
    ):
        with pytest.raises(remrembg.ValidationError) as caught:
            remrembg.rmbg(data)
        assert caught.value.body == (
            '{"error":"File does not appear to be a valid image (invalid file signature)","status":400}'
        )
        assert caught.value.reason == reason
        assert pickle.loads(pickle.dumps(caught.value)).reason == reason
    with pytest.raises(remrembg.ValidationError) as caught:
        remrembg.rmbg(whole, w="abc")
    assert caught.value.reason is None


def test_help_tells_of_everything():
    from pydoc import plain, render_doc

    text = plain(render_doc(remrembg))
    for name in remrembg.__all__:
        assert name in text, name
    for name in ("rmbg", "remove", "new_session", "fetch_model", "Remover", "remove_many"):
        thing = getattr(remrembg, name)
        documented = inspect.getdoc(thing)
        for parameter in inspect.signature(thing).parameters:
            if name in ("rmbg", "remove", "Remover") and parameter not in ("unknown", "cancel"):
                assert f":param {parameter}:" in documented or f"`{parameter}`" in documented, (name, parameter)
    for member in (
        "rmbg",
        "remove",
        "remove_many",
        "rmbg_async",
        "remove_async",
        "remove_many_async",
        "model",
        "engine",
    ):
        assert inspect.getdoc(getattr(remrembg.Remover, member)), member
