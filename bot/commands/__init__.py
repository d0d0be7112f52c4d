"""The grammar: the text of a comment → commands. Pure, and linear in the text's length."""

from __future__ import annotations

from bot.commands.arguments import job_named
from bot.commands.catalogue import COMMANDS, OPTIONS, CommandEntry, OptionEntry
from bot.commands.comment import commands_added, parse_comment
from bot.commands.model import (
    Clean,
    Command,
    Extend,
    Help,
    Investigate,
    JobNamed,
    Kill,
    ListJobs,
    Mistake,
    OptionChanges,
    Peek,
    Publish,
    Rerun,
    Results,
    Run,
    Status,
)

__all__ = [
    "COMMANDS",
    "OPTIONS",
    "Clean",
    "Command",
    "CommandEntry",
    "Extend",
    "Help",
    "Investigate",
    "JobNamed",
    "Kill",
    "ListJobs",
    "Mistake",
    "OptionChanges",
    "OptionEntry",
    "Peek",
    "Publish",
    "Rerun",
    "Results",
    "Run",
    "Status",
    "commands_added",
    "job_named",
    "parse_comment",
]
