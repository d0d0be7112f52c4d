"""How a repro is started in a clean place: as the issue says, and marked at its end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.proof import cpp, programs
from bot.proof.trials import Program
from bot.workspace.repro import ReproKind

if TYPE_CHECKING:
    from bot.proof.oracle import Oracle
    from bot.workspace.layout import Layout
    from bot.workspace.repro import Repro

_PYTHON = re.compile(r"python[\d.]*")
_WITH_VALUE = frozenset({"-W", "-X", "--check-hash-based-pycs"})
_LAUNCHERS = re.compile(r"torch\.distributed\.(?:run|launch|elastic)")
_EXITS_ITSELF = re.compile(
    r"\bos\s*\.\s*(?:_exit|exec\w+|abort|kill\w*)\b|\bsignal\s*\.\s*raise_signal\b"
)


def program(oracle: Oracle, layout: Layout) -> Program | None:
    """Return the program that decides; None where nothing runs it here.

    The file is ours, made from the text, so a changed one in the job's directory does not count.
    """
    repro, script = oracle.repro, oracle.filename or ""
    if repro.kind is ReproKind.CPP:
        return cpp.program(oracle)
    shown = repro.command(script)
    if not shown or repro.kind is ReproKind.NONE:
        return None
    marked = _marked(shown, script, programs.run_to_end(layout))
    return Program(
        argv=marked or shown,
        shown=shown,
        files={script: repro.text} if script else {},
        in_worktree=repro.kind is ReproKind.TEST or _names_source(repro),
        is_marked=marked is not None and not _EXITS_ITSELF.search(repro.text),
    )


def _names_source(repro: Repro) -> bool:
    """Whether a shell repro runs files of the source."""
    return repro.kind is ReproKind.SHELL and re.search(r"\btest/\S+\.py", repro.text) is not None


def _marked(words: tuple[str, ...], script: str, marker: str) -> tuple[str, ...] | None:
    """Put the program that marks the end before the script or the module."""
    place = next((n for n, word in enumerate(words) if "=" not in word and word != "env"), None)
    if place is None:
        return None
    name = words[place].rpartition("/")[2]
    if name == "torchrun":
        at = _position(words, script)
    elif _PYTHON.fullmatch(name):
        at = _after_python(words, place + 1, script)
    else:
        at = None
    return (*words[:at], marker, *words[at:]) if at is not None else None


def _after_python(words: tuple[str, ...], number: int, script: str) -> int | None:
    while number < len(words):
        word = words[number]
        if word == "-m":
            is_launcher = _LAUNCHERS.match(" ".join(words[number + 1 : number + 2]))
            return _position(words, script) if is_launcher else number
        if word == "-c":
            return None
        if not word.startswith("-"):
            return number
        number += 2 if word in _WITH_VALUE else 1
    return None


def _position(words: tuple[str, ...], script: str) -> int | None:
    return words.index(script) if script in words else None
