"""A comment → its commands, at most three, each right or with what is wrong about it."""

from __future__ import annotations

from collections import Counter

from bot.commands.grammar import parse_line
from bot.commands.lines import CommandLines, command_lines
from bot.commands.model import Command, Mistake

MOST_COMMANDS = 3
"""Commands of one comment that are read."""


def parse_comment(body: str) -> list[Command | Mistake]:
    """Read the commands of a new comment, in their order.

    Any text is fine: it never raises. A fourth command is one Mistake that says so, and it and
    what follows it are not read.
    """
    found = command_lines(body)
    commands: list[Command | Mistake] = [_parse(one) for one in found[:MOST_COMMANDS]]
    if len(found) > MOST_COMMANDS:
        commands.append(
            Mistake(
                f"A comment can hold {MOST_COMMANDS} commands, and this one holds {len(found)}: "
                f"only the first {MOST_COMMANDS} were read."
            )
        )
    return commands


def commands_added(old: str, new: str) -> list[Command | Mistake]:
    """Read the commands that an edit put into a comment: none of them is carried out.

    A command whose line was changed counts as added; one whose line only moved, or whose guidance
    was changed, does not.
    """
    known = Counter(_line(one) for one in command_lines(old))
    added: list[Command | Mistake] = []
    for one in command_lines(new):
        if known[_line(one)] > 0:
            known[_line(one)] -= 1
        elif len(added) < MOST_COMMANDS:
            added.append(_parse(one))
    return added


def _line(one: CommandLines) -> str:
    return " ".join(one.line.split())


def _parse(one: CommandLines) -> Command | Mistake:
    return parse_line(one.line, below=one.below)
