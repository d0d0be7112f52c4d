"""The manual of commands as Markdown, from the grammar of comments and the terminal's own.

``python -m bot.cli.manual`` prints it: ``make docs`` writes ``docs/commands.md``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

from typer.main import get_command

from bot.cli import app
from bot.cli.group import ENTRIES
from bot.cli.options import JOB_PANEL
from bot.cli.statuses import EPILOG
from bot.commands import COMMANDS, OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.commands import CommandEntry, OptionEntry

_HEAD = """\
# Commands

Made by `make docs` from the program itself: change the program, not this file. In a comment a
command is a line that begins with `/ptq`; `ptq COMMAND --help` shows the same in a terminal. A job
is named by its id, or by its issue's number: then it is the newest.
"""
_OPTIONS = """\
## Options of a job

The same in a comment and in a terminal, but for those of one only.
"""
_TERMINAL = f"""\
## In a terminal

Every command that prints data takes `--json`. {EPILOG}
"""


def manual() -> str:
    """Return the whole manual."""
    parts = [
        _HEAD,
        _table(("in a comment", "in a terminal", "what it does"), list(_both())),
        _OPTIONS,
        _table(("option", "default", "where", "what it says"), [_option(one) for one in OPTIONS]),
        _TERMINAL,
        *(_section(entry.name) for entry in ENTRIES),
    ]
    return "\n".join(parts)


def _both() -> Iterator[tuple[str, ...]]:
    for command in COMMANDS:
        terminal = [
            f"`{_usage(entry.name)}`" for entry in ENTRIES if command.name in entry.comments
        ]
        usage = f"`{command.usage}`{_aliases(command)}"
        yield usage, "<br>".join(terminal) or "`--help`", command.does
    for entry in ENTRIES:
        if not entry.comments:
            yield "", f"`{_usage(entry.name)}`", _sentence(_command(entry.name).help or "")


def _aliases(command: CommandEntry) -> str:
    if not command.aliases:
        return ""
    return f" (also {', '.join(f'`{alias}`' for alias in command.aliases)})"


def _option(option: OptionEntry) -> tuple[str, ...]:
    short = f", `{option.short}`" if option.short else ""
    where = "terminal" if option.kind == "terminal" else "both"
    default = f"`{option.default}`" if option.default else ""
    return f"`{option.usage}`{short}", default, where, option.does


def _section(name: str) -> str:
    command = _command(name)
    groups = getattr(command, "commands", None)
    if groups:
        return "\n".join(_described(f"{name} {inner}", one) for inner, one in groups.items())
    return _described(name, command)


def _described(name: str, command: Any) -> str:  # noqa: ANN401 -- Typer's own
    text = "\n".join(line.strip() for line in (command.help or "").strip().splitlines())
    own = [one for one in command.params if one.name != "help" and not one.hidden]
    rows = [_parameter(one) for one in own if _panel(one) != JOB_PANEL]
    table = "\n" + _table(("", "default", ""), rows) if rows else ""
    more = "" if len(rows) == len(own) else "\nAnd the options of a job, as above.\n"
    return f"### `{_line(name, command)}`\n\n{text}\n{table}{more}"


def _panel(parameter: Any) -> str | None:  # noqa: ANN401 -- Typer's own
    return getattr(parameter, "rich_help_panel", None)


def _parameter(parameter: Any) -> tuple[str, ...]:  # noqa: ANN401 -- Typer's own
    names = [*parameter.opts, *parameter.secondary_opts]
    value = "" if _takes_nothing(parameter) else f" {_value(parameter)}"
    if parameter.param_type_name == "argument":
        shown = f"`{_value(parameter)}`"
    else:
        shown = ", ".join(f"`{name}{value}`" for name in names)
    default = parameter.default
    told = "" if default is None or default is False or default == "" else f"`{default}`"
    return shown, told, " ".join((parameter.help or "").split())


def _usage(name: str) -> str:
    command = _command(name)
    return _line(name, command)


def _line(name: str, command: Any) -> str:  # noqa: ANN401 -- Typer's own
    if getattr(command, "commands", None):
        return f"ptq {name} COMMAND"
    words = ["ptq", name]
    for one in command.params:
        if one.param_type_name == "argument":
            words.append(_value(one) if one.required else f"[{_value(one)}]")
        elif one.required:
            words.append(f"{one.opts[0]} {_value(one)}")
    return " ".join(words)


def _value(parameter: Any) -> str:  # noqa: ANN401 -- Typer's own
    return parameter.metavar or parameter.name.upper().replace("_", "-")


def _takes_nothing(parameter: Any) -> bool:  # noqa: ANN401 -- Typer's own
    return bool(getattr(parameter, "is_flag", False))


def _command(name: str) -> Any:  # noqa: ANN401 -- Typer's own
    return cast("Any", get_command(app)).commands[name]


def _sentence(text: str) -> str:
    line = " ".join(text.split("\n\n", maxsplit=1)[0].split())
    sentence, dot, _ = line.partition(". ")
    return f"{sentence}." if dot else line


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    return "\n".join([line(head), line(["---"] * len(head)), *map(line, rows)]) + "\n"


if __name__ == "__main__":
    sys.stdout.write(manual())
