"""Parsing takes time in proportion to the text, whatever the text is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bot.commands import parse_comment
from tests.processor_time import seconds, takes_less_than

if TYPE_CHECKING:
    from collections.abc import Callable

SMALL = 8_000
LARGE = 16 * SMALL
"""Close to the most that is read."""
MILLION = 1_000_000


def growing(size: int) -> str:
    """Return runs of backticks, each longer than the one before."""
    return " ".join("`" * n for n in range(int((2 * size) ** 0.5)))


def repeated(unit: str, *, before: str = "", after: str = "") -> Callable[[int], str]:
    """Return what makes a text of about so many characters."""
    return lambda size: before + unit * (size // len(unit)) + after


TEXTS: dict[str, Callable[[int], str]] = {
    "plain": repeated("word "),
    "one long word": repeated("x", before="/ptq "),
    "quotes": repeated(">"),
    "spaced quotes": repeated("> "),
    "lists": repeated("- "),
    "items": repeated("* a\n"),
    "items and quotes": repeated("> - > 1. a\n"),
    "lazy lines": repeated("b\n", before="> " * 20 + "a\n"),
    "backticks": repeated("`"),
    "growing backticks": growing,
    "odd backticks": repeated("` `` "),
    "fences": repeated("```\n"),
    "comments": repeated("a <!-- "),
    "comment lines": repeated("<!--\n\n"),
    "tags": repeated("<a b='"),
    "blocks of HTML": repeated("<div><pre>\n\n"),
    "brackets": repeated("["),
    "definitions": repeated("[a]: b\n"),
    "escapes": repeated("\\`"),
    "blank lines": repeated("\n"),
    "spaces": repeated(" "),
    "headings": repeated("a\n===\n"),
    "commands": repeated("/ptq help\n"),
    "commands apart": repeated("/ptq help\n\n"),
    "options": repeated("--gpus 1 ", before="/ptq investigate "),
    "specialists": repeated("@agent-a", before="/ptq investigate "),
    "specialists apart": repeated("@agent-a ", before="/ptq investigate "),
    "open quotes": repeated("'\"", before="/ptq investigate x"),
    "backslashes": repeated("\\", before='/ptq investigate -p "'),
    "dashes": repeated("—", before="/ptq investigate "),
    "apostrophes": repeated("a’", before="/ptq investigate "),
    "guidance": repeated("a\n\n", before="/ptq investigate\n"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_parsing_is_linear(name: str) -> None:
    """Sixteen times the text takes nowhere near 256 times as long."""
    small, large = (TEXTS[name](size) + "\n\n/ptq help" for size in (SMALL, LARGE))
    fast = min(_seconds(small) for _ in range(3))
    assert takes_less_than(64 * max(fast, 0.001), lambda: parse_comment(large)), f"{fast:.4f} s"


@pytest.mark.parametrize("name", TEXTS)
def test_a_million_characters_take_no_longer_than_the_most_that_is_read(name: str) -> None:
    """What is longer than any comment of GitHub is cut before it is parsed."""
    most = TEXTS[name](LARGE) + "\n\n/ptq help"
    million = "/ptq help\n\n" + TEXTS[name](MILLION)
    assert _seconds(million) < 8 * max(_seconds(most), 0.01)


def _seconds(text: str) -> float:
    return seconds(lambda: parse_comment(text))
