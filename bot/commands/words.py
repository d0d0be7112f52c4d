"""A command line → words, as a shell splits them; what phones make of quotes is understood."""

from __future__ import annotations

import re
from dataclasses import dataclass

# What phones and word processors make of quotes, of `--` and of spaces.
_DOUBLE = dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02"), '"')
_SPACES = dict.fromkeys((code for code in range(0x80, 0x3001) if chr(code).isspace()), " ")
_SINGLE = re.compile(r"(?<!\w)[\u2018-\u201b]|[\u2018-\u201b](?!\w)")
"""Not the apostrophe inside a word, which quotes nothing."""
_DASHES = "\u2012\u2013\u2014\u2015\u2212"

_PIECE = re.compile(
    r"""(?P<plain>[^\s'"\\]+)|\\(?P<escaped>.)"""
    r"""|'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)\"""",
    re.DOTALL,
)
_IN_DOUBLE = re.compile(r'\\(["\\])')


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a line and where it stands in the line."""

    text: str
    """Without its quotes; of an unclosed one, the rest of the line as it was written."""
    start: int
    end: int
    is_unclosed: bool = False
    """Whether a quote or a backslash was left open: the word reaches to the end of the line."""


class Words:
    """Reads a line word by word, so that what follows the options can be taken as it stands."""

    def __init__(self, line: str) -> None:
        self._line = line
        # Every replacement is one character for one: positions stay those of the line.
        self._plain = _SINGLE.sub("'", line).translate(_DOUBLE | _SPACES)
        self._at = 0

    def next(self) -> Word | None:
        """Return the next word, or None at the end of the line."""
        start = self._skip_spaces()
        if start == len(self._plain):
            return None
        pieces: list[str] = []
        while self._at < len(self._plain) and not self._plain[self._at].isspace():
            piece = _PIECE.match(self._plain, self._at)
            if piece is None:
                self._at = len(self._plain)
                return Word(self._line[start:], start, self._at, is_unclosed=True)
            pieces.append(_meaning(piece))
            self._at = piece.end()
        return Word(_dashes("".join(pieces)), start, self._at)

    def rest(self, start: int | None = None) -> str:
        """Return the line as it was written, from ``start`` or from where reading stands."""
        return self._line[self._at if start is None else start :].strip()

    def _skip_spaces(self) -> int:
        while self._at < len(self._plain) and self._plain[self._at].isspace():
            self._at += 1
        return self._at


def split(line: str) -> list[Word]:
    """Split a whole line as ``shlex.split`` does; an unclosed quote marks the last word."""
    words = Words(line)
    found: list[Word] = []
    while (word := words.next()) is not None:
        found.append(word)
    return found


def _meaning(piece: re.Match[str]) -> str:
    if piece["double"] is not None:
        return _IN_DOUBLE.sub(r"\1", piece["double"])
    return piece["plain"] or piece["escaped"] or piece["single"] or ""


def _dashes(word: str) -> str:
    """Write long dashes as they were meant: ``--gpus``, ``-p``."""
    if not word or word[0] not in _DASHES:
        return word
    name = word.lstrip(_DASHES + "-")
    if not name[:1].isalpha():
        return word
    return f"-{name}" if len(name.partition("=")[0]) == 1 else f"--{name}"
