"""What goes wrong, as exceptions: one class per kind."""

from __future__ import annotations

import json
from typing import Any, Dict, List, Tuple


class RemrembgError(Exception):
    """The base of all. ``str(error)`` is the message."""

    #: A stable name in snake_case, as ``"corrupt_image"``.
    code: str
    #: The HTTP status that the hosted API answers.
    status: int
    #: What happened, in the hosted API's words.
    message: str
    #: Each refused field, as ``{"field": …, "message": …}``; empty when the
    #: request was not at fault.
    details: List[Dict[str, str]]

    def __init__(
        self, message: str, code: str = "internal", status: int = 500, details: Tuple[Tuple[str, str], ...] = (), body: str = ""
    ) -> None:
        super().__init__(message, code, status, tuple(details), body)
        self.message = message
        self.code = code
        self.status = status
        self.details = [{"field": field, "message": text} for field, text in details]
        self._body = body

    def __str__(self) -> str:
        lines = [f"  {problem['field']}: {problem['message']}" for problem in self.details]
        return "\n".join([f"{self.message}:", *lines]) if len(lines) > 1 else self.message

    @property
    def body(self) -> str:
        """The hosted API's answer, to the byte."""
        return self._body

    def json(self) -> Any:
        """The hosted API's answer, read: as ``requests``' ``response.json()``."""
        return json.loads(self._body)


class ValidationError(RemrembgError, ValueError):
    """The request: an option or the picture."""


class CancelledError(RemrembgError):
    """The caller asked for a stop."""


class ModelError(RemrembgError):
    """The model: unknown, not on this machine, damaged or of another shape."""


class EngineError(RemrembgError, RuntimeError):
    """The inference engine."""


class InputOutputError(RemrembgError, OSError):
    """A file that could not be read."""

    # OSError would take the arguments for its own.
    def __new__(cls, *args: Any, **_: Any) -> "InputOutputError":
        return super().__new__(cls)


class InternalError(RemrembgError):
    """remrembg itself."""


_KINDS = {
    "validation": ValidationError,
    "cancelled": CancelledError,
    "model": ModelError,
    "engine": EngineError,
    "io": InputOutputError,
}


def made(
    kind: str, code: str, status: int, message: str, details: List[Tuple[str, str]], body: str
) -> RemrembgError:
    """The exception of one of core's errors."""
    return _KINDS.get(kind, InternalError)(message, code, status, tuple(details), body)
