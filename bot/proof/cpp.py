"""A repro in C++: made whole, built once in each clean place, and how it judges itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.proof import programs, trials
from bot.proof.script import Script
from bot.proof.trials import Program
from bot.workspace.repro import ReproKind

if TYPE_CHECKING:
    from bot.machines.base import Shell
    from bot.proof.oracle import Oracle
    from bot.proof.places import Grounds, Place
    from bot.settings import ProofSettings

BUILT = "built/repro"
"""The program, below a place's directory: it outlasts the work directory of a run."""

NO_COMPILER = "The repro is in C++, and this machine has no C++ compiler."

_SOURCE = "repro.cpp"
_NOT_FOUND = 127
_MAIN = re.compile(r"\bmain\s*\(")
_INCLUDE = re.compile(r"^[ \t]*#[ \t]*include\b[^\n]*", re.MULTILINE)
_JUDGES = re.compile(
    r"\bassert\s*\(|\breturn\s+[1-9]|\breturn\b[^;?]{1,200}\?\s*\d+\s*:\s*\d+\s*;|\bEXIT_FAILURE\b"
    r"|\b(?:exit|_exit|quick_exit)\s*\(\s*[1-9]"
)
_ERROR = re.compile(r"\b(?:fatal )?error: (?P<what>[^\n]{1,300})|undefined reference to [^\n]+")
_FIND = 'for name in "$CXX" c++ g++ clang++; do command -v "$name" && exit; done; exit 0'


async def has_compiler(shell: Shell) -> bool:
    """Whether a login of this machine finds a C++ compiler."""
    said = await shell.run("bash", "-lc", _FIND)
    return bool(said.stdout.strip())


def whole(text: str) -> str:
    """Return a file that can be compiled: a body without ``main`` gets one around it."""
    if _MAIN.search(text):
        return text
    includes = [found.group().strip() for found in _INCLUDE.finditer(text)]
    body = _INCLUDE.sub("", text).strip("\n")
    head = dict.fromkeys(["#include <torch/torch.h>", "#include <iostream>", *includes])
    return "\n".join([*head, "", "int main() {", body, "return 0;", "}", ""])


def read(text: str) -> Script:
    """Return whether the program tells by itself that the bug is there."""
    return Script(exits=_JUDGES.search(text) is not None)


def program(oracle: Oracle) -> Program:
    """Return what runs the program that was built."""
    return Program(
        argv=(f"../{BUILT}",),
        shown=("./repro",),
        files={_SOURCE: whole(oracle.repro.text)},
    )


async def build(grounds: Grounds, place: Place, oracle: Oracle, settings: ProofSettings) -> str:
    """Build the program in a place; return why it cannot be, as a sentence, or nothing.

    Nothing is built of a repro that is no C++.
    """
    if oracle.repro.kind is not ReproKind.CPP:
        return ""
    out = f"{place.paths.directory}/{BUILT}"
    package = f"{place.paths.worktree}/{grounds.torch.module}"
    compiling = Program(
        argv=("python", "-I", programs.build_cpp(grounds.layout), _SOURCE, out, package),
        shown=("c++", _SOURCE, "-o", "repro"),
        files={_SOURCE: whole(oracle.repro.text)},
    )
    (seen,) = await trials.run(grounds, place, compiling, count=1, limit=settings.build_limit)
    if seen.exit_status == 0:
        return ""
    if seen.exit_status == _NOT_FOUND:
        return NO_COMPILER
    if seen.timed_out:
        return "The repro is in C++, and compiling it takes too long here."
    found = _ERROR.search(seen.output)
    what = ascii(found["what"] or found.group())[1:-1] if found else "the compiler does not say why"
    return f"The repro does not compile here: {what}."
