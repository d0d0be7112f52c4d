"""Repros in C++: built against the package in each clean place, and run like any other."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from bot.machines.local import LocalShell
from bot.models import FailureKind, Mode, Verdict
from bot.proof import cpp, reported, tracebacks
from bot.workspace.repro import Repro, ReproKind
from tests.fakes.proof import MEND, REPRO, ground, issue_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.proof import Ground

__all__ = ["ground"]

HEADER = "tinytorch/include/tiny.h"
WRONG = """\
#if __has_include("tiny.h")
#include "tiny.h"
#else
int sum(int a, int b) { return a - b; }
#endif
int main() { return sum(2, 2) == 4 ? 0 : 1; }
"""
"""Fails until the package brings a right header."""
THROWING = """\
#include <stdexcept>

int main() { throw std::runtime_error("shape '[7]' is invalid for input of size 6"); }
"""
SHOWN = """\
```
terminate called after throwing an instance of 'std::runtime_error'
  what():  shape '[7]' is invalid for input of size 12
Aborted (core dumped)
```
"""


def of(text: str) -> Repro:
    """Return an issue's program in C++."""
    return Repro(kind=ReproKind.CPP, text=text)


async def test_a_program_that_returns_a_failure(ground: Ground) -> None:
    """It is built on each side: red without the patch, green with it."""
    right = {HEADER: "inline int sum(int a, int b) { return a + b; }\n"}
    proof = await ground.prove(repro=of(WRONG), edits=right)
    assert (proof.verdict, proof.is_proved) == (Verdict.FIXED, True)
    assert proof.red is not None
    assert proof.green is not None
    assert (proof.red.matching, proof.green.passed) == (3, 3)
    assert proof.red.command == ("./repro",)
    assert ground.left() == []


async def test_a_patch_with_which_it_does_not_compile(ground: Ground) -> None:
    """What cannot be built any more is not fixed."""
    proof = await ground.prove(repro=of(WRONG), edits={HEADER: "int sum(int a\n"})
    assert (proof.verdict, proof.green) == (Verdict.NOT_FIXED, None)
    assert proof.why == snapshot(
        "The repro fails as reported in all 3 runs. Its patch cannot be tried: with it the repro does not compile any more."
    )


async def test_an_exception_that_nobody_catches(ground: Ground) -> None:
    """Class and message are those that the issue shows, numbers aside."""
    proof = await ground.prove(SHOWN, repro=of(THROWING), claim="reproduced", mode=Mode.REPRODUCE)
    assert proof.verdict is Verdict.REPRODUCED
    assert proof.signature is not None
    assert (proof.signature.kind, proof.signature.exception) == (
        FailureKind.EXCEPTION,
        "runtime_error",
    )
    assert "is invalid for input of size" in proof.signature.message


async def test_a_program_that_does_not_compile(ground: Ground) -> None:
    """What the compiler says first is told; it reproduces nothing."""
    proof = await ground.prove(repro=of("int main() { return it; }\n"), claim="reproduced")
    assert (proof.is_proved, proof.red) == (False, None)
    assert proof.why.startswith("The repro does not compile here: ")
    assert ground.left() == []


async def test_a_machine_without_a_compiler(ground: Ground, tmp_path: Path) -> None:
    """That is said in one line; a program of the agent's in Python stands in where there is one."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("bash", "env", "git", "realpath", "python3"):
        found = shutil.which(name)
        assert found is not None
        (programs / name).symlink_to(found)
    (tmp_path / ".bash_profile").write_text(f"PATH={programs}\n")
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "UV_OFFLINE": "1"}
    there = replace(ground, shell=LocalShell(environment))

    proof = await there.prove(repro=of(WRONG), claim="reproduced")
    assert (proof.is_proved, proof.why) == (False, cpp.NO_COMPILER)

    proof = await there.prove(repro=of(WRONG), agent_repro=REPRO, edits=MEND)
    assert (proof.repro_source, proof.verdict) == ("agent", Verdict.FIXED)


def test_a_body_becomes_a_program() -> None:
    """Reporters leave ``main`` away."""
    assert cpp.whole("#include <map>\nauto a = torch::ones({2});\na.view({7});\n") == snapshot("""\
#include <torch/torch.h>
#include <iostream>
#include <map>

int main() {
auto a = torch::ones({2});
a.view({7});
return 0;
}
""")
    assert cpp.whole(THROWING) == THROWING


@pytest.mark.parametrize(
    ("text", "judges"),
    [
        ("assert(a == b);", True),
        ("return 1;", True),
        ("return ok ? 0 : 1;", True),
        ("std::exit(2);", True),
        ("return 0;", False),
        ("std::cout << a;", False),
    ],
)
def test_whether_it_judges_itself(text: str, *, judges: bool) -> None:
    """A program that only prints tells nothing."""
    assert cpp.read(text).exits is judges


def test_what_an_issue_shows_of_it() -> None:
    """The class without its namespace, and what it says."""
    (raised,) = tracebacks.thrown(SHOWN)
    assert (raised.exception, raised.message) == (
        "runtime_error",
        "shape '[7]' is invalid for input of size 12",
    )
    first, *_ = reported.failures(issue_of("view fails", SHOWN))
    assert (first.kind, first.exception) == (FailureKind.EXCEPTION, "runtime_error")
