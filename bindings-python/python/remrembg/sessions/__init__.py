"""The names of `rembg.sessions`: the models that `new_session` takes, and what it gives."""

from __future__ import annotations

from typing import Dict, List, Type

from remrembg import _rembg, _remrembg
from remrembg.sessions.base import BaseSession

__all__ = [
    "BaseSession",
    "sessions",
    "sessions_class",
    "sessions_names",
    "sessions_names_downloadable",
    "sessions_names_no_credentials",
]

#: What `new_session` takes for a model's name, and what loads that model; all are sessions of one kind.
sessions: Dict[str, Type[_rembg.NamedSession]] = {name: _rembg.session_class(name) for name in _rembg.NAMES}
sessions_names: List[str] = list(sessions)
#: Those that are fetched by their names.
sessions_names_downloadable: List[str] = list(_remrembg.models())
#: All of them: none needs an account.
sessions_names_no_credentials: List[str] = list(sessions)
sessions_class: List[Type[_rembg.NamedSession]] = list(sessions.values())
