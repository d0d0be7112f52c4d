"""Which failure an issue reports: what its text shows, most certain first. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.models import FailureKind, Signature
from bot.proof import distinctive, tracebacks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.models import IssueSnapshot
    from bot.proof.tracebacks import Raised

MOST = 8
"""Failures of one issue that are looked for."""
MAX_TEXT = 300_000

_INSIDERS = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
_SIGNALS = (
    ("SIGSEGV", re.compile(r"\bsegmentation fault\b|\bSIGSEGV\b|\bsegfaults?\b", re.IGNORECASE)),
    (
        "SIGABRT",
        re.compile(
            r"\bSIGABRT\b|\bAborted\b|terminate called|double free|free\(\): invalid|"
            r"corrupted size|malloc\(\):"
        ),
    ),
    ("SIGFPE", re.compile(r"\bSIGFPE\b|\bfloating point exception\b", re.IGNORECASE)),
    ("SIGILL", re.compile(r"\bSIGILL\b|\billegal instruction\b", re.IGNORECASE)),
    ("SIGBUS", re.compile(r"\bSIGBUS\b|\bbus error\b", re.IGNORECASE)),
    ("", re.compile(r"\bcore dumped\b", re.IGNORECASE)),
)
_CUDA = re.compile(
    r"CUDA error: (?:device-side assert triggered|an illegal memory access was encountered"
    r"|misaligned address|unspecified launch failure|invalid configuration argument)"
)
_HANG = re.compile(
    r"\bhangs?\b|\bhanging\b|\bdeadlock|\binfinite(?:ly)? loops?\b|\bgets? stuck\b|\bis stuck\b"
    r"|\bnever (?:returns|ends|finishes|terminates|completes)\b|\bfreezes\b",
    re.IGNORECASE,
)
_IN_A_TITLE = re.compile(
    r"\b(?P<name>[A-Z]\w{0,60}(?:Error|Exception))\b(?::\s*(?P<message>\S.*))?"
)
_IN_BACKTICKS = re.compile(r"(?<!`)`([^`\n]{1,1000})`(?!`)")
_SOMETIMES = re.compile(
    r"\bflaky\b|\bintermittent|\bsometimes\b|\brandomly\b|\boccasionally\b|\bnon-?determinis"
    r"|\brace condition\b",
    re.IGNORECASE,
)


def failures(issue: IssueSnapshot) -> tuple[Signature, ...]:
    """Return what the reporter, and people whom the project trusts, say that happens."""
    found = list(dict.fromkeys(_failures(issue.title[:1000], texts(issue))))
    return tuple(found[:MOST])


def is_rare(issue: IssueSnapshot) -> bool:
    """Whether the issue says that it does not always happen."""
    return _SOMETIMES.search(f"{issue.title}\n{issue.body[:MAX_TEXT]}") is not None


def texts(issue: IssueSnapshot) -> list[str]:
    """Return the texts that count: the body, then the comments of the reporter and of insiders."""
    comments = [
        comment.body[:MAX_TEXT]
        for comment in issue.comments
        if comment.author.id == issue.author.id or comment.association.upper() in _INSIDERS
    ]
    return [issue.body[:MAX_TEXT], *comments]


def of_raised(raised: Raised) -> Signature:
    """Return how an exception is known again."""
    is_check = raised.exception == "AssertionError" and not _is_inside(raised)
    kind = FailureKind.WRONG_RESULT if is_check else FailureKind.EXCEPTION
    return Signature(
        kind=kind, exception=raised.exception, message=distinctive.part(raised.message)
    )


def crash(text: str) -> Signature | None:
    """Return the crash that a text speaks of."""
    for name, words in _SIGNALS:
        if words.search(text):
            return Signature(kind=FailureKind.CRASH, message=name)
    return None


def hang(text: str) -> Signature | None:
    """Return the hang that a text speaks of."""
    return Signature(kind=FailureKind.HANG) if _HANG.search(text) else None


def _quoted(text: str) -> Iterator[Raised]:
    """Find exceptions in sentences: between backticks."""
    for found in _IN_BACKTICKS.finditer(text):
        yield from tracebacks.named(found[1])


def _is_inside(raised: Raised) -> bool:
    """Whether it was raised inside an installed package that does not check for others."""
    path = raised.frames[-1].path if raised.frames else ""
    return "site-packages/" in path and "/testing/" not in path


def _failures(title: str, texts: Sequence[str]) -> Iterator[Signature]:
    shown = [tracebacks.read(text) for text in texts]
    for raised in shown:
        yield from (of_raised(one) for one in reversed(raised) if not one.is_inner)
    for text in texts:
        yield from (of_raised(one) for one in tracebacks.thrown(text))
    for text, raised in zip(texts, shown, strict=True):
        # The lines of a traceback would name the inner exceptions of a chain again.
        named = [] if raised else tracebacks.named(text)
        yield from (of_raised(one) for one in (*named, *_quoted(text)))
    for text in (title, *texts):
        for found in _CUDA.finditer(text):
            yield Signature(kind=FailureKind.EXCEPTION, message=found[0])
    for spoken in (crash, hang):
        for text in (title, *texts[:1]):
            signature = spoken(text)
            if signature is not None:
                yield signature
    for found in _IN_A_TITLE.finditer(title):
        message = distinctive.part(found["message"] or "")
        yield Signature(kind=FailureKind.EXCEPTION, exception=found["name"], message=message)
