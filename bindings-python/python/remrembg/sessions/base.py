"""The names of `rembg.sessions.base`."""

from __future__ import annotations

from remrembg._rembg import Session as BaseSession

__all__ = ["BaseSession"]
