"""Takes out of a text what a reader of GitHub's page does not see.

Text that people cannot see must not reach the agent either: it is how instructions are smuggled.
Taken out are characters without a shape (Unicode's ``Default_Ignorable_Code_Point`` and
``Bidi_Control``, DerivedCoreProperties.txt and PropList.txt of Unicode 16; the control characters;
the interlinear annotation marks) and, outside code, HTML comments, processing instructions,
declarations and CDATA sections (CommonMark 0.31, sections 4.6 and 6.6), closed or not. Both are
linear in the text's length.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

_HIDDEN = re.compile(
    "["
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # control characters but tab, line feed, return
    "\u00ad"  # soft hyphen
    "\u034f"  # combining grapheme joiner
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidi controls
    "\u115f\u1160\u3164\uffa0"  # Hangul fillers
    "\u17b4\u17b5\u180b-\u180f"  # Khmer inherent vowels, Mongolian separators
    "\u200b-\u200d\u2060-\u2065\ufeff"  # zero-width characters, invisible operators
    "\u206a-\u206f\ufff0-\ufffb"  # deprecated format characters, interlinear annotation
    "\ufe00-\ufe0f"  # variation selectors
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # shorthand and musical format controls
    "\U000e0000-\U000e0fff"  # tags, variation selectors supplement
    "]"
)
_LINE_BREAK = re.compile("\r\n?|\u2028|\u2029")
_SURROGATE = re.compile("[\ud800-\udfff]")
_JOINER = "\u200d"
_EMOJI_STYLE = "\ufe0f"
_KEYCAP = "\u20e3"

_OPENING = re.compile(r"<!--|<\?|<!\[CDATA\[|<![A-Za-z]")
_INLINE = re.compile(rf"(?P<escape>\\.)|(?P<ticks>`+)|(?P<hidden>{_OPENING.pattern})", re.DOTALL)
_CLOSINGS = {"<!--": "-->", "<?": "?>", "<![CDATA[": "]]>"}
_MARKDOWN = MarkdownIt("commonmark").enable("table").disable("inline")


def strip_hidden(text: str) -> str:
    """Return a Markdown text without what its reader on GitHub does not see."""
    return _without_comments(strip_invisible(text))


def strip_invisible(text: str) -> str:
    """Return a text without invisible characters; every line break becomes a line feed.

    A joiner or a style selector inside an emoji stays; a lone surrogate becomes U+FFFD, so that
    the result can be encoded.
    """
    text = _SURROGATE.sub("\ufffd", _LINE_BREAK.sub("\n", text))
    return _HIDDEN.sub(_in_emoji, text)


def _in_emoji(match: re.Match[str]) -> str:
    """Keep one joiner between two symbols, one style selector behind a symbol or in a keycap."""
    character, text = match.group(), match.string
    before = text[match.start() - 1] if match.start() else ""
    after = text[match.end() : match.end() + 1]
    if character == _JOINER and after and unicodedata.category(after) == "So":
        symbol = before == _EMOJI_STYLE or (before and unicodedata.category(before) in {"So", "Sk"})
        return character if symbol else ""
    if character != _EMOJI_STYLE or not before:
        return ""
    if unicodedata.category(before) in {"So", "Sm"} or before in "‼⁉":
        return character
    return character if before in "#*0123456789" and after == _KEYCAP else ""


@dataclass(frozen=True, slots=True)
class _Span:
    """Lines of the text that may hold comments, as offsets of characters."""

    start: int
    end: int
    is_html: bool
    """Whether there is no code in it, and a comment may run on behind it."""


def _without_comments(text: str) -> str:
    if _OPENING.search(text) is None:
        return text
    kept: list[str] = []
    done = 0
    for start, end in _hidden_ranges(text):
        kept.append(text[done:start])
        ends_line = end >= len(text) or text[end] == "\n"
        if not (start == 0 or text[start - 1].isspace() or ends_line):
            kept.append(" ")  # so that its neighbours do not become a comment together
        done = end
    kept.append(text[done:])
    return "".join(kept)


def _hidden_ranges(text: str) -> Iterator[tuple[int, int]]:
    done = 0
    for span in _spans(text):
        if span.end <= done:
            continue
        start = max(span.start, done)
        find = _in_html if span.is_html else _in_paragraph
        for hidden in find(text, start, span.end):
            yield hidden
            done = hidden[1]


def _spans(text: str) -> Iterator[_Span]:
    starts = [0]
    starts.extend(match.end() for match in re.finditer("\n", text))
    starts.append(len(text))
    last = len(starts) - 1
    for token in _MARKDOWN.parse(text):
        kind = _kind(token)
        if kind is None or token.map is None:
            continue
        first, behind = (min(line, last) for line in token.map)
        yield _Span(start=starts[first], end=starts[behind], is_html=kind == "html")


def _kind(token: Token) -> str | None:
    match token.type:
        case "html_block" | "table_open":
            return "html"  # a table's cells end code that a paragraph would not: hide more
        case "inline":
            return "paragraph"
        case _:
            return None


def _in_html(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Find comments in raw HTML: one that is open at the end hides what follows."""
    while (opening := _OPENING.search(text, start, end)) is not None:
        close = _close(text, opening, len(text))
        start = len(text) if close is None else close
        yield opening.start(), start


def _in_paragraph(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Find comments outside code spans; one that is not closed in its paragraph is shown."""
    closed = _closing_ticks(text, start, end)
    missing: set[str] = set()
    while (found := _INLINE.search(text, start, end)) is not None:
        start = found.end()
        if found["ticks"]:
            start = closed.get(found.start(), found.end())
        elif found["hidden"] and _closing(found["hidden"]) not in missing:
            close = _close(text, found, end)
            if close is None:
                missing.add(_closing(found["hidden"]))
                continue
            start = close
            yield found.start(), start


def _closing_ticks(text: str, start: int, end: int) -> dict[int, int]:
    """Map the start of each run of backticks to the end of the next run of that length."""
    runs = list(re.compile("`+").finditer(text, start, end))
    closed: dict[int, int] = {}
    latest: dict[int, int] = {}
    for run in reversed(runs):
        length = run.end() - run.start()
        if length in latest:
            closed[run.start()] = latest[length]
        latest[length] = run.end()
    return closed


def _closing(opening: str) -> str:
    return _CLOSINGS.get(opening, ">")


def _close(text: str, opening: re.Match[str], end: int) -> int | None:
    """Return where the construct ends, or None when nothing closes it before ``end``."""
    behind = opening.end()
    if opening.group() == "<!--":
        for short in (">", "->"):
            if text.startswith(short, behind, end):
                return behind + len(short)
    closing = _closing(opening.group())
    found = text.find(closing, behind, end)
    return None if found < 0 else found + len(closing)
