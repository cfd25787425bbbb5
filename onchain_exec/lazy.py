"""Packages whose public names are loaded when they are first asked for.

A program then pays for what it uses: to list the orders of a journal it loads no solver, no signer and no
socket. The scientific packages do the same (their SPEC 1).
"""

from __future__ import annotations

import ast
import inspect
import sys
from functools import cache
from importlib import import_module
from types import ModuleType


class LazyPackage(ModuleType):
    """A package that imports its public names ``if TYPE_CHECKING`` only; `load_when_asked` makes one.

    What type checkers are told there is what is loaded, so the two cannot differ. A name may also be
    that of the module it comes from: then the package shows the name, and the module has no attribute.
    """

    __all__: list[str]

    def __getattr__(self, name: str) -> object:
        if name not in self.__all__:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_find_homes(self)[name]), name)
        super().__setattr__(name, value)
        return value

    def __setattr__(self, name: str, value: object) -> None:
        # The import of a submodule sets it here, also where a public name is to be.
        if not (isinstance(value, ModuleType) and name in self.__all__):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.__all__})


def load_when_asked(package: str) -> None:
    """Make a LazyPackage of the package; call it at the end of its ``__init__`` with ``__name__``."""
    sys.modules[package].__class__ = LazyPackage


@cache
def _find_homes(package: ModuleType) -> dict[str, str]:
    """Return the module that each public name comes from, as the package's source says."""
    imports = (
        node for node in ast.walk(ast.parse(inspect.getsource(package))) if isinstance(node, ast.ImportFrom)
    )
    return {alias.name: node.module or "" for node in imports for alias in node.names}
