"""The part of a message by which a failure is known again: without what differs from run to run."""

from __future__ import annotations

import re

LONGEST = 160
_SHORT = 40
_LETTERS = 6

_VARIES = re.compile(
    r"0x[0-9a-fA-F]+"
    r"|(?:[A-Za-z]:)?(?:[\\/][\w.+@-]+){2,}"
    r"|<[^<>\n]{1,200} at [^<>\n]{1,60}>"
    r"|\bline \d+"
    r"|\b\d[\w.]*"
    r"|\.\.\.|…"
)
_UNSTABLE = re.compile(r"0x[0-9a-fA-F]+|(?:[\\/][\w.+@-]+){2,}| at ")


def part(message: str) -> str:
    """Return the longest piece of the first line that holds no number, address or path.

    A short message stands for itself (``'-1'`` of a KeyError); empty where nothing is distinctive.
    """
    first = message.partition("\n")[0].strip()
    pieces = [piece.strip(" \t:,;([{") for piece in _VARIES.split(first)]
    longest = max(pieces, key=_letters, default="")
    if _letters(longest) >= _LETTERS:
        return longest[:LONGEST].strip()
    if len(first) <= _SHORT and not _UNSTABLE.search(first):
        return first
    return ""


def _letters(piece: str) -> int:
    return sum(character.isalpha() for character in piece)
