"""Python code read out of what stands around it: output, magics, a first line, a damaged copy."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

from bot.workspace.repro import sessions, slips
from bot.workspace.repro.python import MAX_CODE, parse_or_break, read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.workspace.repro.python import Program

_OUTPUT = re.compile(
    r"^\s*(?:"
    r"Traceback \(most recent call last\)|During handling of the above|Segmentation fault"
    r"|(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?:Error|Exception|Warning)\s*(?::|$)"
    r"|(?:[:=]|[-=]>)?\s{0,4}\(?tensor\(|Output\b|Outputs?:|Result:|Aborted|Killed"
    r"|\[rank\d+\]|[IWEF]\d{4} \d\d:\d\d|[-=*~_]{5,}\s*$|>>+ |(?<!\s)> |\$ |terminate called"
    r"|Out ?\[\d*\]:|\S{1,300}:\d{1,6}: \w*(?:Warning|Error): "
    r"|File \"[^\"]+\", line \d+|ERROR:|WARNING:|INFO:|ConvolutionParams\s*$"
    r")"
)
FRAME = re.compile(r"^\s*File \"[^\"]+\", line \d")
_VALUE = re.compile(
    r"^(?:[-=]?>{1,2} |: )?(?:tensor|torch\.Size|array)\(|^: (?:torch\.\w+|True|False|-?[\d.]+)$"
)
"""A printed value at the beginning of a line."""
_START = re.compile(r"^(?:(?:import|from)\s+[A-Za-z_.]|@\w|(?:def|class) \w|\w+ = torch\.)")
_MAGIC = re.compile(r"^(\s*)([%!].*)$")
_CODE = re.compile(r"[=(){}\[\]]|^(?:import|from|def|class|for|while|if|with|try|print|@)\b")
_MAX_CUT = 20_000
_MAX_STATEMENT = 40
"""Lines of a statement that was cut off."""
_BRACKET = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}


def salvage(text: str, *, is_cut: bool = False) -> Program | None:
    """Read code that has something else around it: indentation, magics, output, a first line.

    Where a text ``is_cut``, it may end in the middle of a statement.
    """
    text = slips.without_marks(textwrap.dedent(text[:MAX_CODE]).strip("\n"))
    whole = read(text)
    if whole is not None and (whole.is_whole or not _has_output(text)):
        is_shown = whole.shows_values and whole.defines.isdisjoint({"tensor", "array"})
        return (_among_values(text.split("\n")) if is_shown else None) or whole
    repaired = slips.undone(text)
    if repaired != text and (found := read(repaired)) is not None:
        return found
    for variant in dict.fromkeys((text, repaired)):
        lines = [_MAGIC.sub(_without_magic, line) for line in variant.split("\n")]
        start = next((n for n, line in enumerate(lines) if _START.match(line)), 0)
        for first in dict.fromkeys((0, start)):
            found = _among_values(lines[first:]) or _without_output(lines[first:])
            if found is not None:
                return found
    return whole or (_beginning(text) if is_cut else None) or slips.mended(repaired)


def _beginning(text: str) -> Program | None:
    """Read code whose last statement was cut off: what comes before it, if that is a program."""
    lines = textwrap.dedent(text[:_MAX_CUT]).strip("\n").split("\n")
    for end in range(len(lines) - 1, max(0, len(lines) - _MAX_STATEMENT), -1):
        found = read("\n".join(lines[:end]))
        if found is not None:
            return found if found.is_whole else None
    return None


def _without_magic(line: re.Match[str]) -> str:
    """Keep the statement that IPython was to time; nothing else that it was told."""
    return line[1] + (sessions.plain(line[2]) or f"pass  # {line[2]}")


def _among_values(lines: Sequence[str]) -> Program | None:
    """Read code that has printed values between its lines; None where it has none."""
    kept: list[str] = []
    depth = 0
    in_value = False
    for line in lines:
        in_value = in_value or bool(_VALUE.match(line))
        if not in_value:
            kept.append(line)
            continue
        depth += sum(_BRACKET.get(character, 0) for character in line)
        if depth <= 0:
            in_value, depth = False, 0
    if in_value or len(kept) == len(lines):
        return None
    return read("\n".join(kept).rstrip()) or _without_output(kept)


def _without_output(lines: Sequence[str]) -> Program | None:
    """Take the lines before what the program printed, or before a sentence about it."""
    output = next((n for n, line in enumerate(lines) if n and _OUTPUT.match(line)), len(lines))
    if output < len(lines) and FRAME.match(lines[output]):
        return None  # the line before it was quoted by a traceback
    sentence = next((n for n, line in enumerate(lines) if n and _is_sentence(line)), len(lines))
    broken = parse_or_break("\n".join(lines[:output]))
    ends = [output, sentence]
    if isinstance(broken, int) and 1 < broken <= output and _is_prose(lines[broken - 1]):
        ends.append(broken - 1)
    for end in dict.fromkeys(ends):
        found = read(textwrap.dedent("\n".join(lines[:end])).rstrip())
        if found is not None:
            return found
    return None


def _has_output(text: str) -> bool:
    return any(_OUTPUT.match(line) or _VALUE.match(line) for line in text.split("\n"))


def _is_sentence(line: str) -> bool:
    return len(line.split()) > 2 and _is_prose(line)  # noqa: PLR2004 -- fewer may be output


def _is_prose(line: str) -> bool:
    """Whether a line that does not parse is output or a sentence, not broken code."""
    if not line.strip() or line[0].isspace() or line[0] == "#":
        return False
    if _OUTPUT.match(line):
        return True
    return not re.search(
        r"[=(){}\[\]]|^(?:import|from|def|class|for|while|if|with|try|print|@)\b", line
    )
