"""Untrusted text as code: a fence or a span that nothing inside can end."""

from __future__ import annotations

import re

_RUNS = re.compile("`+")
_TILDES_OR_TICKS = re.compile(r"[ \t]*(`{3,}|~{3,})")
_LANGUAGE = re.compile(r"[A-Za-z][A-Za-z0-9+-]{0,19}")
_BOT = re.compile(r"^([ \t]*)@(?=[\w-]*bot\b)", re.MULTILINE | re.IGNORECASE)
_ACTIVE = frozenset({"suggestion", "mermaid", "geojson", "topojson", "stl", "math"})
"""Languages that GitHub draws, or offers to commit, instead of showing."""
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")


def fenced(text: str, language: str = "") -> str:
    """Return a code block of ``text``; the fence is longer than any inside."""
    known = _LANGUAGE.fullmatch(language) and language.lower() not in _ACTIVE
    fence = "`" * max(3, longest_run(text) + 1)
    # Other bots read commands in code blocks too: `@pytorchbot merge` at the start of a line.
    shown = _BOT.sub("\\1\uff20", text.strip("\n"))
    return f"{fence}{language if known else ''}\n{shown}\n{fence}"


def span(text: str) -> str:
    """Return one line as a code span, the same inside a table and outside."""
    line = " ".join(text.split())
    if not line:
        return ""
    if "|" in line:
        # A table cuts code spans at `|`, so here every mark is written as an entity.
        return f"<code>{_PUNCTUATION.sub(_entity, line)}</code>"
    fence = "`" * (longest_run(line) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def longest_run(text: str) -> int:
    """Return how many backticks stand together at most."""
    return max((len(run) for run in _RUNS.findall(text)), default=0)


def opening_fence(line: str) -> str | None:
    """Return the fence that a line opens, or None: wherever it stands, it becomes our own."""
    match = _TILDES_OR_TICKS.match(line)
    if match is None or (match[1].startswith("`") and "`" in line[match.end() :]):
        return None
    return match[1]


def closes(line: str, fence: str) -> bool:
    """Whether a line ends the block that ``fence`` opened."""
    mark = line.strip()
    return len(mark) >= len(fence) and set(mark) == {fence[0]}


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match.group())};"
