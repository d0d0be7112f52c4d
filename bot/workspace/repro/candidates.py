"""The programs that one text offers, best first."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.workspace.repro import beside, needs, python, slips, versions
from bot.workspace.repro.imports import IMPORTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bot.workspace.repro.pieces import Piece

_OF_A_PROJECT = frozenset(
    {"config", "configs", "data_loader", "dataset", "helpers", "model", "models", "net", "network"}
    | {"networks", "options", "src", "trainer", "util", "utils"}
)
"""Modules of somebody's project; no package that is installed is called so."""
_HOPELESS = -9
"""The score of what stands under a heading for logs or for what would be right."""
_ON_CPU = re.compile(r"\bCPU\b", re.IGNORECASE)
_NAME_IN_TITLE = re.compile(r"[A-Za-z_][\w.]*[._][A-Za-z]\w*|\b[A-Z][a-z]+[A-Z]\w+")
"""What is written as code is: with dots, underscores, or capitals inside."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A whole program."""

    text: str
    score: int
    place: int
    program: python.Program
    fails: bool = False
    """Whether an error stands beside what it ends with."""
    name: str = ""
    own: int = 0
    """The score of the piece that it ends with."""
    used: frozenset[int] = frozenset()
    """The pieces it is made of."""
    imported: frozenset[int] = frozenset()
    """The pieces that are files which it imports."""
    is_mended: bool = False
    """Whether lines of it were changed so that it can be read."""
    is_of_project: bool = False
    """Whether it imports modules of somebody's project that the text does not give."""
    goes_on: bool = False
    """Whether its last piece uses more of the others than what they import."""


def whole(found: Sequence[Piece], sources: Mapping[str, str]) -> list[Candidate]:
    """Return the whole programs that the pieces make, best first, alone or together.

    ``sources`` are files that are not in Python, by the names that the text gives them; one
    without a name is called ``""``.
    """
    candidates = [
        candidate
        for number in range(len(found))
        if (candidate := _complete(found, number, sources)) is not None
    ]
    candidates += _going_on_together(found, candidates)
    taken = {place for candidate in candidates for place in candidate.imported}
    candidates = [one for one in candidates if not (len(one.used) == 1 and one.used <= taken)]
    grown = [_raised(candidate, candidates) for candidate in candidates]
    return sorted(grown, key=lambda one: (-one.score, one.goes_on and not one.fails, one.place))


def fitting(programs: Sequence[Candidate], title: str) -> Sequence[Candidate]:
    """Put first, of the best programs that score alike, one for the device of the title.

    Or else the one that has more of the names in the title.
    """
    devices = needs.of_title(title)
    first = programs[0]
    alike = [one for one in programs if one.score == first.score]
    names = {name.rpartition(".")[2] for name in _NAME_IN_TITLE.findall(title)}
    named = max(alike, key=lambda one: sum(name in one.text for name in names))
    if not devices and not all(name in first.text for name in names) and named is not first:
        return (named, *(one for one in programs if one is not named))
    for number, program in enumerate(programs):
        if program.score == first.score and devices & needs.devices(program.text):
            return (program, *programs[:number], *programs[number + 1 :])
    if first.fails or (_ON_CPU.search(title) and not devices):
        return programs
    alike = [one for one in programs if one.score > _HOPELESS and _is_but_for_device(one, first)]
    best = max(alike, key=_strangeness, default=first)
    if _strangeness(best) > _strangeness(first):
        return (best, *(one for one in programs if one is not best))
    return programs


def _is_but_for_device(program: Candidate, other: Candidate) -> bool:
    return needs.without_device(program.text) == needs.without_device(other.text)


def _strangeness(program: Candidate) -> int:
    """Of two devices that are compared, the usual one is right: the CPU, then CUDA."""
    devices = needs.devices(program.text)
    return 2 if devices & {"mps", "xpu"} else len(devices)


def _complete(found: Sequence[Piece], number: int, sources: Mapping[str, str]) -> Candidate | None:
    """Add to a piece what it uses of the pieces before it, and the files it imports."""
    piece = found[number]
    if not (piece.program.acts or piece.program.has_tests or piece.program.uncalled):
        return None
    used = _used(found, number)
    texts = [found[place].program.text for place in used]
    program = piece.program
    if len(used) > 1:
        joined = python.read("\n\n".join(texts))
        if joined is None:
            return None
        program = joined
    if not program.is_whole:
        better = slips.aliased(program) or (slips.renamed(program) if len(used) == 1 else None)
        if better is None:
            return None
        program = better
    if versions.are_asked(program.text):
        return None
    imported = beside.imported(found, program, used)
    files = {name: found[place].program.text for name, place in imported.items()}
    elsewhere = program.modules - {name.removesuffix(".py") for name in files}
    files |= beside.named(program, sources)
    built, builder = beside.built(found, elsewhere, sources)
    files |= built
    taken = {*imported.values(), *([] if builder is None else [builder])}
    found_now = piece.program.lacks - program.lacks - IMPORTS.keys()
    goes_on = bool(found_now or (piece.program.loaded and not program.loaded))
    return Candidate(
        text=beside.with_files(python.with_prelude(program), files, builds=bool(built)),
        score=piece.score + (len(used) - 1 if goes_on else 0) - (2 if program.lacks else 0),
        place=piece.place,
        program=program,
        fails=piece.fails,
        name=piece.name,
        own=piece.score,
        used=frozenset(used),
        imported=frozenset(taken),
        goes_on=goes_on,
        is_mended=program.is_mended or any(found[place].program.is_mended for place in used),
        is_of_project=bool(elsewhere & _OF_A_PROJECT),
    )


def _going_on_together(
    found: Sequence[Piece], candidates: Sequence[Candidate]
) -> Iterator[Candidate]:
    """Join what goes on from the same beginning, and is introduced alike."""
    by_beginning: dict[tuple[int, int], list[Candidate]] = {}
    for one in candidates:
        if one.goes_on:
            by_beginning.setdefault((min(one.used), one.own), []).append(one)
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
        if candidate.goes_on
        and other.used < candidate.used
        and (candidate.own >= other.own - 1 or (candidate.fails and not other.fails))
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
