"""Code that was typed at a prompt: Python's ``>>>``, IPython's ``In [1]:``, a notebook's cells."""

from __future__ import annotations

import re

from bot.workspace.repro import python

_PROMPT = re.compile(r"^\s*>>> ?(.*)$")
_MORE = re.compile(r"^\s*\.\.\.(?: (.*))?$")
_IN = re.compile(r"^\s*(?:(?:\[(?:ins|nav)\] )?In ?\[[\d* ]*\]|\[\d+\] ?In): ?(.*)$")
_IN_MORE = re.compile(r"^\s*\.\.\.+: ?(.*)$")
_UNPROMPTED = re.compile(r"^(?:import \w|from \S+ import|[A-Za-z_]\w* = \S.*[)\]]$)")
"""A line between prompts that was typed all the same: no value is printed like that."""
_OUT = re.compile(r"^\s*Out ?\[\d*\]:")
_TIMING = re.compile(r"^\s*%+(?:time|timeit|prun)\b(?:\s+-\S+(?:\s+\d+)?)*\s*(.*)$")


def is_session(text: str) -> bool:
    """Whether some lines begin with a prompt, and not only inside a docstring."""
    is_typed = any(_PROMPT.match(line) for line in text.split("\n"))
    return is_notebook(text) or (is_typed and python.parse(text) is None)


def is_notebook(text: str) -> bool:
    """Whether some lines begin with IPython's prompt."""
    return any(_IN.match(line) for line in text.split("\n"))


def typed(text: str) -> str:
    """Return what was typed, without prompts and without what was answered."""
    lines = text.split("\n")
    first = next((n for n, line in enumerate(lines) if _PROMPT.match(line) or _IN.match(line)), 0)
    before = python.read("\n".join(lines[:first]))
    code = list(lines[:first]) if before is not None and before.is_code else []
    in_cell = False
    for line in lines[first:]:
        prompt = _PROMPT.match(line) or _IN.match(line)
        if prompt is not None:
            in_cell = not prompt[1].strip()
            code.append(plain(prompt[1].lstrip()))
        elif _OUT.match(line):
            in_cell = False
        elif (more := _IN_MORE.match(line) or _MORE.match(line)) is not None:
            code.append(more[1] or "")
        elif in_cell or (_UNPROMPTED.match(line) and python.parse(line) is not None):
            code.append(line)
    found = "\n".join(code).strip("\n")
    if before is not None and before.is_whole and python.parse(found) is None:
        return "\n".join(lines[:first])  # a prompt before what was printed
    return found


def plain(line: str) -> str:
    """Leave IPython's own commands out; of a timed statement, keep the statement."""
    timing = _TIMING.match(line)
    if timing is not None:
        return timing[1]
    return "" if line.lstrip().startswith(("%", "!", "?")) else line
