"""Fences as people mean them, where the letter of CommonMark reads something else."""

from __future__ import annotations

import re

_OPENS = re.compile(r"^[ >]*(?:(`{3,})[^`]*|(~{3,}).*)$")
_CLOSES = re.compile(r"^[ >]*(`{3,}|~{3,})\s*$")


def split_closings(text: str) -> str:
    """Put a fence that was closed at the end of a line of code on a line of its own.

    By the letter such a fence stays open, and swallows what follows.
    """
    lines: list[str] = []
    marks = ""
    for line in _with_three_marks(text.split("\n")):
        opening = None if marks else _OPENS.match(line)
        closing = _CLOSES.match(line) if marks else None
        if opening is not None:
            marks = opening[1] or opening[2]
        elif closing is not None and closing[1].startswith(marks):
            marks = ""
        elif marks.startswith("`") and _is_closed_by(line.rstrip(), marks):
            code = line.rstrip().removesuffix(marks)
            lines += [code, marks]
            marks = ""
            continue
        lines.append(line)
    return "\n".join(lines)


def _with_three_marks(lines: list[str]) -> list[str]:
    """Open and close with three backticks what somebody put between two lines of two."""
    places = [number for number, line in enumerate(lines) if line.strip() == "``"]
    if len(places) % 2:
        return lines
    marked = list(lines)
    for number in places:
        marked[number] = "```"
    return marked


def are_closed(line: str, marks: str) -> bool:
    """Whether the last line of a fence that was opened with ``marks`` closes it."""
    closing = _CLOSES.match(line)
    return closing is not None and closing[1].startswith(marks)


def _is_closed_by(line: str, marks: str) -> bool:
    """Whether a line of code ends with exactly these marks, and has no others."""
    code = line.removesuffix(marks)
    return code != line and bool(code.strip()) and marks not in code and not code.endswith("`")
