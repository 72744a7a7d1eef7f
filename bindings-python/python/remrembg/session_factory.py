"""The names of `rembg.session_factory`."""

from __future__ import annotations

from remrembg import new_session
from remrembg.sessions import BaseSession, sessions_class

__all__ = ["BaseSession", "new_session", "sessions_class"]
