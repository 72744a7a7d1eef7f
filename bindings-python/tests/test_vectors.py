"""The vectors of testdata/, replayed through ``rmbg``."""

from __future__ import annotations

import io
import json
from typing import Any, Dict, List, Set

import numpy
import pytest
from PIL import Image

import remrembg

FORMATS = {"webp": "WEBP", "png": "PNG", "jpeg": "JPEG", "bmp": "BMP"}
EMPTY = '{"error":"Uploaded file is empty (0 bytes).","status":400}'
HOSTED = {"w", "h", "exact_resize", "angle", "expand", "format", "mask", "bg_color"}
THRESHOLDS = ("matting_foreground_threshold", "matting_background_threshold", "matting_erode_size")
OWN = (
    *("quality", "compression", "preset", "refine", "flat", "decontaminate", "matting", *THRESHOLDS),
    *("trimap", "clean_mask", "keep", "drop"),
    *("smooth_mask", "invert_mask", "keep_colors", "keep_alpha"),
)
#: Results of more pixels than this are left out: they would take the time of all others.
LARGEST = 2_000_000


@pytest.fixture(scope="module")
def vectors(testdata):
    return lambda name: json.loads((testdata / name).read_text("utf-8"))


def refusal(call) -> Dict[str, Any]:
    with pytest.raises(remrembg.ValidationError) as caught:
        call()
    error = caught.value
    if len(error.details) == 1:
        assert error.details[0]["message"] == error.message
    return {"status": error.status, "body": error.body, "code": error.code, "problems": len(error.details)}


def expected(error: Dict[str, Any]) -> Dict[str, Any]:
    codes = error["codes"]
    code = codes[0] if len(codes) == 1 else "multiple"
    return {"status": error["status"], "body": error["body"], "code": code, "problems": len(codes)}


def picture(width: int, height: int) -> Any:
    """Red at the left, black at the right."""
    pixels = numpy.zeros((height, width, 3), numpy.uint8)
    pixels[:, : (width + 1) // 2, 0] = 255
    return pixels


def test_text_is_refused_in_the_very_words_of_the_vectors(vectors, tiny):
    cases = [case for case in vectors("options.json") if "error" in case]
    assert len(cases) > 200
    for case in cases:
        pairs = dict(case["pairs"])
        if "image" in pairs:
            with pytest.raises(TypeError, match="multiple values for argument 'image'"):
                tiny.rmbg(picture(8, 8), **pairs)
            continue
        got = refusal(lambda pairs=pairs: tiny.rmbg(picture(8, 8), **pairs))
        assert got == expected(case["error"]), case["name"]
    assert keys(cases) >= {"w", "h", "angle", "format", "bg_color", "mask", "quality", "preset", "keep", "drop"} | set(
        THRESHOLDS
    )


def keys(cases: List[Dict[str, Any]]) -> Set[str]:
    """The options of these cases."""
    return {key for case in cases for key, _ in case["pairs"]}


def test_text_is_taken_for_what_the_vectors_say(vectors, tiny):
    """That all of it is taken shows in the empty file being the only problem."""
    cases = [case for case in vectors("options.json") if "options" in case]
    assert len(cases) > 200
    made = 0
    for case in cases:
        pairs, options = dict(case["pairs"]), case["options"]
        if "own" in options:
            pairs["mask_from"] = picture(8, 8)
        assert refusal(lambda pairs=pairs: tiny.rmbg(b"", **pairs))["body"] == EMPTY, case["name"]
        if (options["w"] or 1) * (options["h"] or 1) > 1000 or max(options["w"] or 0, options["h"] or 0) > 1000:
            continue
        image = Image.open(io.BytesIO(tiny.rmbg(picture(8, 8), **pairs)))
        made += 1
        assert image.format == FORMATS[options["format"]], case["name"]
        if "own" not in options:
            check_corner(image, options, case["name"])
    assert made > 100
    assert keys(cases) == set(OWN) | HOSTED


def check_corner(image: Image.Image, options: Dict[str, Any], name: str) -> None:
    """The pixel at the lower right is background, where nothing was turned."""
    if options["angle"] % 360 != 0 or min(image.size) < 4:
        return
    got = image.convert("RGBA").getpixel((image.width - 1, image.height - 1))
    opaque = options["format"] == "jpeg"
    if options["mask"]:
        wanted: List[int] = [0, 0, 0, 255]
    elif options["bg_color"] is None:
        wanted = [255, 255, 255, 255] if opaque else [*got[:3], 0]
    else:
        wanted = options["bg_color"]
        if opaque:
            alpha = wanted[3] / 255
            wanted = [*(round(channel * alpha + 255 * (1 - alpha)) for channel in wanted[:3]), 255]
    if wanted[3] == 0:
        wanted = [*got[:3], 0]
    far = max(abs(a - b) for a, b in zip(got, wanted))
    assert far <= (24 if image.format in ("JPEG", "WEBP") else 1), (name, got, wanted)


def test_results_have_the_size_of_the_vectors(vectors, tiny):
    cases = vectors("geometry.json")
    small = [case for case in cases if case["output"][0] * case["output"][1] <= LARGEST]
    small = [case for case in small if case["input"][0] * case["input"][1] <= LARGEST]
    assert len(small) > 160
    for case in small:
        made = tiny.rmbg(picture(*case["input"]), **{"format": "bmp", **dict(case["pairs"])})
        assert list(Image.open(io.BytesIO(made)).size) == case["output"], case["name"]


def test_pictures_are_taken_or_refused_as_the_vectors_say(vectors, tiny_settings, tmp_path):
    impossible = []
    for number, case in enumerate(vectors("files.json")):
        remover = remrembg.Remover(**tiny_settings, **case.get("limits", {}))
        image = given(case["input"], tmp_path / str(number))
        if image is impossible_here:
            impossible.append(case["name"])
        elif "ok" in case:
            made = Image.open(io.BytesIO(remover.rmbg(image, format="bmp")))
            assert sorted(made.size) == sorted((case["ok"]["width"], case["ok"]["height"])), case["name"]
        else:
            assert refusal(lambda image=image, remover=remover: remover.rmbg(image)) == expected(case["error"]), case[
                "name"
            ]
    assert impossible == ["pixels: stride less than a row", "pixels: too few bytes"]


#: An array always holds what its shape says.
impossible_here = object()


def given(source: Dict[str, Any], folder: Any) -> Any:
    if source.get("missing"):
        return None
    if "pixels" in source:
        return array(**source["pixels"])
    data = b"".join(
        bytes.fromhex(part["hex"]) if "hex" in part else bytes.fromhex(part["fill"]) * part["count"]
        for part in source["parts"]
    )
    if "file_name" in source:
        file = io.BytesIO(data)
        file.name = source["file_name"]
        return file
    if "path_suffix" in source:
        path = folder.parent / f"{folder.name}{source['path_suffix']}"
        path.write_bytes(data)
        return path
    return data


def array(width: int, height: int, layout: str, stride: int, length: int) -> Any:
    channels = {"rgb8": 3, "rgba8": 4}[layout]
    row = width * channels
    if stride < row or (height - 1) * stride + row > length:
        return impossible_here
    memory = numpy.zeros(length, numpy.uint8)
    shape, strides = (height, width, channels), (stride, channels, 1)
    return numpy.lib.stride_tricks.as_strided(memory, shape, strides)
