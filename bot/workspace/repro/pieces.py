"""The Python code of a text, piece by piece, each with how much the words around it promise."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.workspace.repro import (
    cpp,
    launch,
    loose,
    patches,
    python,
    salvage,
    sessions,
    shell,
    surroundings,
    wishes,
)
from bot.workspace.repro.blocks import BlockKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.workspace.repro.blocks import Block

MAX_PIECES = 60
"""Pieces of Python of one text that are looked at."""
MAX_BLOCKS = 1_000
"""Blocks of one text that are looked at, without those inside of lines."""

_NO_CALL = re.compile(r"[\w.]+\(\)|torch\.Size\([^()]*\)")
"""``torch.load()`` in a sentence: a function is meant, not its call; a shape is a value."""
_SHORT = 40
"""Characters of the words between a program and its output: ``It prints``."""
_PYTHON_LABEL = re.compile(r"^\{?[.\s]*(?:py|python|python3|pycon|ipython|ipython3|pytb)\b")
_NO_COMMAND = frozenset({"diff", "patch", "json", "yaml", "yml", "toml", "cmake", "xml", "html"})
_NO_PROGRAM = _NO_COMMAND | {"log", "logs", "csv"}
_FILE = re.compile(r"([\w./-]+\.py)\b[`*'\":)\s]*(?:contents?\W*)?$")
_FILE_IN_LABEL = re.compile(r"([\w./-]+\.py)\b")
_FILE_COMMENT = re.compile(
    r"^\s*#+\s*(?:file(?:name)?\s*[:=]?\s*)?`?([\w./-]+\.py)`?\s*:?\s*$", re.IGNORECASE
)
_IMPORT = re.compile(r"^(?:(?:import|from) \S.*|#.*|\s*)$")


@dataclass(frozen=True, slots=True)
class Piece:
    """Python code at one place of a text."""

    program: python.Program
    place: int
    score: int
    fails: bool = False
    """Whether an error stands beside it."""
    name: str = ""
    """The file's name, where the text tells it."""


def may_hold_commands(block: Block) -> bool:
    """Whether a block, by its label, may hold lines that somebody types."""
    return block.label.partition(" ")[0] not in _NO_COMMAND


def read(blocks: Sequence[Block]) -> list[Piece]:
    """Return the Python code of a text, in its order."""
    found: list[Piece] = []
    looked_at = 0
    for place, block in enumerate(blocks):
        looked_at += block.kind is not BlockKind.INLINE
        if len(found) >= MAX_PIECES or looked_at > MAX_BLOCKS:
            break
        label = block.label.partition(" ")[0]
        tests = patches.added_tests(block.text) if block.kind is BlockKind.FENCE else None
        is_other = label in _NO_PROGRAM or cpp.is_label(label)
        if (is_other and tests is None) or surroundings.show_what_is_right(block):
            continue
        code = block if tests is None else replace(block, text=tests)
        programs = [(program, name) for program, name in _programs(code) if program.is_code]
        score = _score(block) if programs else 0
        after = blocks[place + 1 : place + 3] if len(block.trail) < _SHORT else ()
        shown = "\n".join(one.text for one in after if one.kind is BlockKind.FENCE)
        fails = bool(programs) and wishes.show_failure(f"{block.text}\n{block.trail}\n{shown}")
        found += [
            Piece(program=program, place=place, score=score, fails=fails, name=name or _name(block))
            for program, name in programs
        ]
    return found


def _score(block: Block) -> int:
    return surroundings.score(block) + (1 if _PYTHON_LABEL.match(block.label) else 0)


def imports(found: Sequence[Piece]) -> Iterator[Piece]:
    """Return the pieces that only import, PyTorch among it."""
    for piece in found:
        program = piece.program
        if program.is_about_torch and all(_IMPORT.match(line) for line in program.text.split("\n")):
            yield piece


def _programs(block: Block) -> Iterator[tuple[python.Program, str]]:
    if block.kind is BlockKind.PROSE and not sessions.is_notebook(block.text):
        yield from (
            (program, "")
            for program in loose.find(block.text, is_announced=surroundings.announce(block))
        )
        return
    if block.kind is BlockKind.INLINE:
        yield from _inline(block.text, is_announced=surroundings.announce(block))
        return
    shown = shell.shown_files(block.text)
    for file in shown:
        shown_program = salvage.salvage(file.text)
        if shown_program is not None:
            yield shown_program, file.name
    codes = [command.code for command in launch.commands(block.text) if command.code]
    program = salvage.salvage("\n".join(codes)) if codes else None
    if program is not None:
        yield program, ""
    if shown:
        return
    text = block.text
    if sessions.is_session(text):
        text = sessions.typed(text)
    program = salvage.salvage(text, is_cut=block.is_cut)
    if program is not None:
        yield program, ""


def _inline(text: str, *, is_announced: bool) -> Iterator[tuple[python.Program, str]]:
    """A line between backticks counts when it brings its own imports, or a repro is announced."""
    codes = [command.code for command in launch.of_line(text[: launch.MAX_LINE]) if command.code]
    for code in codes or [text]:
        counts = "import " in code or (is_announced and "torch." in code)
        counts = counts and _NO_CALL.fullmatch(code) is None
        program = python.read(code) if counts else None
        if program is not None and program.is_whole:
            yield program, ""


def _name(block: Block) -> str:
    first = block.text.lstrip("\n").partition("\n")[0]
    comment = _FILE_COMMENT.match(first[:200])
    if comment is not None:
        return comment[1]
    labelled = _FILE_IN_LABEL.search(block.label[:200])
    if labelled is not None:
        return labelled[1]
    before = _FILE.search(block.lead[-120:]) or _FILE.search(block.heading[-120:])
    return before[1] if before is not None else ""
