"""Single functions of pymatting, without compiling the rest of it.

``import pymatting`` compiles every kernel the package has, also those of methods nobody here uses: measured, 54 s of
processor time in a fresh environment, in each process that starts before the first has saved them. The ones behind
closed-form matting and multi-level colours take 10 s.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any


def pymatting_function(path: str) -> Callable[..., Any]:
    """``"alpha.estimate_alpha_cf"`` is the function ``estimate_alpha_cf`` of ``pymatting.alpha``; pymatting keeps
    each in a module of its own name. Raises ``ModuleNotFoundError`` when there is none."""
    _open_packages()
    return getattr(importlib.import_module(f"pymatting.{path}"), path.rpartition(".")[2])


@lru_cache(maxsize=1)
def _open_packages() -> None:
    """Make pymatting and its packages known, so that their modules can be imported, without running their
    ``__init__``, which is what imports everything."""
    if "pymatting" not in sys.modules:
        pymatting = _open("pymatting")
        for found in pkgutil.iter_modules(pymatting.__path__, "pymatting."):
            if found.ispkg:
                _open(found.name)


def _open(name: str) -> Any:
    spec = importlib.util.find_spec(name)
    if spec is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    sys.modules[name] = importlib.util.module_from_spec(spec)
    return sys.modules[name]
