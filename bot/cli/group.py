"""The commands by name; the module of one is read only when it is called, or shown."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

JOBS = "Ask for jobs"
LOOK = "Look at jobs, change them, use what they found"
MACHINES = "Machines and settings"
SERVICE = "The service"


@dataclass(frozen=True, slots=True)
class Entry:
    """A command: its module has a function of the module's name, or an ``app``."""

    name: str
    module: str
    panel: str
    comments: tuple[str, ...] = ()
    """The commands of a comment that do the same."""


ENTRIES = (
    Entry("auto", "auto", JOBS, comments=("investigate", "run")),
    Entry("run", "run", JOBS, comments=("run", "rerun")),
    Entry("list", "listing", LOOK, comments=("list",)),
    Entry("status", "status", LOOK, comments=("status",)),
    Entry("follow", "follow", LOOK),
    Entry("peek", "peek", LOOK, comments=("peek",)),
    Entry("results", "results", LOOK, comments=("results",)),
    Entry("apply", "apply", LOOK),
    Entry("pr", "pr", LOOK, comments=("pr",)),
    Entry("takeover", "takeover", LOOK),
    Entry("kill", "kill", LOOK, comments=("kill",)),
    Entry("extend", "extend", LOOK, comments=("extend",)),
    Entry("clean", "clean", LOOK, comments=("clean",)),
    Entry("presets", "presets", MACHINES),
    Entry("setup", "setup", MACHINES),
    Entry("doctor", "doctor", MACHINES),
    Entry("repro", "repro", MACHINES),
    Entry("check-patch", "check_patch", MACHINES),
    Entry("serve", "serve", SERVICE),
    Entry("worker", "worker", SERVICE),
    Entry("finish", "finish", SERVICE),
    Entry("db", "database", SERVICE),
)
"""Every command, in the order in which the help shows them."""


class Command(TyperCommand):
    """One command of it."""

    def get_params(self, ctx: Any) -> Any:  # noqa: ANN401 -- Typer's own
        """Return options and arguments."""
        return _without_values(super().get_params(ctx))


class Commands(TyperGroup):
    """Several commands under one name."""

    def get_params(self, ctx: Any) -> Any:  # noqa: ANN401 -- Typer's own
        """Return the options."""
        return _without_values(super().get_params(ctx))


class Group(Commands):
    """``ptq`` itself."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 -- Typer's own
        """Take the commands from the table."""
        super().__init__(**attributes)
        self.commands = cast("Any", _Commands())
        self._is_listing = False

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 -- Typer's own
        """Write the help: of each command one line."""
        with self._listing():
            super().format_help(ctx, formatter)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:  # noqa: ANN401 -- Typer's own
        """Return the names of the commands that begin so, and what they do."""
        with self._listing():
            return super().shell_complete(ctx, incomplete)

    @contextmanager
    def _listing(self) -> Generator[None]:
        self._is_listing = True
        try:
            yield
        finally:
            self._is_listing = False

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 -- Typer's own
        """Return a command, also by the other names that it has in a comment."""
        if self._is_listing:
            return _shown(cmd_name)
        if cmd_name in self.commands:
            return self.commands[cmd_name]
        # Imported when it is asked for: every command would start later.
        from bot.commands.catalogue import COMMAND_NAMES  # noqa: PLC0415 -- as said

        known = COMMAND_NAMES.get(cmd_name)
        if known is None:
            return None
        if known.name in self.commands:
            return self.commands[known.name]
        here = next((entry.name for entry in ENTRIES if known.name in entry.comments), "")
        does = f"`ptq {here}`" if here else f"`ptq --{known.name}`"
        return ctx.fail(f"{cmd_name} is for comments: in a terminal it is {does}.")

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 -- Typer's own
        """Return the names in the order of the table."""
        return list(self.commands)


def _without_values(parameters: Any) -> Any:  # noqa: ANN401 -- Typer's own
    """Have the help show no value for what takes none: Typer writes ``--json <bool>``."""
    for one in parameters:
        if getattr(one, "is_flag", False) and one.metavar is None:
            one.metavar = ""
    return parameters


class _Commands(MutableMapping[str, Any]):
    """Name → command, made when it is asked for."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}
        self._known = {entry.name: entry for entry in ENTRIES}

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 -- Typer's own
        if name not in self._made:
            self._made[name] = _made(self._known[name])
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:  # noqa: ANN401 -- Typer's own
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def _shown(name: str) -> Any:  # noqa: ANN401 -- Typer's own
    """Return what a list of commands shows of one, read from its file: importing all takes long."""
    entry = next(entry for entry in ENTRIES if entry.name == name)
    tree = ast.parse((Path(__file__).parent / f"{entry.module}.py").read_text(encoding="utf-8"))
    function = next(
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name == entry.module
    )
    command = TyperCommand(name=name, help=inspect.cleandoc(ast.get_docstring(function) or ""))
    cast("Any", command).rich_help_panel = entry.panel
    return command


def _made(entry: Entry) -> Any:  # noqa: ANN401 -- Typer's own
    module = importlib.import_module(f"bot.cli.{entry.module}")
    markup: Any = {"rich_markup_mode": "markdown", "add_completion": False}
    own: object = getattr(module, "app", None)
    if isinstance(own, typer.Typer):
        group = typer.Typer(**markup)
        group.add_typer(own, name=entry.name)
        group.callback()(_nothing)
        command = cast("Any", get_command(group)).commands[entry.name]
    else:
        alone = typer.Typer(**markup)
        alone.command(entry.name, cls=Command)(getattr(module, entry.module))
        command = get_command(alone)
    cast("Any", command).rich_help_panel = entry.panel
    return command


def _nothing() -> None:
    """Let a group have no command of its own."""
