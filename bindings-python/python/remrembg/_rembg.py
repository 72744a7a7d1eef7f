"""What rembg's users call."""

from __future__ import annotations

import copyreg
import functools
import io
import os
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Optional, Tuple, Type, Union

from remrembg import _pictures, _remrembg, _values
from remrembg._errors import EngineError
from remrembg._remover import Remover

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Callable, Sequence

    from PIL.Image import Image

#: The version of rembg whose ways are kept.
REMBG_VERSION = "2.0.86"
#: ONNX Runtime's names for what it computes on, of which an engine here may make use.
_PROVIDERS = tuple(_remrembg.providers())
_CPU = "CPUExecutionProvider"
#: rembg's names for an ONNX file of one's own, and how each is fed.
_CUSTOM = dict(_remrembg.custom_models())

#: What `new_session` takes for a model's name.
NAMES = (*_remrembg.models(), *_CUSTOM)


class InnerSession:
    """As much of an `onnxruntime.InferenceSession` as programs ask of `session.inner_session`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get_providers(self) -> List[str]:
        """What computes, by ONNX Runtime's names; the processor last, as it steps in for all others."""
        return list(dict.fromkeys([_provider(self._session), _CPU]))


def _provider(session: Session) -> str:
    """What a session runs on, by ONNX Runtime's name; the other engines run on the processor."""
    provider = session.engine.provider
    return provider if provider in _PROVIDERS else _CPU


class Session(Remover):
    """What `new_session` gives: a `Remover` with the names of rembg's sessions.

    Of a class of one's own, `rembg.remove` and its own methods use the mask that its `predict` gives.
    """

    def __init__(self, model_name: str = "u2netp", sess_opts: Any = None, *args: Any, **kwargs: Any) -> None:
        made = session_class(model_name).load(kwargs.pop("providers", None), sess_opts, kwargs.pop("model_path", None))
        self.__dict__.update(made.__dict__)

    @classmethod
    def is_local(cls) -> bool:
        """That it runs on this machine, as all do."""
        return True

    @classmethod
    def requires_credentials(cls) -> bool:
        """That it needs no account, as none does."""
        return False

    @classmethod
    def has_usage_cost(cls) -> bool:
        """That it costs nothing, as none does."""
        return False

    @property
    def inner_session(self) -> InnerSession:
        """Tells what the model runs on."""
        return InnerSession(self)

    @property
    def model_name(self) -> str:
        """The model's name, or the path of its file."""
        return self.model

    def predict(self, img: Image, *args: Any, **kwargs: Any) -> List[Image]:
        """The mask of a Pillow image, of its size and in mode `L`, as a list of one."""
        return [Remover.remove(self, _pictures.as_stored(img), only_mask=True)]

    if not TYPE_CHECKING:

        @functools.wraps(Remover.remove)
        def remove(self, data: Any, **options: Any) -> Any:
            if not predicts(self):
                return super().remove(data, **options)
            import remrembg

            return remrembg.remove(data, session=self, **options)


def predicts(session: Any) -> bool:
    """Whether it is a session with a `predict` of its own, or any object with one."""
    if not isinstance(session, Session):
        return not isinstance(session, Remover) and callable(getattr(session, "predict", None))
    return getattr(session.predict, "__func__", None) is not Session.predict


def predicted(session: Any, data: Any) -> Tuple[Any, Image]:
    """The picture, and the mask that a session's own `predict` makes of it.

    :raises TypeError: it gives another number of masks than one.
    :raises OSError: Pillow cannot read the picture.
    """
    from PIL import Image, ImageOps

    if not _pictures.is_pixels(data) and callable(getattr(data, "read", None)):
        data = _pictures.read(data)
    if _pictures.is_pillow(data):
        image = data
    elif _pictures.is_pixels(data):
        image = Image.fromarray(data)
    else:
        image = Image.open(io.BytesIO(data) if isinstance(data, (bytes, bytearray, memoryview)) else data)
    masks = session.predict(ImageOps.exif_transpose(image))
    if len(masks) != 1:
        raise TypeError(f"predict() must give one mask, not {len(masks)}")
    return data, masks[0]


def new_session(
    model_name: str = "u2netp",
    providers: Optional[Sequence[Union[str, Tuple[str, Any]]]] = None,
    sess_opts: Any = None,
    *,
    model_path: Optional[str] = None,
    **ignored: Any,
) -> Session:
    """Load a model by rembg's name for it, and fetch it first where it is not on this machine.

    :param model_name: a name of `MODELS`; `u2net_custom`, `dis_custom` or `ben_custom`
        with `model_path`. rembg's default, `u2net`, is one to be fetched; here the default is
        the one inside.
    :param providers: execution providers as ONNX Runtime names them, the preferred one first; of `(name, options)` the
        name counts. Those that cannot be had are passed over with a warning, and the processor steps in.
    :param sess_opts: of `onnxruntime.SessionOptions`, `intra_op_num_threads` counts; where it
        is 0 or not given, the environment's `OMP_NUM_THREADS`.
    :param model_path: the ONNX file of a custom model.
    :param ignored: what rembg takes besides; it is passed over with a warning, but for a class that was added to
        `remrembg.sessions.sessions_class`, which gets it.
    :raises UnknownModelError: no such model. `sam` is not there, as it takes points.
    :raises ModelError: it could not be fetched.
    """
    own = None if model_name in NAMES else _added(model_name)
    if own is not None:
        return own(model_name, sess_opts, providers=providers, **ignored)
    _values.warn_of_ignored("new_session", ignored)
    return session_class(model_name).load(providers, sess_opts, model_path)


def _added(name: str) -> Optional[Type[Session]]:
    """The class of that name that a program put among those of `remrembg.sessions`, where rembg looks for it."""
    from remrembg import sessions

    added = [*sessions.sessions_class, *sessions.sessions.values()]
    return next((one for one in added if one.name() == name), None)


def session_class(name: str) -> Type[NamedSession]:
    """What loads the model of that name; one class for each name."""
    if name not in _classes:
        if name not in NAMES:
            # Says so.
            _remrembg.notice(name)
        _classes[name] = type(
            "Session", (NamedSession,), {"_name": name, "__module__": __name__, "__qualname__": "Session"}
        )
    return _classes[name]


class NamedSession(Session):
    """A session of one model, made as rembg's `sessions_class` makes one."""

    _name = ""

    def __init__(self, model_name: Optional[str] = None, sess_opts: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(self._name, sess_opts, *args, **kwargs)

    def __reduce__(self) -> Tuple[Any, ...]:
        if type(self) is not session_class(self._name):
            return copyreg.__newobj__, (type(self),), self.__getstate__()  # type: ignore[attr-defined]
        return _restored, (self._name, self.__getstate__())

    @property
    def model_name(self) -> str:
        """The model's name."""
        return self._name

    @classmethod
    def name(cls) -> str:
        """The model's name."""
        return cls._name

    @classmethod
    def download_models(cls, *args: Any, **kwargs: Any) -> Optional[str]:
        """Fetch the model, unless it is on this machine; its file's path, or `None` for the one that is inside."""
        path = None if cls._name in _CUSTOM else fetch_model(cls._name)
        return None if path is None else str(path)

    @classmethod
    def load(cls, providers: Optional[Iterable[Any]], sess_opts: Any, model_path: Optional[str]) -> Session:
        """A session with the model, which is fetched where it is not on this machine."""
        threads = getattr(sess_opts, "intra_op_num_threads", 0) or os.environ.get("OMP_NUM_THREADS")
        if cls._name not in _CUSTOM:
            fetch_model(cls._name)
            return cls._on(providers, model=cls._name, threads=threads)
        if model_path is None:
            raise ValueError(f"model_path is required for model '{cls._name}'")
        path = os.path.abspath(os.path.expanduser(model_path))
        return cls._on(providers, model=path, threads=threads, model_recipe=_CUSTOM[cls._name])

    @classmethod
    def _on(cls, wanted: Optional[Iterable[Any]], **settings: Any) -> Session:
        """A session on the first of some providers that can be had."""
        if wanted is None:
            return cls._with(**settings)
        wanted = [wanted] if isinstance(wanted, str) else wanted
        names = [name if isinstance(name, str) else name[0] for name in wanted]
        lost = [name for name in names if name not in _PROVIDERS]
        known = [name for name in names if name in _PROVIDERS]
        try:
            session = cls._with(**settings, providers=known or [_CPU])
        except EngineError:
            session = cls._with(**settings, providers=[_CPU])
            lost = [name for name in names if name != _CPU]
        if lost:
            message = f"{', '.join(lost)} cannot be had: the model runs on {_provider(session)}"
            _values.warn(message, RuntimeWarning)
        return session

    @classmethod
    def _with(cls, **settings: Any) -> Session:
        session = cls.__new__(cls)
        Remover.__init__(session, **settings)
        return session


_classes: Dict[str, Type[NamedSession]] = {}


def _restored(name: str, state: Dict[str, Any]) -> Session:
    session = Session.__new__(session_class(name))
    session.__setstate__(state)
    return session


def fetch_model(name: str, *, progress: Optional[Callable[[int, int], object]] = None) -> Optional[Path]:
    """Fetch a model's weights, unless they are on this machine, and give their path.

    A download that broke off goes on where it ended. The environment variables in
    docs/models.md name mirrors and folders. Warns first where the licence forbids commercial use.

    :param progress: called as `progress(bytes, total)`; what it raises ends the download and comes out of it.
    :returns: the file's path; `None` for the model that is inside and has none.
    :raises UnknownModelError: no such model.
    :raises ModelError: it could not be fetched; what came is kept for the next time.
    """
    notice = _remrembg.notice(name)
    if notice is not None:
        _values.warn(notice, UserWarning)
    if name == _remrembg.models()[0]:
        return None
    return _remrembg.fetch(name, progress)
