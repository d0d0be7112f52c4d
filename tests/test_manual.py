"""The manual of commands, and the help of the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import click
from typer.main import get_command

from bot.cli import app
from bot.cli.group import ENTRIES
from bot.cli.manual import manual
from bot.commands import COMMANDS, OPTIONS
from tests.terminal import ptq

DOCUMENT = Path(__file__).parent.parent / "docs" / "commands.md"
WITHOUT_A_TERMINAL = {"help"}
"""`--help` there."""


def options_of(name: str) -> set[str]:
    """Return the options of a terminal's command."""
    command = cast("Any", get_command(app)).commands[name]
    return {opt for one in command.params for opt in (*one.opts, *one.secondary_opts)}


def test_the_manual_is_up_to_date() -> None:
    """`make docs` writes what the program says of itself."""
    assert DOCUMENT.read_text() == manual()


def test_every_command_of_a_comment_has_its_place_in_a_terminal() -> None:
    """Whatever can be asked for in a thread can be asked for in a terminal."""
    there = {name for entry in ENTRIES for name in entry.comments}
    assert there | WITHOUT_A_TERMINAL == {command.name for command in COMMANDS}


def test_every_option_of_a_job_is_in_both() -> None:
    """An option has one name in a comment and in a terminal."""
    for command in ("auto", "run"):
        assert {option.name for option in OPTIONS} <= options_of(command)
        assert {option.short for option in OPTIONS if option.short} <= options_of(command)


def test_every_command_explains_itself() -> None:
    """`--help` says of each command and option what it does."""
    for entry in ENTRIES:
        command = cast("Any", get_command(app)).commands[entry.name]
        assert command.help, entry.name
        for one in command.params:
            assert getattr(one, "help", None), f"{entry.name} {one.name}"


def test_the_list_of_commands_says_what_each_says_of_itself() -> None:
    """`ptq --help` and completion read it from the files, so as not to import them all."""
    group = cast("Any", get_command(app))
    context = click.Context(group)
    listed = {one.value: one.help for one in group.shell_complete(context, "") if one.help}
    assert listed == {
        entry.name: group.commands[entry.name].get_short_help_str() for entry in ENTRIES
    }


async def test_the_list_of_commands_imports_none_of_them() -> None:
    """A person waits for `ptq --help` as long as for nothing: no library of the jobs is needed."""
    said = await ptq("--help", PYTHONPROFILEIMPORTTIME="1")
    assert "takeover" in said.out
    imported = {line.rpartition("|")[2].strip() for line in said.err.splitlines()}
    assert "typer" in imported
    assert imported.isdisjoint({"aiohttp", "asyncssh", "dbos", "sqlalchemy"})


def test_data_can_be_had_as_json() -> None:
    """Scripts read one JSON object (or list) from every command that prints data."""
    silent = {"serve", "worker", "finish", "db"}
    for entry in ENTRIES:
        if entry.name not in silent:
            assert "--json" in options_of(entry.name), entry.name
