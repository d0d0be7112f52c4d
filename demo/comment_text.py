"""The Markdown of a comment on a terminal, near to how GitHub shows it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from markdown_it import MarkdownIt
from rich.console import Group
from rich.markdown import CodeBlock, Markdown
from rich.padding import Padding
from rich.syntax import Syntax
from rich.text import Text

from demo.screen import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.markdown import MarkdownElement

CODE_THEME = "ansi_dark"
"""The terminal's own colours."""

_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_SUMMARY = re.compile(r"<summary>(.*?)</summary>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a comment; with a title it is a section that GitHub shows collapsed."""

    text: str
    title: str | None = None


def shown(body: str) -> RenderableType:
    """Return a comment as a reader sees it who opens its first section.

    Of the other sections the titles are shown, and how long they are. Hidden text is left out.
    """
    rendered: list[RenderableType] = []
    is_first = True
    for part in parts(printable(body)):
        if rendered:
            rendered.append(Text())
        if part.title is None:
            rendered.append(_markdown(part.text))
            continue
        rendered.append(_title(part, is_open=is_first))
        if is_first:
            rendered += [Text(), Padding(_markdown(part.text), (0, 0, 0, 2))]
        is_first = False
    return Group(*rendered)


def parts(body: str) -> list[Part]:
    """Split a comment at its ``<details>``; hidden comments are taken out."""
    found: list[Part] = []
    lines = body.split("\n")
    title: str | None = None
    held: list[str] = []
    at = 0
    for token in _html(body):
        start, end = token.map or (0, 0)
        html = _COMMENT.sub("", token.content)
        held += lines[at:start]
        at = end
        opened, closed = html.rfind("<details"), html.rfind("</details>")
        if opened >= 0 or closed >= 0:
            _keep(found, held, title)
            summary = _SUMMARY.search(html)
            title = None if closed > opened else summary[1].strip() if summary else "Details"
            held = []
    _keep(found, [*held, *lines[at:]], title)
    return found


def _html(body: str) -> Iterator[Token]:
    for token in MarkdownIt().enable("table").parse(body):
        if token.type == "html_block" and token.level == 0:
            yield token


def _keep(found: list[Part], lines: list[str], title: str | None) -> None:
    text = "\n".join(lines).strip("\n")
    if text or title is not None:
        found.append(Part(text, title))


def _title(part: Part, *, is_open: bool) -> Text:
    count = len(part.text.splitlines())
    more = "" if is_open else f"  ({count} line{'' if count == 1 else 's'}, collapsed)"
    return Text.assemble(("▾ " if is_open else "▸ ", "cyan"), (part.title or "", "bold"), more)


class _Code(CodeBlock):
    """Code on the terminal's own background, indented."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Syntax(
            str(self.text).rstrip(),
            self.lexer_name,
            theme=self.theme,
            background_color="default",
            word_wrap=True,
            padding=(0, 2),
        )


class _Markdown(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "fence": _Code,
        "code_block": _Code,
    }


def _markdown(text: str) -> Markdown:
    rendered = _Markdown(text, code_theme=CODE_THEME)
    for token in rendered.parsed:
        for child in token.children or ():
            if child.type == "softbreak":  # in a comment GitHub keeps the ends of lines
                child.type = "hardbreak"
    return rendered
