"""The only sanitiser of untrusted text: of an agent, a log, an issue, a machine.

What comes out mentions nobody, closes nothing, loads nothing, opens nothing that it does not close,
and holds no secret. Everything here is linear in the text's length.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.hidden_text import strip_hidden, strip_invisible
from bot.render.fences import closes, fenced, opening_fence, span
from bot.render.prose import METADATA, has_keyword, prose_line

if TYPE_CHECKING:
    from bot.redaction import Redactor

_ESCAPES = re.compile(r"\x1b\[[0-9;?]{0,40}[A-Za-z]|\x1b\][^\x07\x1b]{0,400}(?:\x07|\x1b\\)")
"""What a terminal takes as colours, cursor moves, titles and links."""
_BLOCK_MARK = re.compile(r"(?:[#>|=+*-]+(?:\s+|$))+")
_WIDE_AT = "\uff20"
_MENTION = re.compile(r"(?<![A-Za-z0-9])@(?=[A-Za-z0-9])")
_REFERENCE = re.compile(r"#(?=\d)|(?<![A-Za-z0-9])GH-(?=\d)", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://(?=\S)", re.IGNORECASE)
_TRAILER = re.compile(
    r"[ \t]*(?:[\w-]{1,40}-by|skip-checks|ghstack-source-id)[ \t]*:", re.IGNORECASE
)
_SKIP = re.compile(r"\[((?:skip|no) ci|ci skip|(?:skip )?actions(?: skip)?)\]", re.IGNORECASE)


def markdown(text: str, *, redactor: Redactor, escapes_metadata: bool = False) -> str:
    """Return untrusted Markdown as Markdown that may stand in a comment.

    ``escapes_metadata`` is for a pull request: lines such as ``Test Plan:`` are escaped too.
    """
    lines = redactor.redact(strip_hidden(text)).split("\n")
    out: list[str] = []
    keyword_before = False
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        fence = opening_fence(line)
        if fence is not None:
            end = next((n for n in range(at, len(lines)) if closes(lines[n], fence)), len(lines))
            out.append(_block(line, lines[at:end], fence, escapes_metadata=escapes_metadata))
            at = end + 1
            continue
        keyword = has_keyword(line)
        out.append(
            prose_line(
                line,
                after_keyword=keyword or keyword_before,
                escapes_metadata=escapes_metadata,
            )
        )
        if keyword or any(character.isalnum() for character in line):
            keyword_before = keyword
    return redactor.redact_held("\n".join(out)).strip("\n")


def inline(text: str, *, redactor: Redactor, limit: int) -> str:
    """Return untrusted Markdown as one line of at most ``limit`` characters before escaping."""
    line = " ".join(redactor.redact(strip_hidden(text[: limit * 20])).split())
    line = line[mark.end() :] if (mark := _BLOCK_MARK.match(line)) else line
    if not any(character.isalnum() for character in line):
        return ""
    cut = line if len(line) <= limit else line[:limit].rsplit(" ", 1)[0] + "…"
    return redactor.redact_held(prose_line(cut, after_keyword=has_keyword(cut)))


def code_block(text: str, language: str = "", *, redactor: Redactor) -> str:
    """Return untrusted text (a patch, a log) as a code block, without escape sequences."""
    return fenced(redactor.redact(strip_invisible(_ESCAPES.sub("", text))), language)


def code_line(text: str, *, redactor: Redactor, limit: int = 120) -> str:
    """Return the first line of untrusted text as a code span, cut to ``limit`` characters."""
    visible = strip_invisible(_ESCAPES.sub("", text[: limit * 20])).strip()
    line = redactor.redact(visible).partition("\n")[0].strip()
    return span(line if len(line) <= limit else line[:limit].rstrip() + "…")


def plain(text: str, *, redactor: Redactor) -> str:
    """Return untrusted text as plain text for a commit message.

    Nothing is rendered there: mentions get another at sign, references after closing keywords are
    put in words, trailers (``Signed-off-by:``) are left out, imported metadata is indented.
    """
    visible = redactor.redact(strip_invisible(_ESCAPES.sub("", text)))
    out: list[str] = []
    keyword_before = False
    for line in _SKIP.sub(r"(\1)", visible).split("\n"):
        if _TRAILER.match(line):
            continue
        keyword = has_keyword(line)
        shown = METADATA.sub(r" \1\2", line)
        if keyword or keyword_before:
            shown = _ADDRESS.sub("", _REFERENCE.sub(_in_words, shown))
        out.append(_MENTION.sub(_WIDE_AT, shown).rstrip())
        if keyword or any(character.isalnum() for character in line):
            keyword_before = keyword
    return redactor.redact_held("\n".join(out)).strip("\n")


def plain_line(text: str, *, redactor: Redactor, limit: int) -> str:
    """Return untrusted text as one plain line of at most ``limit`` characters, for a title."""
    line = " ".join(plain(METADATA.sub("", text[: limit * 20]), redactor=redactor).split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _in_words(reference: re.Match[str]) -> str:
    before = reference.string[reference.start() - 1 : reference.start()]
    return " issue " if before.isalnum() else "issue "


def _block(opening: str, lines: list[str], fence: str, *, escapes_metadata: bool) -> str:
    """Write a fenced block anew, at the margin, with a fence of ours."""
    indent = len(opening) - len(opening.lstrip())
    body = "\n".join(line[min(indent, len(line) - len(line.lstrip())) :] for line in lines)
    if escapes_metadata:
        body = METADATA.sub(r" \1\2", body)
    language = (opening.strip().lstrip(fence[0]).split() or [""])[0]
    return fenced(body, language)
