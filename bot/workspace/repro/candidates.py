"""The programs that one text offers, best first."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.workspace.repro import (
    cpp,
    launch,
    loose,
    needs,
    python,
    salvage,
    sessions,
    shell,
    surroundings,
    versions,
)
from bot.workspace.repro.blocks import BlockKind
from bot.workspace.repro.imports import IMPORTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.workspace.repro.blocks import Block

MAX_PIECES = 60
"""Pieces of Python of one text that are looked at."""

_PYTHON_LABEL = re.compile(r"^\{?[.\s]*(?:py|python|python3|pycon|ipython|ipython3|pytb)\b")
_NO_COMMAND = frozenset({"diff", "patch", "json", "yaml", "yml", "toml", "cmake", "xml", "html"})
_NO_PROGRAM = _NO_COMMAND | {"log", "logs", "csv"}
_FILE = re.compile(r"([\w./-]+\.py)\b[`*'\":)\s]*$")
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
    name: str = ""
    """The file's name, where the text tells it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A whole program."""

    text: str
    score: int
    place: int
    program: python.Program
    name: str = ""
    own: int = 0
    """The score of the piece that it ends with."""
    used: frozenset[int] = frozenset()
    """The pieces it is made of."""
    goes_on: bool = False
    """Whether its last piece uses more of the others than what they import."""


def may_hold_commands(block: Block) -> bool:
    """Whether a block, by its label, may hold lines that somebody types."""
    return block.label.partition(" ")[0] not in _NO_COMMAND


def pieces(blocks: Sequence[Block]) -> list[Piece]:
    """Return the Python code of a text, in its order."""
    found: list[Piece] = []
    for place, block in enumerate(blocks):
        if len(found) >= MAX_PIECES:
            break
        label = block.label.partition(" ")[0]
        if label in _NO_PROGRAM or cpp.is_label(label) or surroundings.show_what_is_right(block):
            continue
        score = surroundings.score(block) + (1 if _PYTHON_LABEL.match(block.label) else 0)
        for program, name in _programs(block):
            if program.is_code:
                found.append(
                    Piece(
                        program=program,
                        place=place,
                        score=score,
                        name=name or _name(block),
                    )
                )
    return found


def whole(found: Sequence[Piece]) -> list[Candidate]:
    """Return the whole programs that the pieces make, best first, alone or together."""
    candidates = [
        candidate
        for number in range(len(found))
        if (candidate := _complete(found, number)) is not None
    ]
    candidates += _going_on_together(found, candidates)
    grown = [_raised(candidate, candidates) for candidate in candidates]
    return sorted(grown, key=lambda candidate: (-candidate.score, candidate.place))


def fitting(programs: Sequence[Candidate], title: str) -> Sequence[Candidate]:
    """Put first, of the best programs that score alike, one for the device of the title."""
    devices = needs.of_title(title)
    for number, program in enumerate(programs):
        if program.score == programs[0].score and devices & needs.devices(program.text):
            return (program, *programs[:number], *programs[number + 1 :])
    return programs


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
        yield from _inline(block.text)
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
    program = salvage.salvage(text) or (salvage.beginning(text) if block.is_cut else None)
    if program is not None:
        yield program, ""


def _inline(text: str) -> Iterator[tuple[python.Program, str]]:
    """A line between backticks counts when it brings its own imports."""
    codes = [command.code for command in launch.of_line(text[: launch.MAX_LINE]) if command.code]
    for code in codes or [text]:
        program = python.read(code) if "import " in code else None
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


def _complete(found: Sequence[Piece], number: int) -> Candidate | None:
    """Add to a piece what it uses of the pieces before it, and the files it imports."""
    piece = found[number]
    if not (piece.program.acts or piece.program.has_tests):
        return None
    used = _used(found, number)
    texts = [found[place].program.text for place in used]
    program = piece.program
    if len(used) > 1:
        joined = python.read("\n\n".join(texts))
        if joined is None:
            return None
        program = joined
    if not program.is_whole or versions.are_asked(program.text):
        return None
    files = _imported(found, program, used)
    found_now = piece.program.lacks - program.lacks - IMPORTS.keys()
    goes_on = bool(found_now or (piece.program.loaded and not program.loaded))
    return Candidate(
        text=_with_files(python.with_prelude(program), files),
        score=piece.score + (len(used) - 1 if goes_on else 0) - (2 if program.lacks else 0),
        place=piece.place,
        program=program,
        name=piece.name,
        own=piece.score,
        used=frozenset(used),
        goes_on=goes_on,
    )


def _going_on_together(
    found: Sequence[Piece], candidates: Sequence[Candidate]
) -> Iterator[Candidate]:
    """Join what goes on from the same beginning, and is introduced alike."""
    by_beginning: dict[tuple[frozenset[int], int], list[Candidate]] = {}
    for one in candidates:
        if one.goes_on:
            beginning = frozenset(place for place in one.used if place != max(one.used))
            by_beginning.setdefault((beginning, one.own), []).append(one)
    for alike in by_beginning.values():
        if len(alike) == 1:
            continue
        used = sorted(frozenset[int]().union(*(one.used for one in alike)))
        program = python.read("\n\n".join(found[place].program.text for place in used))
        if program is not None and program.is_whole:
            last = max(alike, key=lambda one: one.score)
            yield replace(
                last,
                text=python.with_prelude(program),
                score=last.score + 1,
                program=program,
                used=frozenset(used),
            )


def _raised(candidate: Candidate, others: Sequence[Candidate]) -> Candidate:
    """Put a program before those that it goes on with, if it is introduced about as well."""
    within = [
        other.score
        for other in others
        if candidate.goes_on and other.used < candidate.used and candidate.own >= other.own - 1
    ]
    return replace(candidate, score=max([candidate.score, *(one + 1 for one in within)]))


def _used(found: Sequence[Piece], number: int) -> list[int]:
    """Return the places of the pieces that a piece needs, itself last."""
    chosen = [number]
    lacks = set(found[number].program.lacks)
    loaded = set(found[number].program.loaded)
    for place in range(number - 1, -1, -1):
        before = found[place].program
        if not (lacks & before.defines or loaded & before.saved):
            continue
        chosen.append(place)
        loaded -= before.saved
        lacks = (lacks - before.defines) | before.lacks
    return sorted(chosen)


def _imported(
    found: Sequence[Piece], program: python.Program, used: Sequence[int]
) -> dict[str, str]:
    """Return the named files that a program imports, and those that they import."""
    by_module = {
        piece.name.rpartition("/")[2].removesuffix(".py"): piece
        for place, piece in enumerate(found)
        if piece.name and place not in used
    }
    files: dict[str, str] = {}
    waiting = sorted(program.modules)
    while waiting:
        module = waiting.pop()
        piece = by_module.pop(module, None)
        if piece is not None:
            files[f"{module}.py"] = piece.program.text
            waiting.extend(sorted(piece.program.modules))
    return files


def _with_files(text: str, files: dict[str, str]) -> str:
    """Let the program write the files that it imports before it does."""
    if not files:
        return text
    head = ["import pathlib", ""]
    for name, content in sorted(files.items()):
        raw = f"r'''\n{content}\n'''"
        quoted = raw if "'''" not in content and not content.endswith("\\") else repr(content)
        head.append(f"pathlib.Path(__file__).with_name({name!r}).write_text({quoted})")
    return "\n".join([*head, "", text])
