"""The names of a terminal's commands, beside those of a comment."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.cli.group import ENTRIES
from bot.commands import COMMANDS
from tests.terminal import ptq


def help_of(*names: str) -> Result:
    """Ask a command for its help, in this process: each of its own would import all anew."""
    return CliRunner().invoke(app, [*names, "--help"], prog_name="ptq", env={"COLUMNS": "100"})


async def test_other_names_of_a_command() -> None:
    """What stops a job in a comment stops it in a terminal."""
    kill, *others = [await ptq(name, "--help") for name in ("kill", "cancel", "stop")]
    assert "Stop the agent" in kill.out
    assert [one.exit_status for one in others] == [0, 0]
    assert [one.out.partition("Stop the agent")[2] for one in others] == [
        kill.out.partition("Stop the agent")[2]
    ] * 2


@pytest.mark.parametrize("name", ["", "db upgrade", *(entry.name for entry in ENTRIES)])
def test_the_help_shows_values_where_there_are_any(name: str) -> None:
    """What takes no value is not shown with one."""
    said = help_of(*name.split())
    assert said.exit_code == 0
    assert "--help" in said.stdout
    assert "<bool>" not in said.stdout


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_every_command_of_a_comment_leads_somewhere(name: str) -> None:
    """It is one here too, or the one that does the same is named."""
    leads_to = {"investigate": "`ptq auto`", "rerun": "`ptq run`", "help": "`ptq --help`"}
    said = help_of(name)
    if name in leads_to:
        assert said.exit_code == 2
        assert f"{name} is for comments: in a terminal it is {leads_to[name]}." in said.stderr
    else:
        assert (said.exit_code, said.stderr) == (0, "")
