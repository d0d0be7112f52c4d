"""One command line → a command, or a Mistake that says what was wrong and what is right."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from bot.commands.catalogue import COMMAND_NAMES, COMMANDS
from bot.commands.code import code
from bot.commands.investigate import parse_investigate
from bot.commands.model import Command, Help, Mistake, NotYet
from bot.commands.words import Words, split
from bot.errors import CommandError

if TYPE_CHECKING:
    from bot.commands.catalogue import CommandEntry

_HELP_OPTIONS = frozenset({"--help", "-h", "-?"})


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
    except CommandError as wrong:
        usage = f"Usage: {code(entry.usage)}"
        more = "" if entry.name == "help" else f" · {code(f'/ptq help {entry.name}')} says more."
        return Mistake(f"{wrong}\n\n{usage}{more}")


def _parse_command(entry: CommandEntry, words: Words, *, below: str) -> Command:
    if entry.name == "help":
        return _help(words)
    if not entry.is_built:
        return NotYet(entry.name)
    return parse_investigate(words, below=below)


def _help(words: Words) -> Help | NotYet:
    topics = [word for word in split(words.rest()) if word.text.lower() != "/ptq"]
    if not topics:
        return Help()
    name = topics[0].text.lower()
    entry = COMMAND_NAMES.get(name)
    if entry is None:
        raise CommandError(f"There is no command {code(topics[0].text)}.{_nearest(name)}")
    return Help(entry.name) if entry.is_built else NotYet(entry.name)


def _unknown(word: str, *, is_option: bool) -> Mistake:
    if is_option or word.startswith("@"):
        wrong = f"The command is missing before {code(word)}: write `/ptq investigate` first."
    else:
        wrong = f"There is no command {code(word)}.{_nearest(word.lower())}"
    usages = "\n".join(
        f"- {code(entry.usage)}: {entry.does}" for entry in COMMANDS if entry.is_built
    )
    return Mistake(f"{wrong}\n\n{usages}")


def _nearest(name: str) -> str:
    built = [entry.name for entry in COMMANDS if entry.is_built]
    near = get_close_matches(name[:40], built, n=1)
    return f" Did you mean {code(f'/ptq {near[0]}')}?" if near else ""
