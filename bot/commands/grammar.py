"""One command line → a command, or a Mistake that says what was wrong and what is right."""

from __future__ import annotations

import math
from datetime import timedelta
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING

from bot.commands.arguments import missing, read_arguments, wrong
from bot.commands.catalogue import COMMAND_NAMES, COMMANDS, LOG, MORE_HOURS, MOST_LOG_LINES
from bot.commands.code import code
from bot.commands.job import parse_investigate, parse_rerun, parse_run
from bot.commands.model import (
    LOG_LINES,
    Clean,
    Command,
    Extend,
    Help,
    Kill,
    ListJobs,
    Mistake,
    Peek,
    Publish,
    Results,
    Status,
)
from bot.commands.words import Words, split
from bot.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.commands.arguments import Arguments
    from bot.commands.catalogue import CommandEntry
    from bot.commands.model import JobNamed

_HELP_OPTIONS = frozenset({"--help", "-h", "-?"})
_MOST_HOURS = 24.0
_NEAR = 0.65
"""How like a command a word must be to be taken for it."""
_OF_A_JOB: Mapping[str, Callable[[JobNamed | None], Command]] = MappingProxyType(
    {"status": Status, "results": Results, "pr": Publish, "kill": Kill, "clean": Clean}
)
"""The commands that say which job and nothing else."""


def parse_line(line: str, *, below: str = "") -> Command | Mistake:
    """Read what follows ``/ptq`` on its line, and the lines under it; never raises."""
    words = Words(line)
    first = words.next()
    if first is None or first.text.lower() in _HELP_OPTIONS:
        return Help()
    name = first.text.lower()
    entry = COMMAND_NAMES.get(name)
    if entry is None:
        return _unknown(first.text, is_option=name.startswith("-"))
    try:
        return _parse_command(entry, words, below=below)
    except CommandError as error:
        usage = f"Usage: {code(entry.usage)}"
        more = "" if entry.name == "help" else f" · {code(f'/ptq help {entry.name}')} says more."
        return Mistake(f"{error}\n\n{usage}{more}")


def _parse_command(entry: CommandEntry, words: Words, *, below: str) -> Command:
    if entry.name == "help":
        return _help(words)
    match entry.name:
        case "investigate":
            return parse_investigate(entry, words, below=below)
        case "run":
            return parse_run(entry, words, below=below)
        case "rerun":
            return parse_rerun(entry, words, below=below)
        case _:
            found = read_arguments(entry, words)
            return Help(entry.name) if found.asks_for_help else _asked(entry, found)


def _asked(entry: CommandEntry, found: Arguments) -> Command:
    """Return the command that asks for no new job."""
    match entry.name:
        case "peek":
            return Peek(found.job, lines=_lines(found))
        case "list":
            return ListJobs()
        case "extend":
            return Extend(_more(found), found.job)
        case name:
            return _OF_A_JOB[name](found.job)


def _lines(found: Arguments) -> int:
    text = found.values.get(LOG.name)
    if text is None:
        return LOG_LINES
    lines = int(text) if text.isascii() and text.isdecimal() and len(text) < len("1000") else 0
    if not 1 <= lines <= MOST_LOG_LINES:
        raise wrong(LOG, text)
    return lines


def _more(found: Arguments) -> timedelta:
    text = found.values.get(MORE_HOURS.name)
    if text is None:
        raise missing(MORE_HOURS)
    try:
        hours = float(text)
    except ValueError:
        hours = math.nan
    if not 0 < hours <= _MOST_HOURS:
        raise wrong(MORE_HOURS, text)
    return timedelta(hours=hours)


def _help(words: Words) -> Help:
    topics = [word for word in split(words.rest()) if word.text.lower() != "/ptq"]
    if not topics:
        return Help()
    name = topics[0].text.lower()
    entry = COMMAND_NAMES.get(name)
    if entry is None:
        raise CommandError(f"There is no command {code(topics[0].text)}.{_nearest(name)}")
    return Help(entry.name)


def _unknown(word: str, *, is_option: bool) -> Mistake:
    if is_option or word.startswith("@"):
        said = f"The command is missing before {code(word)}: write `/ptq investigate` first."
    else:
        said = f"There is no command {code(word)}.{_nearest(word.lower())}"
    names = ", ".join(code(entry.name) for entry in COMMANDS)
    return Mistake(f"{said}\n\nThe commands are {names}; `/ptq help` explains them.")


def _nearest(name: str) -> str:
    built = [*COMMAND_NAMES]
    near = get_close_matches(name[:40], built, n=1, cutoff=_NEAR)
    return f" Did you mean {code(f'/ptq {near[0]}')}?" if near else ""
