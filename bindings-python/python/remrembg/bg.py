"""The names of `rembg.bg`."""

from __future__ import annotations

import sys
from typing import Iterable

from remrembg import ModelError, new_session, remove
from remrembg.sessions import BaseSession, sessions, sessions_names, sessions_names_downloadable

__all__ = ["BaseSession", "download_models", "new_session", "remove", "sessions", "sessions_names"]


def download_models(models: Iterable[str] = ()) -> None:
    """Fetch models by their names, all where none is named, and tell of each. An unknown name ends the program."""
    names = list(models)
    if not names:
        print("No models specified, downloading all models")
        names = sessions_names_downloadable
    for name in names:
        if name not in sessions:
            sys.exit(f"Error: no model found: {name}")
        print(f"Downloading model: {name}")
        try:
            sessions[name].download_models()
        except ModelError as error:
            print(f"Error downloading model: {error}")
