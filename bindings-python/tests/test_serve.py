"""`remrembg serve` from the wheel: the vendor's examples as printed but for the host, and its description."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
import requests
from PIL import Image

import remrembg

REMREMBG = str(Path(sys.executable).with_name("remrembg"))

# As the vendor's page prints them, line by line where it lost its line breaks.

CURL = """curl -X POST "https://api.rembg.com/rmbg" -H "x-api-key: YOUR_API_KEY_HERE" # your personal API key
-F "image=@/path/to/image.jpg" # input image file
-F "format=webp" # output format: webp (default) or png
-F "w=800" # target width in pixels (maintains aspect ratio unless exact_resize=true)
-F "h=600" # target height in pixels
-F "exact_resize=false" # true = force exact w × h, may distort
-F "mask=false" # true = return only the alpha mask instead of full image
-F "bg_color=#ffffffff" # optional solid background color (RGBA hex)
-F "angle=0" # rotate the image by given degrees after processing
-F "expand=true" # add padding so rotated images don’t get cropped"""

HTTP = """POST /rmbg HTTP/1.1
Host: api.rembg.com
x-api-key: YOUR_API_KEY_HERE
Content-Type: multipart/form-data; boundary=----BOUNDARY
------BOUNDARY
Content-Disposition: form-data; name="image"; filename="image.jpg"
Content-Type: image/jpeg
<binary data of your image goes here>
------BOUNDARY
Content-Disposition: form-data; name="format"
webp
------BOUNDARY
Content-Disposition: form-data; name="w"
800
------BOUNDARY
Content-Disposition: form-data; name="h"
600
------BOUNDARY
Content-Disposition: form-data; name="exact_resize"
false
------BOUNDARY
Content-Disposition: form-data; name="mask"
false
------BOUNDARY
Content-Disposition: form-data; name="bg_color"
#ffffffff
------BOUNDARY
Content-Disposition: form-data; name="angle"
0
------BOUNDARY
Content-Disposition: form-data; name="expand"
true
------BOUNDARY--
"""

PYTHON = """import requests
# Endpoint URL for the background-removal API
url = "https://api.rembg.com/rmbg"
# Required API key header
headers = {
"x-api-key": "YOUR_API_KEY_HERE"
}
# The image file to process (opened in binary mode)
files = {
"image": open("/path/to/image.jpg", "rb")
}
# Optional form fields supported by your backend.
# Adjust values as needed; any of these can be omitted.
data = {
"format": "webp", # Output format: "webp" (default) or "png"
"w": 800, # Target width (maintains aspect ratio unless exact_resize is true)
"h": 600, # Target height
"exact_resize": "false", # "true" forces exact w×h, may distort
"mask": "false", # "true" returns only the alpha mask
"bg_color": "#ffffffff", # Optional solid background color (RGBA hex)
"angle": 0, # Rotation angle in degrees
"expand": "true", # Add padding so rotated images aren’t cropped
}
# Send the POST request with headers, file, and extra form data
response = requests.post(url, headers=headers, files=files, data=data)
# Handle the response
if response.status_code == 200:
# Save the processed image to disk
with open("output.webp", "wb") as f:
f.write(response.content)
print("Background removed successfully → saved as output.webp")
else:
# Print error details if the request failed
print("Error:", response.status_code, response.text)
"""


def serving(settings: Dict[str, Any]) -> Iterator[str]:
    """A service with a model that is done at once: where it answers."""
    flags = [f"--{key.replace('_', '-')}={value}" for key, value in settings.items()]
    command = [REMREMBG, "serve", "--listen", "127.0.0.1:0", "--log", "error", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        yield process.stdout.readline().strip().replace("Listening on ", "")
        process.terminate()
        assert process.wait(timeout=60) == 0, "a stop is no failure"


@pytest.fixture(scope="module")
def service(tiny_settings: Dict[str, Any]) -> Iterator[str]:
    yield from serving(tiny_settings)


@pytest.fixture
def with_accounts(tiny_settings: Dict[str, Any], tmp_path: Path) -> Iterator[str]:
    yield from serving({**tiny_settings, "data": tmp_path / "accounts"})


@pytest.fixture
def picture(photo: Path, tmp_path: Path) -> Path:
    path = tmp_path / "image.jpg"
    with Image.open(photo) as image:
        image.convert("RGB").resize((400, 200)).save(path)
    return path


@pytest.fixture
def expected(picture: Path, tiny_settings: Dict[str, Any]) -> bytes:
    """What the package itself makes of the picture with the options of the examples."""
    options = {"format": "webp", "w": 800, "h": 600, "bg_color": "#ffffffff", "angle": 0, "expand": True}
    made = remrembg.Remover(**tiny_settings).rmbg(picture.read_bytes(), **options)
    assert isinstance(made, bytes)
    return made


def test_the_examples_are_those_of_the_page() -> None:
    pictures = os.environ.get("REMREMBG_TEST_PICTURES")
    if not pictures:
        pytest.skip("needs the vendor's page in REMREMBG_TEST_PICTURES")
    page = Path(pictures, "hosted-api-documentation.txt").read_text("utf-8")
    assert HTTP in page
    assert PYTHON in page
    assert " ".join(CURL.split("\n")) in page


def test_curl(service: str, picture: Path, expected: bytes, tmp_path: Path) -> None:
    lines = [line.split(" # ")[0] for line in CURL.replace("https://api.rembg.com", service).split("\n")]
    words = shlex.split(" ".join(lines).replace("/path/to/image.jpg", str(picture)))
    assert words[0] == "curl" and shutil.which("curl")
    done = subprocess.run([*words, "--silent", "--fail-with-body"], capture_output=True, check=True)
    assert done.stdout == expected


def test_raw_http(service: str, picture: Path, expected: bytes) -> None:
    # The page shows neither the empty lines that end a head nor the length that the client adds.
    head, body = HTTP.split("\n", 4)[:4], HTTP.split("\n", 4)[4]
    body = re.sub(r'(Content-Type: image/jpeg|name="(?!image")\w+")\n', r"\1\n\n", body)
    before, after = body.replace("\n", "\r\n").encode().split(b"<binary data of your image goes here>")
    content = before + picture.read_bytes() + after
    host, port = service.replace("http://", "").split(":")
    request = [*head, f"Content-Length: {len(content)}", "Connection: close", "", ""]
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall("\r\n".join(request).encode() + content)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    status, result = answer.split(b"\r\n\r\n", 1)
    assert status.startswith(b"HTTP/1.1 200 OK\r\n")
    assert result == expected


def test_python_requests(service: str, picture: Path, expected: bytes, tmp_path: Path) -> None:
    # The page lost the indentation.
    indented = {"with open": "    with open", "f.write": "        f.write"}
    lines: List[str] = []
    for line in PYTHON.replace("https://api.rembg.com", service).split("\n"):
        start = next((new for old, new in indented.items() if line.startswith(old)), None)
        if start:
            line = start + line[len(start.strip()) :]
        lines.append("    " + line if line.startswith("print(") else line)
    program = "\n".join(lines).replace("/path/to/image.jpg", str(picture))
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "Background removed successfully → saved as output.webp\n"
    assert (tmp_path / "output.webp").read_bytes() == expected


def test_requests_are_refused_in_the_words_of_the_hosted_api(service: str, picture: Path) -> None:
    with picture.open("rb") as image:
        answer = requests.post(f"{service}/rmbg", files={"image": image}, data={"w": "abc", "angle": "500"}, timeout=60)
    assert answer.status_code == 400
    assert answer.json()["details"][0] == {"field": "w", "message": "'w' must be an integer, got: 'abc'"}


def test_health(service: str) -> None:
    address = service.replace("http://", "")
    well = subprocess.run([REMREMBG, "health", address], capture_output=True, text=True)
    assert (well.returncode, well.stdout) == (0, "ready\n")
    ill = subprocess.run([REMREMBG, "health", "127.0.0.1:1"], capture_output=True, text=True)
    assert ill.returncode == 1
    assert ill.stderr.startswith("127.0.0.1:1 is not ready: ")


def account(folder: Path, *words: str) -> str:
    command = [REMREMBG, *words, "--data", str(folder / "accounts")]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def test_what_the_description_says_holds(with_accounts: str, tmp_path: Path) -> None:
    service = with_accounts
    account(tmp_path, "users", "add", "anna", "--email", "anna@example.com", "--credits", "1000000")
    key = account(tmp_path, "keys", "create", "anna")
    config = tmp_path / "schemathesis.toml"
    # Pictures that a schema describes are no pictures, so most are refused; and no text is refused as true or false.
    config.write_text(
        "request-timeout = 60\n"
        '[checks.positive_data_acceptance]\nexpected-statuses = ["2xx", "400", "413", "503"]\n'
        '[checks.negative_data_rejection]\nexpected-statuses = ["2xx", "4xx", "503"]\n'
        '[checks.not_a_server_error]\nexpected-statuses = ["2xx", "3xx", "4xx", "503"]\n'
    )
    tool = str(Path(sys.executable).with_name("schemathesis"))
    flags = ["--phases", "examples,coverage,fuzzing", "--max-examples", "30", "--generation-deterministic"]
    command = [tool, "--config-file", str(config), "run", f"{service}/api/openapi", *flags, "--workers", "1"]
    command += ["--header", f"x-api-key: {key}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(requests.get(f"{service}/api/openapi", timeout=60).text)["openapi"].startswith("3.1")
