"""An issue's text as Markdown: its blocks of code, and the words that introduce each."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

from bot.workspace.repro import fences
from bot.workspace.repro.marked import lines_between_backticks, preformatted, spans_of_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

MAX_LENGTH = 300_000
"""Characters of one text that are looked at; GitHub allows 65,536."""
SESSION = "pycon"
"""The label of what was typed at Python's prompt without a fence."""
_MAX_LEAD = 600
_GOES_ON = re.compile(r"\W*(?:and|or|also|then|plus|as well as)\W*", re.IGNORECASE)
"""Words between two blocks that say of the second what was said of the first."""
_FIRST_LINE = re.compile(
    r"(\w+[ \t]+)?((?:import|from) [A-Za-z_].*|#include\b.*|(?:In ?\[\d+\]:|>>>|\$) .*)",
    re.IGNORECASE,
)
"""Code that stands on the line that opens a fence."""
_QUOTE_MARKS = re.compile(r"^(?: {0,3}> ?)+")
_MARKDOWN = (
    MarkdownIt("commonmark").enable("table").disable(["emphasis", "link", "image", "entity"])
)


class BlockKind(StrEnum):
    """How the writer marked it."""

    FENCE = "fence"
    INDENTED = "indented"
    INLINE = "inline"
    PROSE = "prose"


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a text, in the order of the text."""

    kind: BlockKind
    text: str
    label: str = ""
    """The fence's info string, lower case."""
    heading: str = ""
    """The heading it stands under."""
    lead: str = ""
    """The words right before it."""
    trail: str = ""
    """The words right after it, under the same heading."""
    is_cut: bool = False
    """Whether a fence is never closed: the text ends in it, or what follows was swallowed."""
    is_quoted: bool = False
    """Whether it repeats what another person wrote (a block quote)."""


def read(text: str) -> list[Block]:
    """Return the blocks of a Markdown text; prose is given as its source lines."""
    text = text[:MAX_LENGTH].replace("\r\n", "\n").replace("\r", "\n")
    text = fences.split_closings(text)
    tokens = _MARKDOWN.parse(text)
    opened = _opened(text, tokens)
    if opened is not None:
        text, tokens = opened, _MARKDOWN.parse(opened)
    return _Reader(text.split("\n")).read(tokens)


def _opened(text: str, tokens: Sequence[Token]) -> str | None:
    """Put an empty line before a fence that stands right under a tag such as ``<summary>``.

    By the letter of CommonMark the tag swallows the beginning of such a fence.
    """
    lines = text.split("\n")
    before: set[int] = set()
    for token in tokens:
        if token.type != "html_block" or token.map is None:
            continue
        for number in range(token.map[0] + 1, min(token.map[1], len(lines))):
            if lines[number].lstrip(" >").startswith(("```", "~~~")):
                before.add(number)
                break
    if not before:
        return None
    return "\n".join("\n" + line if n in before else line for n, line in enumerate(lines))


class _Reader:
    """Walks the tokens; keeps the heading and the last words."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._blocks: list[Block] = []
        self._heading = ""
        self._lead = ""
        self._last_lead = ""
        self._prose: tuple[int, int] | None = None
        self._quotes = 0
        self._tables = 0
        self._session: list[str] = []
        self._in_session = False
        self._is_heading = False

    def read(self, tokens: Sequence[Token]) -> list[Block]:
        for token in tokens:
            self._take(token)
        self._end_prose()
        self._end_session()
        return _with_trails(self._blocks)

    def _take(self, token: Token) -> None:
        match token.type:
            case "blockquote_open" | "blockquote_close":
                self._take_quote(token)
            case "table_open" | "table_close":
                self._tables += token.nesting
            case _ if self._in_session:
                pass
            case "heading_open" | "heading_close":
                self._is_heading = token.nesting > 0 and not self._is_code(token)
            case "fence":
                self._end_prose()
                self._take_fence(token)
            case "code_block":
                self._extend_prose(token)
                self._add(BlockKind.INDENTED, token.content)
            case "html_block":
                self._end_prose()
                for code in preformatted(token.content):
                    self._add(BlockKind.FENCE, code)
            case "inline":
                self._take_words(token)
            case _:
                pass

    def _take_fence(self, token: Token) -> None:
        label = token.info.strip()
        code = _FIRST_LINE.fullmatch(label)
        text = token.content if code is None else f"{code[2]}\n{token.content}"
        end = token.map[1] if token.map is not None else 1
        is_cut = not fences.are_closed(self._lines[min(end, len(self._lines)) - 1], token.markup)
        label = (label if code is None else code[1] or "").strip().lower()
        self._add(BlockKind.FENCE, text, label, is_cut=is_cut)

    def _take_quote(self, token: Token) -> None:
        self._end_prose()
        self._quotes += token.nesting
        if token.nesting > 0 and self._quotes == 1:
            self._take_session(token)
        self._in_session = self._in_session and self._quotes > 0

    def _take_session(self, token: Token) -> None:
        """Take lines that begin with Python's prompt for what was typed, not for three quotes."""
        if token.map is None:
            return
        lines = self._lines[slice(*token.map)]
        if not lines[0].lstrip().startswith(">>> ") or any("```" in line for line in lines):
            return
        self._in_session = True
        self._session += lines

    def _is_code(self, heading: Token) -> bool:
        """Whether a heading is unfenced code: ``# a comment``, or typed and then underlined."""
        if heading.markup == "#":
            return True
        first = self._lines[heading.map[0]] if heading.map is not None else ""
        return heading.markup == "-" and first.lstrip().startswith("In [")

    def _take_words(self, token: Token) -> None:
        if self._is_heading:
            self._end_prose()
            self._end_session()
            self._heading, self._lead, self._last_lead = token.content[:_MAX_LEAD], "", ""
            return
        start, end = token.map or (0, 0)
        lines = lines_between_backticks(token.children or (), self._lines[start:end])
        if lines and len(lines) == end - start:
            self._end_prose()
        else:
            self._extend_prose(token)
        if lines and not self._tables:
            before = token.content.partition("`")[0].strip()
            self._lead = before[-_MAX_LEAD:] or self._lead
            self._add(BlockKind.INDENTED, "\n".join(lines))
            self._lead = ""
            return
        for before, code in spans_of_lines(self._lines[start:end]):
            self._lead = before[-_MAX_LEAD:] or self._lead
            self._add(BlockKind.INDENTED, code)
        goes_on = _GOES_ON.fullmatch(token.content[:_MAX_LEAD])
        self._lead = self._last_lead if goes_on else token.content[-_MAX_LEAD:]
        if self._tables:
            return
        for child in token.children or ():
            if child.type == "code_inline":
                self._add(BlockKind.INLINE, child.content)

    def _extend_prose(self, token: Token) -> None:
        if token.map is None:
            return
        start = token.map[0] if self._prose is None else self._prose[0]
        self._prose = (start, token.map[1])

    def _end_prose(self) -> None:
        if self._prose is None:
            return
        start, end = self._prose
        self._prose = None
        lines = self._lines[start:end]
        if self._quotes:
            lines = [_QUOTE_MARKS.sub("", line) for line in lines]
        self._add(BlockKind.PROSE, "\n".join(lines))

    def _end_session(self) -> None:
        typed, self._session = self._session, []
        if typed:
            self._add(BlockKind.INDENTED, "\n".join(typed), SESSION)

    def _add(self, kind: BlockKind, text: str, label: str = "", *, is_cut: bool = False) -> None:
        self._end_session()
        self._blocks.append(
            Block(
                kind=kind,
                text=text.rstrip("\n"),
                label=label,
                heading=self._heading,
                lead=self._lead,
                is_cut=is_cut,
                is_quoted=self._quotes > 0 and not self._in_session,
            )
        )
        if kind is BlockKind.FENCE:
            self._lead, self._last_lead = "", self._lead


def _with_trails(blocks: Sequence[Block]) -> list[Block]:
    """Tell each block the words that follow it."""
    found: list[Block] = []
    after: Block | None = None
    for block in reversed(blocks):
        follows = after is not None and after.heading == block.heading
        trail = after.text[:_MAX_LEAD] if after is not None and follows else ""
        found.append(replace(block, trail=trail))
        if block.kind is not BlockKind.INLINE:
            after = block if block.kind is BlockKind.PROSE else None
    return found[::-1]
