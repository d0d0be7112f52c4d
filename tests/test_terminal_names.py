"""The names of a terminal's commands, beside those of a comment."""

from __future__ import annotations

import pytest

from bot.cli.group import ENTRIES
from bot.commands import COMMANDS
from tests.terminal import ptq


async def test_other_names_of_a_command() -> None:
    """What stops a job in a comment stops it in a terminal."""
    kill, *others = [await ptq(name, "--help") for name in ("kill", "cancel", "stop")]
    assert "Stop the agent" in kill.out
    assert [one.exit_status for one in others] == [0, 0]
    assert [one.out.partition("Stop the agent")[2] for one in others] == [
        kill.out.partition("Stop the agent")[2]
    ] * 2


@pytest.mark.parametrize("name", ["", "db upgrade", *(entry.name for entry in ENTRIES)])
async def test_the_help_shows_values_where_there_are_any(name: str) -> None:
    """What takes no value is not shown with one."""
    said = await ptq(*name.split(), "--help", COLUMNS="100")
    assert said.exit_status == 0
    assert "--help" in said.out
    assert "<bool>" not in said.out


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
async def test_every_command_of_a_comment_leads_somewhere(name: str) -> None:
    """It is one here too, or the one that does the same is named."""
    leads_to = {"investigate": "`ptq auto`", "rerun": "`ptq run`", "help": "`ptq --help`"}
    said = await ptq(name, "--help")
    if name in leads_to:
        assert said.exit_status == 2
        assert f"{name} is for comments: in a terminal it is {leads_to[name]}." in said.err
    else:
        assert (said.exit_status, said.err) == (0, "")
