"""C++ code of an issue: told from other text, and a program from a quotation of the source."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.workspace.repro.blocks import BlockKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.workspace.repro.blocks import Block

_LABELS = frozenset({"c++", "cpp", "cc", "cxx", "c", "cuda", "cu", "hpp", "h"})
_INCLUDE = re.compile(r"^[ \t]*#\s*include\s*[<\"]", re.MULTILINE)
_INCLUDES_TORCH = re.compile(r"^[ \t]*#\s*include\s*<(?:torch|ATen|c10)/[^>\n]+>", re.MULTILINE)
_ENDS = re.compile(
    r"^(?:[-=*]{5,}|(?:error|output|result)s?\s*:?)\s*$", re.MULTILINE | re.IGNORECASE
)
"""A line behind which stands what was printed."""
_MAIN = re.compile(r"\bint\s+(?:main|wmain|_tmain)\s*\(|^[ \t]*TEST(?:_F)?\s*\(", re.MULTILINE)
_STATEMENT = re.compile(
    r"^[ \t]*(?:const\s+)?(?:auto&?|(?:torch|at|c10)::[\w:<>]+)\s+\w+\s*(?:=|\(|\{)[^\n]*"
    r"|^[ \t]*(?:std::)?c(?:out|err)\s*<<[^\n]*;",
    re.MULTILINE,
)
_WHOLE = re.compile(
    r"\s*`?\s*(?:(?:auto|(?:torch|at|c10)::[\w:<>]+)\s+\w+\s*=[^\n]*;|int\s+main\s*\([^\n;]*)\s*$"
)
_FILE = re.compile(r"\b(\w+\.(?:cpp|cc|cu|cxx))\b")
_SAYS_NOTHING = re.compile(r"\s*(?:#\s*include\b.*|//.*|using\b.*)?$")
_TORCH = re.compile(r"\b(?:torch|at|c10|aten|ATen|libtorch)(?:::|/)")
_FEW = 2
"""Statements; fewer are a quotation."""
_RECEIVER = re.compile(r"(?<![\w.>:\"'/])([a-z_]\w*)(?:\.|->)[a-z]\w*")
_MADE = re.compile(
    r"=\s*([A-Z][a-z]\w*)\s*\(|^[ \t]*([A-Z][a-z]\w*)[ \t]+\w+[ \t]*[;({=]", re.MULTILINE
)
_MAX_RECEIVERS = 40
_OF_EVERYBODY = frozenset({"this", "model", "module", "net"})
"""Variables that a reader can fill in."""
_DIAGNOSTIC = re.compile(
    r":\d+(?::\d+)?: (?:fatal )?(?:error|warning|note):|\): error C\d"
    r"|^[ \t]*File \"[^\"\n]+\", line \d|\bkernel void \w",
    re.MULTILINE,
)
"""What a compiler says about code, or a traceback around what was generated."""
_SOURCE = re.compile(
    r"^[ \t]*(?:TORCH_IMPL_FUNC|TORCH_META_FUNC|REGISTER_DISPATCH|namespace\s+at\b)", re.MULTILINE
)
_ELIDED = re.compile(r"^[ \t]*\.\.\.[ \t]*$", re.MULTILINE)
"""A line in place of what the writer left out."""
_CODE_LINE = re.compile(r"[;{]\s*$", re.MULTILINE)
_LINE = re.compile(
    r"^\s*(?:$|//|/\*|\*|#\s*\w|[{}]|.*[;{},(\\)]\s*(?://.*)?$|.*(?:::|<<|->)|(?:public|private|protected):)"
)


def find(blocks: Sequence[Block]) -> str | None:
    """Return the first C++ program that includes what it uses; else the first one."""
    found = list(_programs(blocks))
    return next((code for code in found if "#include" in code), found[0] if found else None)


def files(blocks: Sequence[Block]) -> dict[str, str]:
    """Return the sources of a text by their file's name, ``""`` where only the label tells."""
    found: dict[str, str] = {}
    for block in blocks:
        label = block.label.partition(" ")[0]
        if block.kind is not BlockKind.FENCE or not (is_label(label) or not label):
            continue
        if _DIAGNOSTIC.search(block.text) is not None:
            continue
        first = block.text.lstrip("\n").partition("\n")[0]
        named = _FILE.search(first) or _FILE.search(block.lead[-120:])
        is_code = _INCLUDE.search(block.text) or (named and _CODE_LINE.search(block.text))
        if is_code:
            found.setdefault(named[1] if named is not None else "", block.text)
    return found


def is_label(label: str) -> bool:
    """Whether a fence's info string names C or C++."""
    words = re.split(r"[\s:{,]", label, maxsplit=1)
    return words[0] in _LABELS


def program(text: str) -> str | None:
    """Return the code if it is a program, or its body, that uses PyTorch; else None."""
    if not _TORCH.search(text) or _ELIDED.search(text):
        return None
    if _SOURCE.search(text) or _DIAGNOSTIC.search(text):
        return None
    if all(_SAYS_NOTHING.match(line) for line in text.split("\n")):
        return None
    if _MAIN.search(text) and "#include" not in text and _makes_what_is_not_given(text):
        return None
    statements = _STATEMENT.findall(text)
    is_program = bool(_INCLUDE.search(text) or _MAIN.search(text))
    if not is_program and (len(statements) < _FEW or _uses_what_is_not_given(text)):
        return None
    return _ENDS.split(text, maxsplit=1)[0].strip("\n")


def _uses_what_is_not_given(text: str) -> bool:
    """Whether a fragment calls methods of a variable that it does not declare."""
    return any(
        name not in _OF_EVERYBODY
        and not re.search(rf"[\w>&*]\s*[\s&*]{name}\s*(?:[=({{;,)\[\]:]|$)", text, re.MULTILINE)
        for name in [*dict.fromkeys(_RECEIVER.findall(text))][:_MAX_RECEIVERS]
    )


def _makes_what_is_not_given(text: str) -> bool:
    """Whether a program without includes makes an object of a class that it does not define."""
    return "using namespace" not in text and any(
        not re.search(rf"\b(?:class|struct|using|enum)\s+{name}\b|\b{name}\s*;", text)
        for name in [made[1] or made[2] for made in _MADE.finditer(text)][:_MAX_RECEIVERS]
    )


def in_prose(text: str) -> str | None:
    """Return code that was written without a fence: from the first ``#include`` or statement on."""
    lines = [line.rstrip() for line in text.split("\n")]
    start = next((n for n, line in enumerate(lines) if _INCLUDE.match(line.lstrip("`"))), None)
    if start is None:
        start = next((n for n, line in enumerate(lines) if _WHOLE.match(line)), None)
        while start and (before := _statement_before(lines, start)) is not None:
            start = before
    if start is None:
        return None
    end = start + 1
    while end < len(lines) and _LINE.match(lines[end].rstrip("`")):
        end += 1
    code = "\n".join(lines[start:end]).strip().strip("`").strip()
    does = any(line.endswith(";") for line in code.split("\n")) or _MAIN.search(code)
    return program(code) if does else None


def _statement_before(lines: Sequence[str], start: int) -> int | None:
    """Return the number of the statement before a line, with nothing between them; or None."""
    before = start - 1
    while before > 0 and not lines[before]:
        before -= 1
    is_statement = lines[before].endswith(";") and _LINE.match(lines[before])
    return before if is_statement else None


def _programs(blocks: Sequence[Block]) -> Iterator[str]:
    for block in blocks:
        label = block.label.partition(" ")[0]
        if block.kind is BlockKind.PROSE:
            found = in_prose(block.text)
        elif is_label(label) or not label or _INCLUDES_TORCH.search(block.text):
            found = program(block.text)
        else:
            found = None
        if found is not None:
            yield found
