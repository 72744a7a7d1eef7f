"""What goes wrong, as exceptions: one class per kind."""

from __future__ import annotations

import errno as numbers
import os
from typing import Any, Dict, Iterable, List, Optional, Tuple, Type


class RemrembgError(Exception):
    """The base of all that remrembg raises on its own. Errors pickle.

    `str(error)` is the message, with each problem on a line of its own where there are several.

    code      a stable name in snake_case, such as "corrupt_image"
    status    the HTTP status that the hosted API answers
    message   what happened, in the hosted API's words
    details   each refused field as {"field": …, "message": …}; empty when the request was not at fault
    body      the hosted API's answer to the byte: compact JSON; `json()` reads it
    reason    why, where the message is the same for many causes and the cause is known, such as
              "this is a HEIC picture"; else None
    """

    code: str
    status: int
    message: str
    details: List[Dict[str, str]]
    body: str
    reason: Optional[str] = None

    def __init__(
        self,
        message: str,
        code: str = "internal",
        status: int = 500,
        details: Iterable[Tuple[str, str]] = (),
        body: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.status = status
        self.details = [{"field": field, "message": text} for field, text in details]
        self.body = body

    def __str__(self) -> str:
        if len(self.details) < 2:
            return self.message
        lines = [f"  {problem['field']}: {problem['message']}" for problem in self.details]
        return "\n".join([f"{self.message}:", *lines])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> Tuple[Any, ...]:
        details = [(problem["field"], problem["message"]) for problem in self.details]
        return type(self), (self.message, self.code, self.status, details, self.body), {"reason": self.reason}

    def json(self) -> Any:
        """The hosted API's answer as `requests`' `response.json()` gives it."""
        import json

        return json.loads(self.body)


class ValidationError(RemrembgError, ValueError):
    """The request is at fault: an option, a setting or the picture. Status 400."""


class CancelledError(RemrembgError):
    """A `CancelToken` asked for a stop. Status 499."""


class ModelError(RemrembgError):
    """The model is unknown, not on this machine, damaged or of another shape. Status 500."""


class UnknownModelError(ModelError, ValueError):
    """There is no model of that name."""


class EngineError(RemrembgError, RuntimeError):
    """The inference engine is not to be had, or failed. Status 500."""


class InputOutputError(RemrembgError, OSError):
    """A file could not be read or written. Status 500. `errno` is the system's."""

    def __init__(
        self,
        message: str,
        code: str = "cannot_read",
        status: int = 500,
        details: Iterable[Tuple[str, str]] = (),
        body: str = "",
        number: Optional[int] = None,
    ) -> None:
        super().__init__(message, code, status, details, body)
        self.errno = number
        self.strerror = None if number is None else os.strerror(number)

    def __reduce__(self) -> Tuple[Any, ...]:
        kind, what, state = super().__reduce__()
        return kind, (*what, self.errno), state


class MissingFileError(InputOutputError, FileNotFoundError):
    """There is no such file."""


class InternalError(RemrembgError):
    """A fault of remrembg's own. Status 500."""


_KINDS: Dict[str, Type[RemrembgError]] = {
    "validation": ValidationError,
    "cancelled": CancelledError,
    "model": ModelError,
    "engine": EngineError,
}
# Tracebacks name them as users import them.
for _class in (*_KINDS.values(), RemrembgError, UnknownModelError, InputOutputError, MissingFileError, InternalError):
    _class.__module__ = "remrembg"


def made(
    kind: str,
    code: str,
    status: int,
    message: str,
    details: List[Tuple[str, str]],
    body: str,
    number: Optional[int],
    reason: Optional[str],
) -> RemrembgError:
    """The exception of one of core's errors."""
    error = _of_kind(kind, code, status, message, details, body, number)
    error.reason = reason
    return error


def _of_kind(
    kind: str, code: str, status: int, message: str, details: List[Tuple[str, str]], body: str, number: Optional[int]
) -> RemrembgError:
    if kind == "io":
        named = MissingFileError if number == numbers.ENOENT else InputOutputError
        return named(message, code, status, details, body, number)
    if code == "unknown_model":
        return UnknownModelError(message, code, status, details, body)
    return _KINDS.get(kind, InternalError)(message, code, status, details, body)
