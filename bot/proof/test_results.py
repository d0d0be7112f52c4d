"""How the tests of one file ended, read from what the test driver wrote. Pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pydantic import Field, TypeAdapter, ValidationError

from bot.models import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.proof.trials import Seen

LONGEST_NAME = 200

Ending = Literal["passed", "failed", "skipped"]


class _Line(Frozen):
    start: str | None = None
    end: str | None = None
    outcome: Ending = "passed"
    seconds: float = Field(default=0.0, ge=0)
    error: str | None = None
    done: bool = False


_LINE = TypeAdapter(_Line)


@dataclass(frozen=True, slots=True)
class Results:
    """The tests of one file, as far as they were run."""

    tests: dict[str, Ending] = field(default_factory=dict[str, Ending])
    is_done: bool = False
    """Whether all were run: not ended by a time limit, nor by a test."""
    error: str = ""
    """Why the file could not be loaded: untrusted."""

    @property
    def passed(self) -> set[str]:
        """The tests that passed."""
        return {name for name, ending in self.tests.items() if ending == "passed"}

    @property
    def failed(self) -> set[str]:
        """The tests that failed, and those that took the process with them."""
        return {name for name, ending in self.tests.items() if ending == "failed"}


def read(seen: Seen) -> Results:
    """Read a report; lines that are no lines of ours are left out."""
    tests: dict[str, Ending] = {}
    started: dict[str, None] = {}
    is_done, error = False, ""
    for line in _lines(seen.report):
        if line.start is not None:
            started[line.start] = None
        if line.end is not None:
            started.pop(line.end, None)
            tests[line.end] = line.outcome
        is_done = is_done or line.done
        error = line.error or error
    if not is_done and not seen.timed_out:
        tests.update(dict.fromkeys(started, "failed"))
    return Results(tests=tests, is_done=is_done, error=error)


def functions(names: Iterable[str]) -> list[str]:
    """Return the function of each test: ``test_x`` of ``test/test_a.py::TestA::test_x[1]``."""
    plain = (name.partition("[")[0] for name in names)
    last = (name.rpartition("::")[2].rpartition(".")[2] for name in plain)
    return list(dict.fromkeys(last))


def is_of(name: str, function: str) -> bool:
    """Whether a test is one of those that are made of a function."""
    own = functions([name])[0]
    return own == function or own.startswith(f"{function}_")


def _lines(report: str) -> Iterable[_Line]:
    for text in report.splitlines():
        try:
            yield _LINE.validate_python(json.loads(text))
        except (ValueError, ValidationError, RecursionError):
            continue
