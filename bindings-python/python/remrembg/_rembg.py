"""What rembg's users call."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, List, Optional

from remrembg import _remrembg
from remrembg._remover import Remover

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Callable, Sequence

    from PIL.Image import Image

#: rembg's names for an ONNX file of one's own, and how each is fed.
_CUSTOM = {
    "u2net_custom": "size=320x320",
    "dis_custom": "size=1024x1024 mean=0.5,0.5,0.5 std=1,1,1",
    "ben_custom": "size=1024x1024 mean=0.5,0.5,0.5 std=1,1,1",
}


class Session(Remover):
    """What `new_session` gives: a `Remover` with the names of rembg's sessions."""

    @property
    def model_name(self) -> str:
        """The model's name, or the path of its file."""
        return self.model

    def predict(self, img: Image, *args: Any, **kwargs: Any) -> List[Image]:
        """The mask of a Pillow image, of its size and in mode `L`, as a list of one."""
        return [self.remove(img, only_mask=True)]


def new_session(
    model_name: str = "u2netp",
    *,
    providers: Optional[Sequence[str]] = None,
    sess_opts: Any = None,
    model_path: Optional[str] = None,
) -> Session:
    """Load a model by rembg's name for it, and fetch it first where it is not on this machine.

    :param model_name: a name of `MODELS`; `u2net_custom`, `dis_custom` or `ben_custom`
        with `model_path`. rembg's default, `u2net`, is one to be fetched; here the default is
        the one inside.
    :param providers: execution providers as ONNX Runtime names them, the preferred one first.
    :param sess_opts: of `onnxruntime.SessionOptions`, `intra_op_num_threads` counts; where it
        is 0 or not given, the environment's `OMP_NUM_THREADS`.
    :param model_path: the ONNX file of a custom model.
    :raises UnknownModelError: no such model. `sam` is not there, as it takes points.
    :raises ModelError: it could not be fetched.
    """
    threads = getattr(sess_opts, "intra_op_num_threads", 0) or os.environ.get("OMP_NUM_THREADS")
    if model_name in _CUSTOM:
        if model_path is None:
            raise ValueError(f"model_path is required for model '{model_name}'")
        path = os.path.abspath(os.path.expanduser(model_path))
        return Session(path, threads=threads, providers=providers, model_recipe=_CUSTOM[model_name])
    fetch_model(model_name)
    return Session(model_name, threads=threads, providers=providers)


def fetch_model(name: str, *, progress: Optional[Callable[[int, int], object]] = None) -> Optional[Path]:
    """Fetch a model's weights, unless they are on this machine, and give their path.

    A download that broke off goes on where it ended. The environment variables in the README's
    section on models name mirrors and folders. Warns first where the licence forbids commercial use.

    :param progress: called as `progress(bytes, total)`; what it raises ends the download and comes out of it.
    :returns: the file's path; `None` for the model that is inside and has none.
    :raises UnknownModelError: no such model.
    :raises ModelError: it could not be fetched; what came is kept for the next time.
    """
    notice = _remrembg.notice(name)
    if notice is not None:
        import warnings

        warnings.warn(notice, stacklevel=2)
    if name == _remrembg.models()[0]:
        return None
    return _remrembg.fetch(name, progress)
