"""Tests that an issue gives as a patch of PyTorch's source."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_OF_TESTS = re.compile(r"^\+\+\+ (?:b/)?test/\S+\.py\s*$")
_NEXT_FILE = re.compile(r"^(?:diff --git |--- |\+\+\+ |index )")
_TEST = re.compile(r"^[ \t]*def test_\w+\(", re.MULTILINE)


def added_tests(text: str) -> str | None:
    """Return the code that a patch adds to files of tests, or None if it adds no test.

    A patch that changes anything else is somebody's remedy: None.
    """
    if "+++ " not in text or not all(map(_OF_TESTS.match, _changed_files(text))):
        return None
    code = "\n\n".join(_added(text))
    return code if _TEST.search(code) else None


def _changed_files(text: str) -> Iterator[str]:
    return (line for line in text.split("\n") if line.startswith("+++ "))


def _added(text: str) -> Iterator[str]:
    """Return the added lines, hunk by hunk, none of them moved in."""
    hunk: list[str] = []
    for line in [*text.split("\n"), "@@"]:
        if line.startswith("@@"):
            yield textwrap.dedent("\n".join(hunk)).strip("\n")
            hunk = []
        elif line.startswith("+") and not _NEXT_FILE.match(line):
            hunk.append(line[1:])
