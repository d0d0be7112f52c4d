"""The grammar: the text of a comment → commands. Pure, and linear in the text's length."""

from __future__ import annotations

from bot.commands.catalogue import COMMANDS, OPTIONS, CommandEntry, OptionEntry
from bot.commands.comment import commands_added, parse_comment
from bot.commands.model import Command, Help, Investigate, Mistake, NotYet, OptionChanges

__all__ = [
    "COMMANDS",
    "OPTIONS",
    "Command",
    "CommandEntry",
    "Help",
    "Investigate",
    "Mistake",
    "NotYet",
    "OptionChanges",
    "OptionEntry",
    "commands_added",
    "parse_comment",
]
