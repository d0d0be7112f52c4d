"""Programs run in a clean place, several times each, and what was seen of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, TypeAdapter, ValidationError

from bot.errors import CommandFailed, CommandTimedOut, WorkspaceError
from bot.models import Frozen
from bot.proof import programs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.proof.places import Grounds, Place

OUTPUT_LIMIT = 20_000
"""Bytes kept of what a run prints, from the end."""
REPORT_LIMIT = 4_000_000
"""Bytes of a test driver's report: some 20,000 tests."""

_KILLED = 137
_ENDING = timedelta(seconds=90)
"""Beyond its time limit a run may take this to be ended: what waits for a device ends late."""


@dataclass(frozen=True, slots=True)
class Program:
    """What is run."""

    argv: tuple[str, ...]
    shown: tuple[str, ...]
    """As a person would type it, relative to the job's directory."""
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    """Written into the work directory before each run."""
    in_worktree: bool = False
    """Whether it is started in the worktree, not in the work directory."""
    is_marked: bool = False
    """Whether its processes say that they ran to their end."""
    reports: bool = False
    """Whether it is a test driver, which writes a report."""


class Seen(Frozen):
    """One run of a program, before it is judged."""

    exit_status: int | None
    """128 + N for signal N; None when it was ended at its time limit."""
    timed_out: bool
    seconds: Annotated[float, Field(ge=0)]
    output: str
    began: Annotated[int, Field(ge=0)]
    """How many Python processes began to run the script."""
    ended: Annotated[int, Field(ge=0)]
    """How many of them came to its end."""
    report: str = ""


_SEEN = TypeAdapter(list[Seen])


async def run(
    grounds: Grounds, place: Place, program: Program, *, count: int, limit: timedelta
) -> list[Seen]:
    """Run a program so often, one after the other, each for ``limit`` at most.

    Each run has a new work directory and a new home. What it leaves behind is ended with it.
    """
    argv = programs.trial(grounds.layout)
    try:
        said = await grounds.shell.run(
            *argv, stdin=_plan(place, program, count, limit), timeout=count * (limit + _ENDING)
        )
    except CommandTimedOut as error:
        message = "the machine does not end a program at its time limit"
        raise WorkspaceError(message) from error
    except CommandFailed as error:
        return [_watcher_gone(error)] * count
    try:
        seen = _SEEN.validate_json(said.stdout)
    except ValidationError as error:
        message = "the machine does not tell how a program ended"
        raise WorkspaceError(message) from error
    return [one.model_copy(update={"output": place.plain(one.output)}) for one in seen]


def _plan(place: Place, program: Program, count: int, limit: timedelta) -> bytes:
    plan = {
        "id": place.marker,
        "argv": program.argv,
        "cwd": place.paths.worktree if program.in_worktree else place.work,
        "environment": dict(place.variables),
        "count": count,
        "limit": limit.total_seconds(),
        "output": OUTPUT_LIMIT,
        "fresh": {place.work: dict(program.files), place.home: {}},
        "marks": place.marks,
        "report": place.report if program.reports else None,
        "report_limit": REPORT_LIMIT,
    }
    return json.dumps(plan).encode()


def _watcher_gone(error: CommandFailed) -> Seen:
    """A program that ends whoever watches over it has ended itself too."""
    output = f"It ended the program that watched over it.\n{error.stderr[-OUTPUT_LIMIT:]}"
    return Seen(exit_status=_KILLED, timed_out=False, seconds=0, output=output, began=0, ended=0)
