"""Exceptions in a text: in what a program printed, or in what somebody wrote of it. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_LINES = 20_000
MAX_LINE = 2_000
_MESSAGE_LINES = 12

_CHAIN = re.compile(
    r"During handling of the above exception|The above exception was the direct cause"
)
_BETWEEN = 4
"""Lines between two exceptions of a chain."""
_BEGINNING = re.compile(r"^(?P<prefix>.{0,80}?)Traceback \(most recent call last\)")
_FRAME = re.compile(
    r'^\s+File "(?P<path>[^"\n]{1,500})", line (?P<line>\d{1,9})(?:, in (?P<function>.{1,200}))?'
)
_RAISED = re.compile(
    r"^(?:[A-Za-z_]\w*\.){0,12}(?P<name>[A-Za-z_]\w{0,100})(?::(?: (?P<message>.*))?)?$"
)
_NAMED = re.compile(
    r"^\W{0,6}(?:[A-Za-z_]\w{0,60}\.){0,12}"
    r"(?P<name>[A-Z]\w{0,60}(?:Error|Exception|Failed|Unsupported|Failure|Interrupt))"
    r":\s*(?P<message>\S.*)$"
)

_THROWN = re.compile(
    r"terminate called after throwing an instance of '(?:\w{1,60}::){0,6}(?P<name>\w{1,100})'"
    r"(?:\s{1,20}what\(\):[ \t]{0,20}(?P<message>[^\n]{0,2000}))?"
)


@dataclass(frozen=True, slots=True)
class Frame:
    """One line ``File "…", line N, in …``."""

    path: str
    line: int
    function: str


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception that a text shows."""

    exception: str
    """Its class, without the module."""
    message: str
    """With its further lines, where it has some."""
    frames: tuple[Frame, ...] = ()
    """Outermost first; none where the text shows no traceback."""
    is_inner: bool = False
    """Whether another exception followed from it."""


def read(text: str) -> list[Raised]:
    """Return the exceptions that the tracebacks of a text end with, in its order."""
    lines = [line[:MAX_LINE] for line in text.splitlines()[-MAX_LINES:]]
    found: list[Raised] = []
    number = 0
    while number < len(lines):
        beginning = _BEGINNING.match(lines[number])
        between = lines[max(number - _BETWEEN, 0) : number]
        number += 1
        if beginning is not None:
            if found and any(map(_CHAIN.search, between)):
                found[-1] = replace(found[-1], is_inner=True)
            raised, number = _one(lines, number, beginning["prefix"])
            found += [raised] if raised is not None else []
    return found


def named(text: str) -> list[Raised]:
    """Return the exceptions that stand at the beginning of a line: ``ValueError: expected 2``."""
    found: list[Raised] = []
    for line in text.splitlines()[:MAX_LINES]:
        match = _NAMED.match(line[:MAX_LINE])
        if match is not None:
            message = match["message"].strip().rstrip("`*")
            found.append(Raised(exception=match["name"], message=message))
    return found


def thrown(text: str) -> list[Raised]:
    """Return the C++ exceptions that nobody caught: ``terminate called after throwing …``."""
    return [
        Raised(exception=found["name"], message=(found["message"] or "").strip())
        for found in _THROWN.finditer(text[-MAX_LINES * MAX_LINE :])
    ]


def _one(lines: Sequence[str], number: int, prefix: str) -> tuple[Raised | None, int]:
    """Read a traceback from behind its first line; each line may bear the same prefix."""
    frames: list[Frame] = []
    while number < len(lines):
        line = lines[number].removeprefix(prefix)
        if _BEGINNING.match(lines[number]):
            return None, number
        number += 1
        frame = _FRAME.match(line)
        if frame is not None:
            frames.append(
                Frame(path=frame["path"], line=int(frame["line"]), function=frame["function"] or "")
            )
        elif line.strip() and not line[0].isspace():
            raised = _RAISED.match(line.rstrip())
            if raised is None:
                return None, number
            first = raised["message"] or ""
            message, number = _rest(lines, number, prefix, first)
            return Raised(raised["name"], message, tuple(frames)), number
    return None, number


def _rest(lines: Sequence[str], number: int, prefix: str, first: str) -> tuple[str, int]:
    """Add the further lines of a message: up to an empty line or the next traceback."""
    message = [first]
    while number < len(lines) and len(message) < _MESSAGE_LINES:
        line = lines[number]
        if not line.strip() or _BEGINNING.match(line) or line.startswith("```"):
            break
        message.append(line.removeprefix(prefix))
        number += 1
    return "\n".join(message), number
