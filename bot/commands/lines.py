"""Which lines of a comment are commands, by what GitHub would show of it.

A command is a line that begins with ``/ptq``, at most three spaces before it, outside quotes, code,
and HTML comments. The blocks are found by markdown-it, so lists, fences and quotes are what they
are on GitHub; ``tests/test_commands_linear.py`` holds it to be linear in the text's length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator


_COMMAND = re.compile(r" {0,3}/ptq(?=\s|$)", re.IGNORECASE)
MOST_CHARACTERS = 131_072
"""What is read of a comment: GitHub takes 65,536 characters, and the rest would be no comment."""
_NESTING = 10
"""Quotes and lists deeper than this hold no command; it bounds the work on each line."""

# What hides or quotes text until its end: opening → closing.
_HIDING = {
    "<!--": "-->",
    "<blockquote": "</blockquote",
    "<pre": "</pre",
    "<script": "</script",
    "<style": "</style",
    "<textarea": "</textarea",
    "<code": "</code",
}
_OPENING = re.compile("|".join(_HIDING), re.IGNORECASE)
_INLINE = re.compile(r"\\.|`+|<!--", re.DOTALL)
_LINE_ENDS = re.compile(r"\r\n?")


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"maxNesting": _NESTING})
    parser.core.ruler.enableOnly(["normalize", "block"])
    # A link's definition is no place where somebody looks for commands, and may be costly.
    parser.block.ruler.disable(["reference"])
    return parser


_BLOCKS = _parser()
"""Made once: that takes longer than to read a comment."""


@dataclass(frozen=True, slots=True)
class CommandLines:
    """One command of a comment, as written."""

    line: str
    """What follows ``/ptq`` on its line."""
    below: str
    """The lines under it, up to the next command."""


def command_lines(body: str) -> list[CommandLines]:
    """Find the commands of a comment, in their order."""
    text = _LINE_ENDS.sub("\n", body[:MOST_CHARACTERS])
    if "/ptq" not in text.lower():
        return []
    lines = text.split("\n")
    starts = sorted(set(_visible_commands(text, lines)))
    ends = [*starts, len(lines)][1:]
    return [
        CommandLines(
            line=_after_name(lines[start]),
            below="\n".join(lines[start + 1 : end]).strip("\n"),
        )
        for start, end in zip(starts, ends, strict=True)
    ]


def _after_name(line: str) -> str:
    return line.lstrip()[len("/ptq") :].strip()


def _visible_commands(text: str, lines: list[str]) -> Iterator[int]:
    """Yield the numbers of command lines that a reader of the page sees as plain text."""
    quotes = 0
    hiding: str | None = None
    for token in _BLOCKS.parse(text):
        if token.type == "blockquote_open":
            quotes += 1
        elif token.type == "blockquote_close":
            quotes -= 1
        elif token.type == "html_block" and token.map is not None:
            found, hiding = _in_html(lines, token.map[0], token.map[1], hiding)
            yield from found if quotes == 0 else ()
        elif token.type == "inline" and token.map is not None and quotes == 0 and hiding is None:
            yield from _in_paragraph(lines, token.map[0], token.map[1])


def _in_paragraph(lines: list[str], first: int, end: int) -> Iterator[int]:
    """Yield command lines of a paragraph that no code span and no comment spans."""
    candidates = [number for number in range(first, end) if _COMMAND.match(lines[number])]
    if not candidates:
        return
    spans = _spans("\n".join(lines[first:end]))
    position = 0
    span = next(spans, None)
    wanted = set(candidates)
    for number in range(first, end):
        while span is not None and span[1] <= position:
            span = next(spans, None)
        if number in wanted and not (span is not None and span[0] < position):
            yield number
        position += len(lines[number]) + 1


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield where code spans and HTML comments begin and end; each is looked for once."""
    runs: dict[int, list[int]] = {}
    for run in re.finditer("`+", text):
        runs.setdefault(len(run.group()), []).append(run.start())
    for positions in runs.values():
        positions.reverse()
    at = 0
    comments_end = True
    while (mark := _INLINE.search(text, at)) is not None:
        at = mark.end()
        if mark.group().startswith("`"):
            length = len(mark.group())
            positions = runs.get(length, [])
            while positions and positions[-1] < at:
                positions.pop()
            if positions:
                at = positions[-1] + length
                yield mark.start(), at
        elif mark.group() == "<!--" and comments_end:
            close = text.find("-->", at)
            comments_end = close >= 0
            if comments_end:
                at = close + len("-->")
                yield mark.start(), at


def _in_html(
    lines: list[str], first: int, end: int, hiding: str | None
) -> tuple[list[int], str | None]:
    """Return the command lines of a block of HTML, and what is still open at its end.

    An image or ``<details>`` on the line before makes a block of HTML of the command's line too.
    """
    found: list[int] = []
    for number in range(first, min(end, len(lines))):
        line = lines[number]
        if hiding is None and _COMMAND.match(line):
            found.append(number)
        hiding = _hiding_after(line, hiding)
    return found, hiding


def _hiding_after(line: str, hiding: str | None) -> str | None:
    lower = line.lower()
    at = 0
    while True:
        if hiding is not None:
            close = lower.find(hiding, at)
            if close < 0:
                return hiding
            at = close + len(hiding)
            hiding = None
        opening = _OPENING.search(lower, at)
        if opening is None:
            return None
        at = opening.end()
        hiding = _HIDING[opening.group()]
