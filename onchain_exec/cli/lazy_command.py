"""Commands that are imported when they run: to list them, or to run one, needs little of the package."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand


def list_commands(module: str, **summaries: str) -> Iterator[LazyCommand]:
    """Yield the commands of a module of `cli`, by name, each with the first sentence of its docstring."""
    for name, summary in summaries.items():
        yield LazyCommand(name, f"onchain_exec.cli.{module}", summary)


class LazyCommand(TyperCommand):
    """A command made of the module's function of this name, or of its Typer ``app`` of subcommands."""

    def __init__(self, name: str, module: str, summary: str) -> None:
        super().__init__(name, help=summary)
        self._module = module

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Parse its arguments. What the context then runs is the command itself."""
        module = import_module(self._module)
        app = getattr(module, "app", None)
        if app is None:
            app = typer.Typer(add_completion=False)
            app.command(self.name)(getattr(module, self.name or ""))
        return typer.main.get_command(app).make_context(info_name, args, parent, **extra)
