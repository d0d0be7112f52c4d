"""Code that was not fenced, but marked all the same: ``<pre>``, lines between backticks each."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

_SPAN = re.compile(r"(?<!`)`([^`\n]*\n[^`]*)`(?!`)")
_MANY_SPANS = 20
"""In one paragraph; with more of them it is no text about code."""
_BEFORE = 600
_FEW_LINES = 2
"""So many follow each other directly."""


def lines_between_backticks(children: Sequence[Token], written: Sequence[str]) -> list[str]:
    """Return the lines of a paragraph that are code between backticks, if they are many or all.

    ``written`` are the paragraph's lines as they were typed, moved in before the backtick.
    """
    lines: dict[int, str] = {}
    whole: list[Token] = []
    number = 0
    for child in (*children, None):
        if child is not None and child.type != "softbreak":
            whole.append(child)
            continue
        if len(whole) == 1 and whole[0].type == "code_inline":
            lines[number] = whole[0].content
        whole = []
        number += 1
    if len(lines) == 1 < len(written) == number:
        (place,) = lines
        return [*lines.values()] if place and written[place - 1].rstrip().endswith(":") else []
    is_run = len(lines) > _FEW_LINES or max(lines, default=0) - min(lines, default=0) < len(lines)
    if not is_run or (len(lines) < _FEW_LINES and not _is_all(children, written)):
        return []
    if len(lines) == 1 and len(written) > 1:
        return "\n".join(written).strip().strip("`").split("\n")
    if number != len(written):
        return list(lines.values())
    indents = {n: len(written[n]) - len(written[n].lstrip(" ")) for n in lines}
    least = min((indents[n] for n in lines if written[n].lstrip(" ")[:1] == "`"), default=0)
    return [" " * max(0, indents[n] - least) + line for n, line in lines.items()]


def spans_of_lines(written: Sequence[str]) -> list[tuple[str, str]]:
    """Return what stands between one pair of backticks over several lines, after its words."""
    text = "\n".join(written)
    spans = islice(_SPAN.finditer(text), _MANY_SPANS)
    return [(text[max(0, one.start() - _BEFORE) : one.start()], one[1]) for one in spans]


def _is_all(children: Sequence[Token], written: Sequence[str]) -> bool:
    """Whether a paragraph is one code span, with several lines or several marks."""
    spans = [child for child in children if child.type == "code_inline"]
    return len(children) == len(spans) == 1 and (len(written) > 1 or len(spans[0].markup) > 1)


def preformatted(html: str) -> list[str]:
    """Return what stands in the ``<pre>`` elements of some HTML."""
    if "<pre" not in html.lower():
        return []
    parser = _Preformatted()
    parser.feed(html)
    return parser.found


class _Preformatted(HTMLParser):
    """Collects what stands in ``<pre>`` elements."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag == "pre":
            self._depth += 1
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "pre" and self._depth:
            self._depth -= 1

    def handle_data(self, data: str) -> None:
        if self._depth:
            self.found[-1] += data
