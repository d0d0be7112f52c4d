"""The programs that one text offers, best first."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from bot.workspace.repro import needs, python, slips, versions
from bot.workspace.repro.data_files import SUFFIXES
from bot.workspace.repro.imports import IMPORTS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

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
_SOURCE = re.compile(r"""['"](?:\./)?(\w+\.(?:cpp|cc|cu|cxx|json|ya?ml|toml))['"]""")


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
    imported = _imported(found, program, used)
    files = {name: found[place].program.text for name, place in imported.items()}
    elsewhere = program.modules - {name.removesuffix(".py") for name in files}
    files |= _named(program, sources)
    found_now = piece.program.lacks - program.lacks - IMPORTS.keys()
    goes_on = bool(found_now or (piece.program.loaded and not program.loaded))
    return Candidate(
        text=_with_files(python.with_prelude(program), files),
        score=piece.score + (len(used) - 1 if goes_on else 0) - (2 if program.lacks else 0),
        place=piece.place,
        program=program,
        fails=piece.fails,
        name=piece.name,
        own=piece.score,
        used=frozenset(used),
        imported=frozenset(imported.values()),
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


def _imported(
    found: Sequence[Piece], program: python.Program, used: Sequence[int]
) -> dict[str, int]:
    """Return the named pieces that a program and its files import, by the names of the files."""
    by_module = {
        piece.name.rpartition("/")[2].removesuffix(".py"): place
        for place, piece in enumerate(found)
        if piece.name and place not in used
    }
    files: dict[str, int] = {}
    taken_from = program.taken_from
    waiting = sorted(program.modules)
    while waiting:
        module = waiting.pop()
        place = by_module.pop(module, None)
        if place is None and module not in sys.stdlib_module_names:
            place = _by_what_it_defines(found, taken_from.get(module), {*used, *files.values()})
        if place is not None:
            files[f"{module}.py"] = place
            waiting.extend(sorted(found[place].program.modules))
    return files


def _by_what_it_defines(
    found: Sequence[Piece], taken: frozenset[str] | None, used: Collection[int]
) -> int | None:
    """Return the one piece, without a name, that only defines things, and all that are taken."""
    fitting = [
        place
        for place, piece in enumerate(found)
        if taken and not piece.name and place not in used and taken <= piece.program.defines
    ]
    return fitting[0] if len(fitting) == 1 and not found[fitting[0]].program.acts else None


def _named(program: python.Program, sources: Mapping[str, str]) -> dict[str, str]:
    """Return the sources that a program names: ``load("x", sources=["x.cpp"])``."""
    names = sorted({found[1] for found in _SOURCE.finditer(program.text)})
    named = {name: sources[name] for name in names if name in sources}
    in_cpp = [content for name, content in sources.items() if not name.endswith(SUFFIXES)]
    if not named and len(names) == 1 and len(in_cpp) == 1 and not names[0].endswith(SUFFIXES):
        return dict.fromkeys(names, in_cpp[0])
    return named


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
