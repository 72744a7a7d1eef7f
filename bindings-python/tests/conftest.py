"""What the tests share."""
from __future__ import annotations
from pathlib import Path
import pytest
ROOT = Path(__file__).resolve().parents[2]

def field(number, value):
    if isinstance(value, int):
        return bytes([number << 3, value])
    value = value.encode() if isinstance(value, str) else value
    length = bytes([len(value)]) if len(value) < 128 else bytes([len(value) & 127 | 128, len(value) >> 7])
    return bytes([number << 3 | 2]) + length + value

def identity():
    shape = b"".join(field(1, field(1, size)) for size in (1, 3, 8, 8))
    value = lambda name: field(1, name) + field(2, field(1, field(1, 1) + field(2, shape)))
    node = field(1, "in") + field(2, "out") + field(4, "Identity")
    graph = field(1, node) + field(2, "graph") + field(11, value("in")) + field(12, value("out"))
    return field(1, 8) + field(7, graph) + field(8, field(2, 13))

@pytest.fixture(scope="session")
def tiny_settings(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "tiny.onnx"
    path.write_bytes(identity())
    return {"model": path, "model_recipe": "size=8", "engine": "rten"}

@pytest.fixture(scope="session")
def tiny(tiny_settings):
    import remrembg
    return remrembg.Remover(**tiny_settings)

@pytest.fixture(scope="session")
def testdata():
    return ROOT / "testdata"

@pytest.fixture(scope="session")
def photo(tmp_path_factory):
    return ROOT / "demo/photo.png"
