"""Markdown as GitHub shows it, near enough to judge a comment by: safe HTML of hostile text."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markdown_it.token import Token

_TAGS = frozenset(
    re.findall(
        r"\w+",
        "b blockquote br code dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr i ins kbd li ol p "
        "pre q s samp span strong sub summary sup table tbody td th thead tr tt ul var",
    )
)
"""Tags that are let through, of those that GitHub lets through, without their attributes."""
_LINKED = re.compile(
    r"(?P<url>https?://[^\s<>\"']*[^\s<>\"'.,;:!?)\]])"
    r"|(?<![\w/`])@(?P<login>[A-Za-z0-9](?:[A-Za-z0-9-]{0,38}))(?![\w/])"
    r"|(?<![\w/&])#(?P<number>\d+)\b"
)
_TASK = re.compile(r"^\[([ xX])\] ")
_ALERT = re.compile(r"^\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\]\s*")


def render(text: str, *, repository_url: str) -> str:
    """Return HTML; ``#12`` leads to the repository's own threads."""
    return _renderer().render(text, {"repository_url": repository_url})


def _renderer() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": True, "breaks": True})
    markdown.enable(["table", "strikethrough"])
    # markdown-it-py passes itself to rules that are plain functions.
    markdown.add_render_rule("html_block", _html)
    markdown.add_render_rule("html_inline", _html)
    markdown.add_render_rule("text", _text)
    markdown.add_render_rule("fence", _fence)
    markdown.add_render_rule("code_block", _fence)
    markdown.add_render_rule("image", _image)
    return markdown


def _html(
    _self: Any,  # noqa: ANN401 -- the renderer
    tokens: Sequence[Token],
    index: int,
    _options: Any,  # noqa: ANN401 -- the library's
    _environment: Any,  # noqa: ANN401 -- the library's
) -> str:
    cleaner = _Cleaner()
    cleaner.feed(tokens[index].content)
    cleaner.close()
    return "".join(cleaner.kept)


class _Cleaner(HTMLParser):
    """Keeps what is harmless, shows the rest as text, drops comments."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.kept: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _TAGS:
            is_open = tag == "details" and any(name == "open" for name, _ in attrs)
            self.kept.append(f"<{tag} open>" if is_open else f"<{tag}>")
        else:
            self.kept.append(escape(self.get_starttag_text() or ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        self.kept.append(f"</{tag}>" if tag in _TAGS else escape(f"</{tag}>"))

    def handle_data(self, data: str) -> None:
        self.kept.append(escape(data))

    def handle_entityref(self, name: str) -> None:
        self.kept.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.kept.append(f"&#{name};")


def _text(
    _self: Any,  # noqa: ANN401 -- the renderer
    tokens: Sequence[Token],
    index: int,
    _options: Any,  # noqa: ANN401 -- the library's
    environment: Any,  # noqa: ANN401 -- the library's
) -> str:
    content = tokens[index].content
    if index == 0 and (task := _TASK.match(content)):
        checked = "" if task.group(1) == " " else " checked"
        box = f'<input type="checkbox" disabled{checked}> '
        return box + _linked(content[task.end() :], environment["repository_url"])
    if index == 0 and (alert := _ALERT.match(content)):
        kind = alert.group(1)
        rest = _linked(content[alert.end() :], environment["repository_url"])
        return f'<strong class="alert {kind.lower()}">{kind.title()}</strong>{rest}'
    before = [token.type for token in tokens[:index]]
    if before.count("link_open") > before.count("link_close"):
        return escape(content)
    return _linked(content, environment["repository_url"])


def _linked(text: str, repository_url: str) -> str:
    parts: list[str] = []
    end = 0
    for match in _LINKED.finditer(text):
        parts.append(escape(text[end : match.start()]))
        shown = escape(match.group())
        match match.lastgroup:
            case "url":
                parts.append(f'<a href="{shown}">{shown}</a>')
            case "login":
                parts.append(f'<a class="mention">{shown}</a>')
            case _:
                parts.append(f'<a href="{repository_url}/issues/{match["number"]}">{shown}</a>')
        end = match.end()
    parts.append(escape(text[end:]))
    return "".join(parts)


def _fence(
    _self: Any,  # noqa: ANN401 -- the renderer
    tokens: Sequence[Token],
    index: int,
    _options: Any,  # noqa: ANN401 -- the library's
    _environment: Any,  # noqa: ANN401 -- the library's
) -> str:
    token = tokens[index]
    if token.info.strip().lower() not in {"diff", "patch"}:
        return f"<pre><code>{escape(token.content)}</code></pre>\n"
    lines = "".join(map(_diff_line, token.content.splitlines()))
    return f'<pre class="diff"><code>{lines}</code></pre>\n'


def _diff_line(line: str) -> str:
    kinds = {"+": "added", "-": "removed", "@": "hunk"}
    return f'<span class="{kinds.get(line[:1], "same")}">{escape(line) or " "}\n</span>'


def _image(
    _self: Any,  # noqa: ANN401 -- the renderer
    tokens: Sequence[Token],
    index: int,
    _options: Any,  # noqa: ANN401 -- the library's
    _environment: Any,  # noqa: ANN401 -- the library's
) -> str:
    """Show its text: nothing is fetched from elsewhere."""
    return f"[{escape(tokens[index].content)}]"
