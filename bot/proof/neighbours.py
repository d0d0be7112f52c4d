"""The tests near a patch, run without it and with it: only what passed and fails now is broken."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.models import Neighbour, TestEnd
from bot.proof import programs, sources, test_files, test_results, trials
from bot.proof.test_results import LONGEST_NAME, Results
from bot.proof.trials import Program

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from bot.proof.places import Grounds, Place
    from bot.proof.sources import Source
    from bot.proof.test_files import Choice

MOST_TESTS = 300
"""Of a file with more tests only those are run that name what the patch changes."""
_SHORTEST = 5.0
"""Seconds: with less left, a file is not begun."""
_AGAIN = 2
"""How often what fails with the patch is run again."""
_BROKEN_SHOWN = 10

_SAME_WITHOUT = "The tests that the patch adds or changes; they pass without the change too."
_FAIL_WITH = "The tests that the patch adds or changes; they fail with the change."
_NEW = "The tests that the patch adds or changes."


@dataclass(frozen=True, slots=True)
class Sides:
    """The two places, and how long their tests may take."""

    grounds: Grounds
    base: Place
    green: Place
    about: tuple[str, ...]
    """Names that the patch changes."""
    until: float
    """By the monotonic clock, in seconds."""

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.until - time.monotonic()

    async def run(
        self, place: Place, path: str, *, share: float, only: Sequence[str] | None = None
    ) -> Results:
        """Run a test file, or only the tests of some functions, for a share of what is left."""
        if self.left < _SHORTEST:
            return Results()
        plan = {
            "file": path,
            "report": place.report,
            "only": only,
            "about": self.about,
            "most": MOST_TESTS,
        }
        driver = programs.test_driver(self.grounds.layout)
        program = Program(
            argv=("python", driver, json.dumps(plan)),
            shown=("python", path),
            in_worktree=True,
            reports=True,
        )
        limit = timedelta(seconds=max(self.left * share, _SHORTEST))
        seen = await trials.run(self.grounds, place, program, count=1, limit=limit)
        return test_results.read(seen[0])


async def look(
    grounds: Grounds,
    base: Place,
    green: Place,
    changes: Sequence[Source],
    *,
    budget: timedelta,
) -> tuple[Neighbour, ...]:
    """Choose the test files near the patch and run them on both sides, within a time budget."""
    library = [source for source in changes if source.is_library]
    choices = await test_files.choose(grounds.shell, base, changes)
    sides = Sides(
        grounds=grounds,
        base=base,
        green=green,
        about=tuple(test_files.names(library)),
        until=time.monotonic() + budget.total_seconds(),
    )
    found: list[Neighbour] = []
    for number, choice in enumerate(choices):
        share = 1 / (len(choices) - number)
        source = choice.source
        if source is None:
            found.append(await _old(sides, choice, share=share))
            continue
        if source.before is not None:
            found.append(await _old_of_changed(sides, choice, source, share=share / 2))
        if names := sources.new_tests(source):
            found.append(await _new(sides, source, names, share=share))
    return tuple(found)


async def _old(sides: Sides, choice: Choice, *, share: float) -> Neighbour:
    before = await sides.run(sides.base, choice.path, share=share / 3)
    if not before.passed:
        return Neighbour(
            path=choice.path, reason=choice.reason, base=_end(before), patched="not_run"
        )
    after = await sides.run(sides.green, choice.path, share=share / 2)
    suspects = _suspects(before, after)
    broken = await _still_broken(sides, choice.path, suspects) if suspects else set[str]()
    patched = _end(after)
    if suspects and not broken:
        patched = "flaky"
    return Neighbour(
        path=choice.path,
        reason=choice.reason,
        base=_end(before),
        patched=patched,
        broken=_shown(broken),
    )


async def _old_of_changed(
    sides: Sides, choice: Choice, source: Source, *, share: float
) -> Neighbour:
    """Run a file that the patch changes as it was: no change of a test hides what broke."""
    await sources.put(sides.grounds.shell, sides.green, source.path, source.before)
    try:
        found = await _old(sides, choice, share=share)
    finally:
        await sources.put(sides.grounds.shell, sides.green, source.path, source.after)
    removed = sources.removed_tests(source)
    if not removed:
        return found
    gone = await sides.run(sides.base, source.path, share=share / 3, only=removed)
    taken = {
        name for name in gone.passed for function in removed if test_results.is_of(name, function)
    }
    if not taken:
        return found
    return found.model_copy(
        update={
            "reason": f"{choice.reason} It takes tests away that pass without it.",
            "broken": tuple(dict.fromkeys((*found.broken, *_shown(taken)))),
        }
    )


async def _new(sides: Sides, source: Source, names: list[str], *, share: float) -> Neighbour:
    """Run the patch's tests without the change, where they must fail, and with it."""
    shell = sides.grounds.shell
    await sources.put(shell, sides.base, source.path, source.after)
    try:
        before = await sides.run(sides.base, source.path, share=share / 2, only=names)
    finally:
        await sources.put(shell, sides.base, source.path, source.before)
    after = await sides.run(sides.green, source.path, share=share, only=names)
    base, patched, reason = _end(before), _end(after), _NEW
    if patched == "failed":
        again = await sides.run(sides.green, source.path, share=share, only=names)
        patched = "flaky" if again.passed and not again.failed else "failed"
        reason = _FAIL_WITH if patched == "failed" else reason
    elif base == "passed":
        reason = _SAME_WITHOUT
    return Neighbour(path=source.path, reason=reason, is_new=True, base=base, patched=patched)


def _suspects(before: Results, after: Results) -> set[str]:
    """Return what passed and does not now; of a run that was cut short, what it came to."""
    if after.error:
        return before.passed
    return before.passed & after.failed


async def _still_broken(sides: Sides, path: str, suspects: set[str]) -> set[str]:
    """Run what seems broken again: what passes once with the patch, or fails without, is flaky."""
    functions = test_results.functions(suspects)
    broken = set(suspects)
    for _ in range(_AGAIN):
        after = await sides.run(sides.green, path, share=1 / 4, only=functions)
        broken -= after.passed
        if not broken:
            return broken
    before = await sides.run(sides.base, path, share=1 / 2, only=functions)
    return broken - before.failed


def _end(results: Results) -> TestEnd:
    if results.failed or results.error:
        return "failed"
    return "passed" if results.passed else "not_run"


def _shown(names: Collection[str]) -> tuple[str, ...]:
    return tuple(name[:LONGEST_NAME] for name in sorted(names)[:_BROKEN_SHOWN])
