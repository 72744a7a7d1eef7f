"""The names of `rembg.bg`."""

from __future__ import annotations

from remrembg import new_session, remove
from remrembg.sessions import BaseSession, sessions, sessions_names

__all__ = ["BaseSession", "new_session", "remove", "sessions", "sessions_names"]
