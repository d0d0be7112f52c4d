"""What the bot itself saw, as a table that is read in ten seconds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from bot.render.phrases import count
from bot.render.sanitise import code_line
from bot.render.trials import failing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bot.models import Neighbour, Proof
    from bot.redaction import Redactor

SLOWER = 1.1
"""Times as long as before from which a change is called slower."""
NAMES = 3
"""Tests that are named; the others are counted."""
_TWICE = 2
_NAME = 100
_COMMIT = 12
"""Characters of a commit's hash."""


def proof_table(proof: Proof, *, redactor: Redactor) -> str:
    """Return the repro at base and with the change, the tests near it, its speed, and where."""
    rows = "\n".join(f"| {label} | {seen} |" for label, seen in _rows(proof, redactor))
    return f"| what I ran | what I saw |\n|---|---|\n{rows}"


def place(proof: Proof, *, without_gpu: str = "no GPU", redactor: Redactor) -> str:
    """Return the hardware and the build that it ran on, as Markdown on one line."""

    def named(before: str, value: str | None, limit: int = 80) -> str:
        shown = code_line(value or "", redactor=redactor, limit=limit)
        return f"{before}{shown}" if shown else ""

    parts = [
        named("", proof.gpu) or without_gpu,
        named("driver ", proof.driver),
        named("CUDA ", proof.cuda),
        named("torch ", proof.torch_version),
        named("commit ", proof.commit[:_COMMIT], limit=_COMMIT),
        named("Python ", proof.python),
    ]
    return ", ".join(part for part in parts if part)


def broken_tests(proof: Proof, *, redactor: Redactor) -> str:
    """Return the tests that the change breaks by name, as Markdown; empty when there are none."""
    return _listed([test for each in proof.neighbours for test in _broken(each)], redactor)


def broken_count(proof: Proof) -> int:
    """Return how many tests the change breaks."""
    return sum(len(_broken(each)) for each in proof.neighbours)


def _rows(proof: Proof, redactor: Redactor) -> Iterator[tuple[str, str]]:
    if proof.red is not None:
        seen = failing(proof.red, proof.signature, redactor=redactor)
        yield "the repro at base", f"{seen}{_whose(proof)}"
    if proof.green is not None:
        seen = failing(proof.green, proof.signature, redactor=redactor)
        yield "the repro with the change", seen
    own = [each for each in proof.neighbours if each.is_new]
    others = [each for each in proof.neighbours if not each.is_new]
    if own:
        yield "the tests of the change", _own(own, redactor)
    if others:
        yield "the tests next to it", _others(others, redactor)
    elif proof.green is not None and proof.green.passed == proof.green.count:
        yield "the tests next to it", "none found"
    if speed := _speed(proof.slowdown):
        yield "speed of the repro", speed
    yield "where", place(proof, redactor=redactor)


def _whose(proof: Proof) -> str:
    """Say that what counts as the failure is the agent's word."""
    if proof.signature is None or proof.signature.source == "issue":
        return ""
    return " (the failure by the agent's word: the issue quotes none)"


def _own(tests: Sequence[Neighbour], redactor: Redactor) -> str:
    """Say whether the tests that the change brings show the bug."""
    kinds: dict[str, list[str]] = {}
    for each in tests:
        kinds.setdefault(_shows(each), []).append(each.path)
    if len(kinds) == 1:
        return next(iter(kinds))
    return "; ".join(f"{kind}: {_listed(paths, redactor)}" for kind, paths in kinds.items())


def _shows(test: Neighbour) -> str:
    if test.patched == "not_run":
        return "not run"
    if test.patched != "passed":
        verb = "**fail**" if test.patched == "failed" else "**sometimes fail**"
        return f"{verb} with the change"
    match test.base:
        case "failed":
            return "fail at base, **pass** with the change"
        case "passed":
            return "**pass at base too**, so they do not show the bug"
        case "flaky":
            return "fail only sometimes at base, **pass** with the change"
        case "not_run":
            return "**pass** with the change, not run at base"


def _others(tests: Sequence[Neighbour], redactor: Redactor) -> str:
    failed = [each for each in tests if each.base == "failed"]
    unrun = [each for each in tests if each not in failed and _is_unrun(each)]
    flaky = [each for each in tests if each not in unrun and "flaky" in {each.base, each.patched}]
    broken = [test for each in tests for test in _broken(each)]
    parts = list[str]()
    if broken:
        parts.append(f"**{len(broken)} broke**: {_listed(broken, redactor)}")
    elif len(failed) + len(unrun) < len(tests):
        parts.append("none broke")
    for files, what in ((failed, "failed at base already"), (flaky, "flaky"), (unrun, "not run")):
        if files:
            parts.append(f"{len(files):,} {what}")
    return f"{count(len(tests), 'file')}: {'; '.join(parts)}"


def _is_unrun(test: Neighbour) -> bool:
    return "not_run" in {test.base, test.patched}


def _broken(test: Neighbour) -> Sequence[str]:
    """Return the tests that a file shows as broken; the file itself where none has a name."""
    if test.broken or test.is_new:
        return test.broken
    return (test.path,) if (test.base, test.patched) == ("passed", "failed") else ()


def _speed(slowdown: float | None) -> str:
    if slowdown is None or not math.isfinite(slowdown) or slowdown <= SLOWER:
        return ""
    if slowdown >= _TWICE:
        return f"takes **{slowdown:.1f} times as long** with the change"
    return f"**{(slowdown - 1) * 100:.0f} % slower** with the change"


def _listed(names: Iterable[str], redactor: Redactor) -> str:
    shown = [span for name in names if (span := code_line(name, redactor=redactor, limit=_NAME))]
    more = len(shown) - NAMES
    ending = f" and {more:,} more" if more > 0 else ""
    return ", ".join(shown[:NAMES]) + ending
