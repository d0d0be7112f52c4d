"""The agent's files under a progress comment: collapsed, and cut to what a comment holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.render.evidence import TITLE
from bot.render.fences import closes, opening_fence
from bot.render.sanitise import code_block, markdown

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.redaction import Redactor
    from bot.render.views import Texts

MOST_CHARACTERS = 60_000
"""GitHub refuses a body of more than 65,536 characters."""
MOST_BYTES = 200_000
"""GitHub refuses some 262,144 bytes of UTF-8."""
DISCLOSURE = "AI-generated, not reviewed by a person"
_READ = 200_000
"""Characters of one file that are looked at."""
_MIDDLE = "*[… the middle of the report was left out …]*"
_ENOUGH = 400
"""Characters of a report below which nothing more is cut from it."""


def fits(text: str) -> bool:
    """Whether GitHub takes a text as one comment."""
    if len(text) > MOST_CHARACTERS:
        return False
    return len(text.encode("utf-8", "replace")) <= MOST_BYTES


def details(summary: str, body: str) -> str:
    """Return a section that GitHub shows collapsed; empty without a body."""
    if not body.strip():
        return ""
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def with_files(
    head: str, texts: Texts, *, checked: str = "", redactor: Redactor, whole_url: str | None
) -> str:
    """Return ``head`` with the agent's files under it, each in a section of its own.

    What does not fit is dropped in this order, and named: log, worklog, patch, the middle of the
    report. ``checked`` is Markdown of ours, with a bounded length: how the bot itself checked; it
    stays.
    """
    kept = details(TITLE, checked)
    sections = [
        ("report", details(f"Report by the agent ({DISCLOSURE})", _report(texts, redactor))),
        ("patch", details("Patch", _code(texts.patch, "diff", redactor))),
        ("worklog", details(f"Worklog of the agent ({DISCLOSURE})", _worklog(texts, redactor))),
        ("log", details("End of the agent's log", _code(texts.log, "", redactor))),
    ]
    present = [(name, section) for name, section in sections if section]
    dropped: list[str] = []
    while not fits(whole := _joined([head, kept], present, dropped, whole_url)):
        if len(present) == 1 and present[0][0] == "report":
            return _with_cut_report([head, kept], texts.report, redactor, dropped, whole_url)
        if not present:
            return whole
        dropped.insert(0, present.pop()[0])
    return whole


def _with_cut_report(
    ours: list[str], report: str, redactor: Redactor, dropped: list[str], whole_url: str | None
) -> str:
    """Cut the middle out of the report until it fits, a little more each time."""
    size = min(len(report), MOST_CHARACTERS)
    while size > _ENOUGH:
        body = _cut(report, size, lambda part: markdown(part, redactor=redactor))
        section = details(f"Report by the agent ({DISCLOSURE})", body)
        whole = _joined(ours, [("report", section)], ["middle of the report", *dropped], whole_url)
        if fits(whole):
            return whole
        size = size * 3 // 4
    return _joined(ours, [], ["report", *dropped], whole_url)


def _cut(text: str, size: int, sanitise: Callable[[str], str]) -> str:
    """Return the beginning and the end of a Markdown text, both whole by themselves."""
    lines = text[:_READ].split("\n")
    first = _as_far_as(lines, size * 2 // 3)
    ending = text[max(0, len(text) - size // 3) :]
    fence = _open_fence(text[: len(text) - len(ending)][-_READ:].split("\n"))
    if fence is not None:
        ending = f"{fence}\n{ending}"
    elif "\n" in ending:
        ending = ending.partition("\n")[2]
    return f"{sanitise(first)}\n\n{_MIDDLE}\n\n{sanitise(ending)}"


def _as_far_as(lines: list[str], size: int) -> str:
    taken: list[str] = []
    for line in lines:
        size -= len(line) + 1
        if size < 0:
            if not taken:
                taken.append(line[: size + len(line)])
            break
        taken.append(line)
    return "\n".join(taken)


def _open_fence(lines: list[str]) -> str | None:
    """Return the fence that is open at the end of some lines."""
    fence: str | None = None
    for line in lines:
        if fence is None:
            fence = opening_fence(line)
        elif closes(line, fence):
            fence = None
    return fence


def _joined(
    ours: list[str], sections: list[tuple[str, str]], dropped: list[str], whole_url: str | None
) -> str:
    head, kept = ours
    first = [section for name, section in sections if name == "report"]
    others = [section for name, section in sections if name != "report"]
    parts = [head, *first, kept, *others]
    if dropped:
        parts.append(_note(dropped, whole_url))
    return "\n\n".join(part for part in parts if part)


def _note(dropped: list[str], whole_url: str | None) -> str:
    names = dropped[0] if len(dropped) == 1 else f"{', '.join(dropped[:-1])} and {dropped[-1]}"
    verb = "is" if len(dropped) == 1 else "are"
    where = "" if whole_url is None else f" [Everything is here]({whole_url})."
    return f"*The {names} {verb} left out: a comment has no room for more.*{where}"


def _report(texts: Texts, redactor: Redactor) -> str:
    if len(texts.report) > _READ:
        return _cut(texts.report, _READ, lambda part: markdown(part, redactor=redactor))
    return markdown(texts.report, redactor=redactor)


def _worklog(texts: Texts, redactor: Redactor) -> str:
    return markdown(texts.worklog[:_READ], redactor=redactor)


def _code(text: str, language: str, redactor: Redactor) -> str:
    return code_block(text[-_READ:], language, redactor=redactor) if text.strip() else ""
