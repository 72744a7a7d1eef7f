"""Programs that import rembg and its modules, and the execution providers that they ask for."""

from __future__ import annotations

import pathlib
import pickle
import re
import subprocess
import sys
import warnings

import pytest
from PIL import Image

import remrembg
from remrembg import new_session
from remrembg._rembg import REMBG_VERSION

ROOT = pathlib.Path(__file__).resolve().parents[2]
CPU = "CPUExecutionProvider"


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_modules_of_rembg_are_here_under_the_packages_name():
    from remrembg.bg import remove
    from remrembg.session_factory import new_session as made_there
    from remrembg.sessions import sessions, sessions_class, sessions_names
    from remrembg.sessions.base import BaseSession

    assert (remove, made_there) == (remrembg.remove, remrembg.new_session)
    assert sessions_names[: len(remrembg.MODELS)] == list(remrembg.MODELS)
    assert [one.name() for one in sessions_class] == sessions_names == list(sessions)
    assert isinstance(new_session("u2netp"), BaseSession)


def test_a_session_class_makes_a_session_of_its_model():
    from remrembg.sessions import sessions

    session = sessions["u2netp"]("u2netp", None, providers=[CPU])
    assert session.model_name == "u2netp"
    [mask] = session.predict(Image.new("RGB", (20, 10)))
    assert (mask.mode, mask.size) == ("L", (20, 10))
    turned = Image.new("RGB", (20, 10))
    turned.getexif()[0x0112] = 6
    [mask] = session.predict(turned)
    assert mask.size == (20, 10), "as rembg's, it is never turned"
    assert turned.getexif()[0x0112] == 6
    assert pickle.loads(pickle.dumps(session)).model_name == "u2netp"
    made = new_session("u2netp")
    assert isinstance(made, sessions["u2netp"])
    assert (made.name(), made.model_name) == ("u2netp", "u2netp")


def test_import_rembg_means_remrembg_once_asked_for():
    program = """
import remrembg.as_rembg
import importlib.metadata, importlib.util
import rembg, rembg.bg
from rembg import new_session, remove
from rembg.sessions import sessions_names
from rembg.sessions.base import BaseSession
from rembg.sessions.u2netp import U2netpSession
from rembg.sessions.dis_general_use import DisSession
import rembg.sessions.u2net as u2net
from rembg.sessions import silueta
assert u2net.U2netSession.name() == "u2net" and silueta.SiluetaSession.name() == "silueta"
from rembg.bg import download_models
from rembg.sessions import sessions_class, sessions_names_no_credentials
assert "u2netp" in sessions_names_no_credentials and sessions_class[0].name() == "u2netp"
assert U2netpSession.is_local() and not U2netpSession.requires_credentials() and not U2netpSession.has_usage_cost()
import remrembg
assert remove is remrembg.remove is rembg.bg.remove
assert isinstance(new_session("u2netp"), BaseSession)
assert isinstance(U2netpSession("u2netp", None), BaseSession)
assert DisSession.name() == "isnet-general-use" and U2netpSession.download_models() is None
download_models(["u2netp"])
assert importlib.util.find_spec("rembg").name == "rembg"
assert importlib.metadata.version("remrembg") == remrembg.__version__
print(rembg.__version__, importlib.metadata.version("rembg"))
"""
    assert run(program).split() == [*"Downloading model: u2netp".split(), *[REMBG_VERSION] * 2]


def test_its_command_line_is_called_as_rembgs(photo, tmp_path):
    out = tmp_path / "out.png"
    program = f"""
import remrembg.as_rembg
import sys
from rembg.cli import main, remove
sys.argv = ["rembg", "i", {str(photo)!r}, {str(out)!r}]
main()
"""
    run(program)
    assert Image.open(out).mode == "RGBA"
    program = f"""
import remrembg.as_rembg
from rembg.commands import command_functions, i_command
assert sorted(command.name for command in command_functions) == list("bdips")
import signal
try:
    i_command(["-om", {str(photo)!r}, {str(tmp_path / "mask.png")!r}])
except SystemExit as end:
    assert end.code == 0
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler, "Ctrl-C is heard as before"
import os
pid = os.fork()
if pid == 0:
    os.kill(os.getpid(), signal.SIGTERM)
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGTERM, "and so is an end that is asked for"
"""
    run(program)
    assert Image.open(tmp_path / "mask.png").mode == "L"


def test_the_version_of_rembg_is_the_one_that_is_measured_against():
    pins = (ROOT / "tools" / "quality.in").read_text("utf-8")
    assert re.search(r"^rembg==(.*)$", pins, re.MULTILINE)[1] == REMBG_VERSION


def test_rembg_that_is_imported_already_is_told():
    program = """
import sys, types
sys.modules["rembg"] = types.ModuleType("rembg")
try:
    import remrembg.as_rembg
except ImportError as error:
    print(error)
"""
    assert "before what imports it" in run(program)


def test_providers_that_are_known_and_here_raise_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for session in (new_session("u2netp"), new_session("u2netp", [CPU]), new_session("u2netp", providers=[CPU])):
            assert session.inner_session.get_providers() == [CPU]


@pytest.mark.parametrize("providers", [["AzureExecutionProvider", CPU], ["NoExecutionProvider"], [("Azure", {}), CPU]])
def test_unknown_providers_are_passed_over_with_a_warning(providers):
    with pytest.warns(RuntimeWarning, match=f"cannot be had: the model runs on {CPU}") as told:
        session = new_session("u2netp", providers=providers)
    assert len(told) == 1
    assert session.inner_session.get_providers() == [CPU]


def test_a_provider_that_is_not_on_this_machine_leaves_it_to_the_processor():
    with pytest.warns(RuntimeWarning, match="CUDAExecutionProvider cannot be had"):
        session = new_session("u2netp", providers=[("CUDAExecutionProvider", {"device_id": 0})])
    assert session.inner_session.get_providers() == [CPU]


def test_other_arguments_of_new_session_are_passed_over_with_a_warning():
    with pytest.warns(UserWarning, match=r"new_session\(\) passes over the argument 'gpu_id'"):
        assert new_session("u2netp", gpu_id=1).model_name == "u2netp"
