"""Makes `import rembg` mean remrembg, in this program and in what it imports:

    import remrembg.as_rembg

    import rembg  # remrembg, whether rembg is installed or not

Import it before anything that imports rembg. `rembg.__version__` and `importlib.metadata` tell the version of rembg
that remrembg is measured against, as programs refuse older ones.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Iterable, List, Optional

import remrembg
from remrembg._rembg import REMBG_VERSION
from remrembg.sessions import sessions

__all__: List[str] = []

_SUBMODULES = ("bg", "cli", "commands", "session_factory", "sessions", "sessions.base")
#: rembg's modules with one session each: the class's name there, and the model's.
_SESSIONS = {
    "ben_custom": ("BenCustomSession", "ben_custom"),
    "birefnet_cod": ("BiRefNetSessionCOD", "birefnet-cod"),
    "birefnet_dis": ("BiRefNetSessionDIS", "birefnet-dis"),
    "birefnet_general": ("BiRefNetSessionGeneral", "birefnet-general"),
    "birefnet_general_lite": ("BiRefNetSessionGeneralLite", "birefnet-general-lite"),
    "birefnet_hrsod": ("BiRefNetSessionHRSOD", "birefnet-hrsod"),
    "birefnet_massive": ("BiRefNetSessionMassive", "birefnet-massive"),
    "birefnet_portrait": ("BiRefNetSessionPortrait", "birefnet-portrait"),
    "bria_rmbg": ("BriaRmBgSession", "bria-rmbg"),
    "dis_anime": ("DisSession", "isnet-anime"),
    "dis_custom": ("DisCustomSession", "dis_custom"),
    "dis_general_use": ("DisSession", "isnet-general-use"),
    "silueta": ("SiluetaSession", "silueta"),
    "u2net": ("U2netSession", "u2net"),
    "u2net_cloth_seg": ("Unet2ClothSession", "u2net_cloth_seg"),
    "u2net_custom": ("U2netCustomSession", "u2net_custom"),
    "u2net_human_seg": ("U2netHumanSegSession", "u2net_human_seg"),
    "u2netp": ("U2netpSession", "u2netp"),
}


class _Rembg(ModuleType):
    """The module `rembg`: what remrembg has, under the version of rembg."""

    __version__ = REMBG_VERSION

    def __getattr__(self, name: str) -> Any:
        return getattr(remrembg, name)

    def __dir__(self) -> Iterable[str]:
        return sorted({*super().__dir__(), *remrembg.__all__})


class _Metadata(importlib.metadata.Distribution):
    """What a package index would say of rembg."""

    def read_text(self, filename: str) -> Optional[str]:
        if filename == "METADATA":
            return f"Metadata-Version: 2.1\nName: rembg\nVersion: {REMBG_VERSION}\n"
        return None

    def locate_file(self, path: Any) -> Any:
        return path


class _Finder(importlib.metadata.DistributionFinder):
    """Finds that, before what is installed."""

    def find_spec(self, *args: Any, **kwargs: Any) -> None:
        """No module: they are all there."""
        return None

    def find_distributions(self, context: Any = None) -> Iterable[importlib.metadata.Distribution]:
        """What is known of rembg, where that is asked for."""
        name = getattr(context, "name", None) or ""
        return [_Metadata()] if name.lower() == "rembg" else []


def _install() -> None:
    earlier = sys.modules.get("rembg")
    if earlier is not None and not isinstance(earlier, _Rembg):
        raise ImportError("rembg is imported already: import remrembg.as_rembg before what imports it")
    rembg = _Rembg("rembg", remrembg.__doc__)
    rembg.__spec__ = ModuleSpec("rembg", None, is_package=True)
    rembg.__path__ = []
    sys.modules["rembg"] = rembg
    for name in _SUBMODULES:
        module = importlib.import_module(f"remrembg.{name}")
        sys.modules[f"rembg.{name}"] = module
        if "." not in name:
            setattr(rembg, name, module)
    for name, (class_name, model) in _SESSIONS.items():
        module = ModuleType(f"rembg.sessions.{name}")
        module.__spec__ = ModuleSpec(module.__name__, None)
        setattr(module, class_name, sessions[model])
        sys.modules[module.__name__] = module
        setattr(sys.modules["rembg.sessions"], name, module)
    sys.meta_path.insert(0, _Finder())


_install()
