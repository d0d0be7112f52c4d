"""What follows a command that asks for no job: a job's name, and options of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

from bot.commands.code import code
from bot.errors import CommandError
from bot.models import JobId

if TYPE_CHECKING:
    from bot.commands.catalogue import CommandEntry, OptionEntry
    from bot.commands.model import JobNamed
    from bot.commands.words import Word, Words

HELP = frozenset({"--help", "-h"})

_JOB_ID = re.compile(r"\d{8}-[A-Za-z0-9][A-Za-z0-9._-]{0,118}")
_NUMBER = re.compile(r"#?([1-9]\d{0,8})")
_JOB_LIKE = "a job's id or its issue's number"


@dataclass(slots=True)
class Arguments:
    """What was read of a line."""

    job: JobNamed | None = None
    values: dict[str, str] = field(default_factory=dict[str, str])
    """By the option's name."""
    asks_for_help: bool = False


def read_arguments(entry: CommandEntry, words: Words) -> Arguments:
    """Read options and a job's name, in any order; raise CommandError that says what is wrong."""
    found = Arguments()
    while (word := words.next()) is not None:
        if word.text.lower() in HELP:
            return Arguments(asks_for_help=True)
        if word.is_unclosed:
            raise CommandError(f"A quote is opened and never closed: {code(word.text)}.")
        if word.text.startswith("-") and word.text.strip("-"):
            _read_option(entry, word, words, found.values)
        elif not entry.takes_job or found.job is not None:
            raise CommandError(_unexpected(entry, word.text))
        else:
            found.job = _job(word.text)
    return found


def job_named(text: str) -> JobNamed | None:
    """Read a job's id, or an issue's number with or without ``#``; None for anything else."""
    number = _NUMBER.fullmatch(text)
    if number is not None:
        return int(number.group(1))
    return JobId(text) if _JOB_ID.fullmatch(text) else None


def _job(text: str) -> JobNamed:
    job = job_named(text.strip("`"))
    if job is None:
        raise CommandError(f"{code(text)} is not {_JOB_LIKE}.")
    return job


def _read_option(entry: CommandEntry, word: Word, words: Words, values: dict[str, str]) -> None:
    name, equals, attached = word.text.partition("=")
    option = next((one for one in entry.options if name.lower() in {one.name, one.short}), None)
    if option is None:
        raise CommandError(f"There is no option {code(name)} here.{_nearest(entry, name)}")
    if option.name in values:
        raise CommandError(f"`{option.name}` is given twice: once is enough.")
    value = attached if equals else _value(words)
    if not value.strip():
        raise missing(option)
    values[option.name] = value.strip()


def _value(words: Words) -> str:
    word = words.next()
    return "" if word is None or word.is_unclosed or word.text.startswith("--") else word.text


def missing(option: OptionEntry) -> CommandError:
    """Return what is said of an option without its value."""
    return CommandError(f"`{option.name}` needs a value: {option.allowed}.")


def wrong(option: OptionEntry, value: str) -> CommandError:
    """Return what is said of an option with a wrong value."""
    return CommandError(f"`{option.name}` takes {option.allowed}, not {code(value)}.")


def _unexpected(entry: CommandEntry, text: str) -> str:
    if entry.takes_job:
        return f"{code(text)} is one word too many: one job can be named."
    return f"`/ptq {entry.name}` takes nothing more, so {code(text)} means nothing here."


def _nearest(entry: CommandEntry, name: str) -> str:
    offered = [option.name for option in entry.options]
    near = get_close_matches(name.lower().replace("_", "-")[:40], offered, n=1)
    return f" Did you mean `{near[0]}`?" if near else ""
