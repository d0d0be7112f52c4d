"""Slips of the hand and of a copy: what makes code that somebody ran no code any more."""

from __future__ import annotations

import ast
import difflib
import html
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.workspace.repro.imports import IMPORTS
from bot.workspace.repro.python import parse_or_break, read

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.workspace.repro.python import Program

_OLD_PRINT = re.compile(r"^(\s*)print[ \t]+(?![(=])(\S.*)$", re.MULTILINE)
_TYPED = str.maketrans({"\u00a0": " ", "\u201c": '"', "\u201d": '"', "\u2018": "'", "\u2019": "'"})
_CLOSES = {"(": ")", "[": "]", "{": "}"}
_MAX_LINE = 1_000
_MAX_TEXT = 8_000
"""Characters of a program that is mended."""
_MAX_SLIPS = 4
_OF_TORCH_ALONE = frozenset(
    {
        "tensor",
        "Tensor",
        "FloatTensor",
        "LongTensor",
        "randn",
        "nn",
        "no_grad",
        "cuda",
        "manual_seed",
    }
)
_OF_TORCH = _OF_TORCH_ALONE | {"zeros", "ones", "rand", "empty", "full", "arange", "eye", "randint"}
_RESEMBLES = 0.74
"""So much of two names is the same where one is mistyped; 1.0 is all."""
_OPENS_BODY = re.compile(
    r"^\s*(?:class|def|if|elif|else|for|while|with|try|except|finally)\b[^#:]*$"
)
_ARROW = re.compile(r"\s+(?:<-+|-+>|=+>)\s.*$")
"""What somebody wrote behind a line about it: ``<---- here it fails``."""
_POINTS = re.compile(r"^([^#\n]*?)[ \t]+<-{2,}.*$", re.MULTILINE)
_LABEL = re.compile(r"\A(?:python3?|py)[ \t]*(?:#[ \t]*|\n)(?=(?:import|from) )")
_NO_CODE = re.compile(r"[=(){}\[\]]|^\s*(?:import|from|def|class|for|while|if|with|try|@)\b")


def without_marks(text: str) -> str:
    """Leave out what may be read as code and is none: ``<---- here``, a label that slipped in."""
    text = _LABEL.sub("", text)
    return _POINTS.sub(r"\1", text) if "<--" in text else text


def undone(text: str) -> str:
    """Undo what a copy did: a first line moved in, quotes, spaces, entities; and old ``print``."""
    repaired = text.lstrip(" \t").translate(_TYPED)
    if "\t" in repaired and isinstance(parse_or_break(repaired), int):
        repaired = repaired.expandtabs()
    if "`" in repaired and isinstance(parse_or_break(repaired), int):
        repaired = repaired.replace("`", "")
    if re.search(r"&(?:lt|gt|amp|quot|#39);", repaired):
        repaired = html.unescape(repaired)
    if "//" in repaired and isinstance(parse_or_break(repaired), int):
        repaired = "\n".join(map(_with_own_remark, repaired.split("\n")))
    return _OLD_PRINT.sub(r"\1print(\2)", repaired)


def _with_own_remark(line: str) -> str:
    """Begin a remark as Python does, where a line has one of C++."""
    code, marks, remark = line.rpartition("//")
    if not marks or not isinstance(parse_or_break(line.strip()), int):
        return line
    is_code = not isinstance(parse_or_break(code.strip()), int)
    return f"{code}# {remark.strip()}" if is_code else line


def mended(text: str) -> Program | None:
    """Return a whole program after a few lines of it were mended, each so that more is read."""
    if len(text) > _MAX_TEXT:
        return None
    lines = text.rstrip().split("\n")
    for _ in range(_MAX_SLIPS):
        broken = parse_or_break("\n".join(lines))
        if not isinstance(broken, int):
            found = read("\n".join(lines))
            return replace(found, is_mended=True) if found is not None and found.is_whole else None
        better = _one_mended(lines, min(broken, len(lines)))
        if better is None:
            return None
        lines = better
    return None


def renamed(program: Program) -> Program | None:
    """Return the program with the one name that nothing defines taken for the one it resembles."""
    missing = program.lacks - IMPORTS.keys()
    tree = parse_or_break(program.text)
    if len(missing) != 1 or isinstance(tree, int) or len(program.text) > _MAX_TEXT:
        return None
    (name,) = missing
    alike = [other for other in _assigned(tree) if _is_slip(name, other)]
    found = difflib.get_close_matches(name, alike, n=2, cutoff=_RESEMBLES)
    if len(found) != 1:
        return None
    better = read(re.sub(rf"(?<![\w.]){name}\b", found[0], program.text))
    return replace(better, is_mended=True) if better is not None and better.is_whole else None


def aliased(program: Program) -> Program | None:
    """Return the program with ``import torch as T``, where the one name it lacks is used so."""
    missing = program.lacks - IMPORTS.keys()
    tree = parse_or_break(program.text)
    if len(missing) != 1 or isinstance(tree, int):
        return None
    (name,) = missing
    nodes = [*ast.walk(tree)]
    uses = [node for node in nodes if isinstance(node, ast.Name) and node.id == name]
    taken = [
        node.attr
        for node in nodes
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == name
    ]
    keywords = {node.arg for node in nodes if isinstance(node, ast.keyword)}
    is_torch = _OF_TORCH.issuperset(taken) and (
        not _OF_TORCH_ALONE.isdisjoint(taken) or "requires_grad" in keywords
    )
    if not is_torch or len(taken) < len(uses):
        return None
    better = read(f"import torch as {name}\n\n{program.text}")
    return replace(better, is_mended=True) if better is not None and better.is_whole else None


def _assigned(tree: ast.Module) -> set[str]:
    """Return every name that is given a meaning somewhere."""
    nodes = [*ast.walk(tree)]
    stored = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    kinds = (ast.FunctionDef, ast.ClassDef)
    return stored | {node.name for node in nodes if isinstance(node, kinds)}


def _is_slip(name: str, meant: str) -> bool:
    """Whether a name may be another one mistyped: letters left out, put in, or changed about.

    ``model`` and ``Model``, ``x1`` and ``x2``, ``height`` and ``weight`` are two things.
    """
    if _bare(name) == _bare(meant) or name[:1].isupper() != meant[:1].isupper():
        return False
    short, long = sorted((name, meant), key=len)
    return _is_within(short, long) or sorted(name) == sorted(meant)


def _is_within(short: str, long: str) -> bool:
    """Whether the letters of one stand in the other in their order."""
    letters = iter(long)
    return all(letter in letters for letter in short)


def _bare(name: str) -> str:
    return re.sub(r"[\d_]", "", name.lower()).removesuffix("s")


def _one_mended(lines: list[str], broken: int) -> list[str] | None:
    """Mend the line at which the text breaks, or the one before it."""
    for number in (broken - 1, broken - 2):
        if number < 0:
            continue
        for line in _tries(lines, number):
            better = [*lines[:number], line, *lines[number + 1 :]]
            after = parse_or_break("\n".join(better))
            if not isinstance(after, int) or after > broken:
                return better
    return None


def _tries(lines: list[str], number: int) -> Iterator[str]:
    line = lines[number][:_MAX_LINE]
    if _OPENS_BODY.match(line):
        yield line.rstrip() + ":"
    yield _ARROW.sub("", line)
    yield line + _closing(line)
    yield _without_surplus(line)
    if number:
        before = lines[number - 1]
        yield before[: len(before) - len(before.lstrip())] + line.lstrip()
    if line.strip() and not _NO_CODE.search(line):
        yield f"# {line.strip()}"


def _without_surplus(line: str) -> str:
    """Leave out the brackets that close nothing."""
    opened: list[str] = []
    kept: list[str] = []
    for character in line:
        if character in _CLOSES:
            opened.append(_CLOSES[character])
        elif character in _CLOSES.values():
            if not opened or opened[-1] != character:
                continue
            opened.pop()
        kept.append(character)
    return "".join(kept)


def _closing(line: str) -> str:
    """Return the brackets that a line leaves open, closed."""
    opened: list[str] = []
    for character in line:
        if character in _CLOSES:
            opened.append(_CLOSES[character])
        elif opened and character == opened[-1]:
            opened.pop()
    return "".join(reversed(opened))
