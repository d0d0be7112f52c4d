"""The commands that ask for a job: its options, each checked, then guidance."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pydantic import ValidationError

from bot.commands.arguments import HELP, missing, wrong
from bot.commands.catalogue import OPTION_NAMES, TASK
from bot.commands.code import code
from bot.commands.model import Help, Investigate, OptionChanges, Rerun, Run
from bot.commands.words import Words, split
from bot.errors import CommandError
from bot.models import JobOptions

if TYPE_CHECKING:
    from bot.commands.catalogue import CommandEntry, OptionEntry
    from bot.commands.words import Word

MOST_GUIDANCE = 20_000
"""Characters of guidance, and of a task, that are kept."""
_CUT = "\n[The text was cut here: it is longer than 20,000 characters.]"
_SPECIALIST = re.compile(r"(?<![\w@/])@agent-([A-Za-z][A-Za-z0-9-]{0,63})", re.IGNORECASE)
_MOST_SPECIALISTS = 8
_LOWER = frozenset({"gpu_type", "agent", "mode", "include_comments"})


@dataclass(slots=True)
class _Reading:
    """What was read of a line and of those under it."""

    values: dict[str, str | bool | tuple[str, ...]] = field(
        default_factory=dict[str, "str | bool | tuple[str, ...]"]
    )
    guidance: dict[str, str] = field(default_factory=dict[str, str])
    """By the option that gave it."""
    trailing: str = ""
    below: str = ""
    seen: set[str] = field(default_factory=set[str])

    @property
    def changes(self) -> OptionChanges:
        """The options that were named."""
        return OptionChanges(
            options=JobOptions.model_validate(self.values), said=frozenset(self.values)
        )


def parse_investigate(entry: CommandEntry, words: Words, *, below: str = "") -> Investigate | Help:
    """Read options and guidance; raise CommandError that says what is wrong."""
    found = _read(entry, words, below)
    if found is None:
        return Help(entry.name)
    return Investigate(changes=found.changes, guidance=_guidance(found))


def parse_rerun(entry: CommandEntry, words: Words, *, below: str = "") -> Rerun | Help:
    """Read options and guidance; raise CommandError that says what is wrong."""
    found = _read(entry, words, below)
    if found is None:
        return Help(entry.name)
    return Rerun(changes=found.changes, guidance=_guidance(found))


def parse_run(entry: CommandEntry, words: Words, *, below: str = "") -> Run | Help:
    """Read options and the task: ``--message``, else what would be guidance; raise CommandError."""
    found = _read(entry, words, below)
    if found is None:
        return Help(entry.name)
    task = found.guidance.pop(TASK.name, "")
    if not task:
        task = _capped([found.trailing, found.below])
        found.trailing = found.below = ""
    if not task:
        raise CommandError('The task is missing: say in `-m "…"` what is to be done.')
    return Run(task=_capped([task]), changes=found.changes, guidance=_guidance(found))


def _guidance(found: _Reading) -> str:
    return _capped([*found.guidance.values(), found.trailing, found.below])


def _read(entry: CommandEntry, words: Words, below: str) -> _Reading | None:
    """Read the whole line; None when it asks for help."""
    reading = _Reading(below=below.strip())
    specialists = _specialists(words.rest())
    while (word := words.next()) is not None:
        if word.text.lower() in HELP:
            return None
        if _SPECIALIST.match(word.text):
            continue
        if word.text == "--":
            reading.trailing = words.rest()
            break
        if not word.text.startswith("-") or word.text.strip("-") == "":
            reading.trailing = _trailing(words, word)
            break
        if word.is_unclosed:
            raise _unclosed(word.text)
        _read_option(entry, reading, word, words)
    if specialists:
        reading.values["specialists"] = specialists
    return reading


def _read_option(entry: CommandEntry, reading: _Reading, word: Word, words: Words) -> None:
    name, equals, attached = word.text.partition("=")
    option = OPTION_NAMES.get(name.lower())
    if option is None:
        raise CommandError(f"There is no option {code(name)}.{_nearest(entry, name)}")
    if option.kind == "terminal":
        raise CommandError(f"`{option.name}` works in a terminal only: leave it out of a comment.")
    if option.name in reading.seen:
        raise CommandError(f"`{option.name}` is given twice: once is enough.")
    reading.seen.add(option.name)
    if option.value is None:
        if equals:
            raise CommandError(f"`{option.name}` takes no value.")
        reading.values[_field(option)] = False
        return
    value = attached if equals else _value_after(option, words)
    if not value.strip():
        raise missing(option)
    if option.field is None:
        reading.guidance[option.name] = value.strip()
    else:
        reading.values[option.field] = _checked(option, value.strip())


def _value_after(option: OptionEntry, words: Words) -> str:
    word = words.next()
    if word is None:
        raise missing(option)
    if word.is_unclosed:
        raise _unclosed(word.text)
    if word.text.startswith("--") or word.text.lower() in OPTION_NAMES:
        raise missing(option)
    return word.text


def _checked(option: OptionEntry, value: str) -> str:
    """Return the value when JobOptions takes it; raise CommandError that says what it takes."""
    name = _field(option)
    text = value.lower() if name in _LOWER else value
    if name == "max_usd":
        text = text.removeprefix("$")
    is_wrong = option.pattern is not None and not option.pattern.fullmatch(text)
    try:
        JobOptions.model_validate({name: text})
    except ValidationError:
        is_wrong = True
    if is_wrong:
        raise wrong(option, value)
    return text


def _trailing(words: Words, first: Word) -> str:
    """Return the guidance that stands on the command's own line, from its first word on."""
    text = words.rest(first.start)
    if first.is_unclosed:
        # An apostrophe inside a word (don't) is no quote left open; a quote before it is.
        if not text[0].isalnum():
            raise _unclosed(text)
        pieces = text.split()
    else:
        found = split(text)
        if len(found) == 1:
            return found[0].text.strip()
        pieces = [word.text for word in found if not word.is_unclosed] or text.split()
    for piece in pieces:
        name = piece.partition("=")[0].lower()
        if name.startswith("--") and name in OPTION_NAMES:
            raise CommandError(
                f"`{name}` stands after the guidance: put options first, or the guidance on its "
                "own lines under the command."
            )
    return text


def _specialists(line: str) -> tuple[str, ...]:
    """Return who is asked for, each once; they may stand anywhere on the command's line."""
    names = {
        match.group(1).rstrip("-").lower(): match.group(1).rstrip("-")
        for match in _SPECIALIST.finditer(line)
    }
    if len(names) > _MOST_SPECIALISTS:
        raise CommandError(
            f"One command can ask {_MOST_SPECIALISTS} specialists, and this one asks {len(names)}."
        )
    return tuple(names.values())


def _field(option: OptionEntry) -> str:
    """Return the field that an option of kind ``job`` sets."""
    if option.field is None:
        raise CommandError(f"`{option.name}` sets nothing.")
    return option.field


def _capped(parts: list[str]) -> str:
    text = "\n\n".join(part for part in parts if part)
    if len(text) <= MOST_GUIDANCE:
        return text
    return text[: MOST_GUIDANCE - len(_CUT)].rstrip() + _CUT


def _unclosed(text: str) -> CommandError:
    return CommandError(f"A quote is opened and never closed: {code(text)}.")


def _nearest(entry: CommandEntry, name: str) -> str:
    offered = [option.name for option in entry.options if option.kind != "terminal"]
    near = get_close_matches(name.lower().replace("_", "-")[:40], offered, n=1)
    return f" Did you mean `{near[0]}`?" if near else ""
