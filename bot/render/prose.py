"""Untrusted Markdown outside code, line by line: what would act on GitHub is shown as text.

Emphasis, lists, quotes and tables stay. Every backtick and every ``<`` in the result is either
escaped or ours, and code spans end on their line, so that GitHub sees code where we do.
"""

from __future__ import annotations

import re

from bot.render.fences import span

KEYWORD = re.compile(
    r"(?<![A-Za-z])(?:close[sd]?|fix(?:es|ed)?|resolve[sd]?)(?![A-Za-z])", re.IGNORECASE
)
"""https://docs.github.com/issues/tracking-your-work-with-issues/linking-a-pull-request-to-an-issue"""
METADATA = re.compile(
    r"^([ \t]*)((?:Task|Tasks|Test Plan|Reviewers?|Reviewed By|Summary|Subscribers|CC|Tags|Title"
    r"|Differential Revision|Revert Plan|Pulled By|Privacy Context Container)[ \t]*:)",
    re.IGNORECASE | re.MULTILINE,
)
"""Lines that become live metadata where PyTorch's pull requests are imported."""

_MARKUP = re.compile(r"[*_~\\`<>]+")
_HEADING = re.compile(r"( {0,3})(#{1,6})(?=[ \t]|$)")
_UNDERLINE = re.compile(r" {0,3}(=+|-{1,2}|-{3,})[ \t]*")
_TASK = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+\[[ xX]\](?=[ \t])")
_TRUSTED = re.compile(
    r"https://(?:github\.com|(?:[a-z0-9-]{1,63}\.){0,3}pytorch\.org)"
    r"(?:/[A-Za-z0-9._~:/?#=&%+,-]*)?"
)
_ISSUE = re.compile(r"/(?:issues|pull|discussions|commit)/", re.IGNORECASE)
_BACKTICKS = re.compile("`+")
_TRAILING = ".,;:!?)'\"*_"

_TOKEN = re.compile(
    r"""\\(?P<escaped>[!-/:-@\[-`{-~])"""
    r"""|(?P<backslash>\\)"""
    r"""|(?P<ticks>`+)"""
    r"""|(?P<url>(?:(?:https?|ftp)://|(?<![A-Za-z0-9])www\.)[^\s<>`"\\|\[\]]+)"""
    r"""|(?P<image>!?)\[(?P<text>[^\[\]]{0,300})\]\([ ]{0,3}<?(?P<target>[^\s()<>]{1,1000})>?"""
    r"""(?:[ ]{1,3}"[^"]{0,200}")?[ ]{0,3}\)"""
    r"""|(?P<mention>@(?=[A-Za-z0-9])[\w./-]*[\w])"""
    r"""|(?P<reference>\#\d+|(?<![A-Za-z0-9])GH-\d+)"""
    r"""|(?P<entity>&(?=\#?\w{1,40};))"""
    r"""|(?P<mark>[<\[]|~{3,})""",
    re.IGNORECASE,
)


def prose_line(line: str, *, after_keyword: bool = False, escapes_metadata: bool = False) -> str:
    """Return one line of Markdown outside code as harmless Markdown.

    ``after_keyword`` says that a closing keyword stands on this line or the one before: references
    to issues become code then. ``escapes_metadata`` is for texts of pull requests.
    """
    prefix = ""
    metadata = METADATA.match(line) if escapes_metadata else None
    if metadata is not None:
        prefix, line = metadata[1] + span(metadata[2]), line[metadata.end() :]
    elif (heading := _HEADING.match(line)) is not None:
        prefix = heading[1] + "#" * min(6, len(heading[2]) + 2)
        line = line[heading.end() :]
    elif (underline := _UNDERLINE.fullmatch(line)) is not None:
        return "\n***" if underline[1].startswith("---") else "\\" + underline[1]
    elif (task := _TASK.match(line)) is not None:
        prefix, line = task.group(), line[task.end() :]
    return prefix + _Inline(line, hides_references=after_keyword).sanitised(prefix)


def has_keyword(line: str) -> bool:
    """Whether GitHub may read a closing keyword in a line, through whatever markup."""
    return KEYWORD.search(line) is not None or KEYWORD.search(_MARKUP.sub("", line)) is not None


class _Inline:
    """Writes one line anew, token by token."""

    def __init__(self, line: str, *, hides_references: bool) -> None:
        self._line = line
        self._hides_references = hides_references
        self._is_row = line.lstrip().startswith("|")
        self._closing = _closing_runs(line)
        self._out: list[str] = []
        self._last = ""

    def sanitised(self, before: str = "") -> str:
        self._last = before[-1:]
        at = 0
        while (token := _TOKEN.search(self._line, at)) is not None:
            self._write(self._line[at : token.start()])
            at = self._token(token)
        self._write(self._line[at:])
        return "".join(self._out)

    def _write(self, text: str) -> None:
        if text:
            self._out.append(text)
            self._last = text[-1]

    def _code(self, text: str) -> None:
        """Write a code span; two of them never touch."""
        code = span(text.replace("\\|", "|") if self._is_row else text)
        self._write(f" {code}" if self._last == "`" else code)

    def _token(self, token: re.Match[str]) -> int:
        """Write what a token becomes; return where reading goes on."""
        match token.lastgroup:
            case "escaped":
                return self._escaped(token)
            case "backslash":
                self._write("\\\\")
            case "ticks":
                return self._ticks(token)
            case "url":
                # GitHub's own links run on to the next space: only one that ends there stays.
                ends = self._line[token.end() : token.end() + 1].strip() == ""
                self._url(token["url"], may_link=ends)
            case "target":
                self._link(token)
            case "mention":
                self._mention(token)
            case "reference":
                if self._hides_references:
                    self._code(token["reference"])
                else:
                    self._write(token["reference"])
            case "entity":
                self._write("&amp;")
            case _:
                self._mark(token["mark"])
        return token.end()

    def _escaped(self, token: re.Match[str]) -> int:
        """Undo escapes of what is looked for further on, keep the others."""
        character = token["escaped"]
        if character in "@#&":
            return token.start("escaped")
        if character in "-:/." and self._hides_references:
            self._code(character)  # GH\\-1, https\\://…: a reference in disguise
        else:
            self._write("&lt;" if character == "<" else token.group())
        return token.end()

    def _ticks(self, token: re.Match[str]) -> int:
        close = self._closing.get(token.start())
        if close is None:
            self._write("\\`" * len(token["ticks"]))
            return token.end()
        inside = self._line[token.end() : close - len(token["ticks"])]
        if inside.strip():
            self._code(inside)
        return close

    def _url(self, url: str, *, may_link: bool = False) -> None:
        address = url.rstrip(_TRAILING)
        hidden = self._hides_references and _ISSUE.search(address)
        if may_link and _TRUSTED.fullmatch(address) and not hidden:
            self._write(address)
        else:
            self._code(address)
        self._write(url[len(address) :])

    def _link(self, token: re.Match[str]) -> None:
        target, label = token["target"], token["text"].strip()
        hidden = self._hides_references and (_ISSUE.search(target) or "#" in label)
        text = _Inline(label, hides_references=self._hides_references).sanitised()
        is_address = "://" in label or "www." in label.lower()
        if self._last.isalnum() or (self._last and self._last in "`@#-/:.&"):
            self._write(" ")  # without the link's marks it would become one with what is before
        if token["image"]:
            self._write(f"{text} (image: " if text else "(image: ")
            self._code(target)
            self._write(")")
        elif _TRUSTED.fullmatch(target) and not hidden and text and not is_address:
            self._write(f"[{text}]({target})")
        elif is_address or not text:
            self._url(target) if "://" in target else self._code(target)
        else:
            self._write(f"{text} (")
            self._code(target)
            self._write(")")

    def _mention(self, token: re.Match[str]) -> None:
        if self._last.isascii() and self._last.isalnum():
            self._write(token["mention"])  # an e-mail address
        else:
            self._code(token["mention"])

    def _mark(self, mark: str) -> None:
        self._write({"<": "&lt;", "[": "\\["}.get(mark) or "\\~" * len(mark))


def _closing_runs(line: str) -> dict[int, int]:
    """Map the start of each run of backticks to the end of the next run as long, in one pass."""
    closed: dict[int, int] = {}
    later: dict[int, int] = {}
    for run in reversed(list(_BACKTICKS.finditer(line))):
        length = run.end() - run.start()
        if length in later:
            closed[run.start()] = later[length]
        later[length] = run.end()
    return closed
