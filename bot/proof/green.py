"""The repro with the patch as it will be published, on a second clean worktree."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import PatchRefused
from bot.patch import needs_build, read_patch
from bot.proof import cpp, hidden, matching, places, sources, tracebacks, trials
from bot.proof.trials import Program
from bot.workspace import rebuilding
from bot.workspace.repro import ReproKind

if TYPE_CHECKING:
    from bot.models import Trials
    from bot.patch import Patch
    from bot.proof.oracle import Oracle
    from bot.proof.places import Grounds, Place
    from bot.proof.red import Red
    from bot.proof.sources import Source
    from bot.proof.tracebacks import Frame
    from bot.settings import ProofSettings

_LUCK = 0.05
"""How likely a repro that fails only sometimes may pass by chance in every run with the patch."""
_MOST_RUNS = 20
_LONGEST = 600.0
"""Seconds that the runs of a rare failure may take together, beyond those that all have."""
_WORKTREE = "pytorch/"


@dataclass(frozen=True, slots=True)
class Green:
    """What the repro did with the patch."""

    place: Place
    changes: tuple[Source, ...]
    trials: Trials
    hides: str = ""
    """How the patch hides the failure, as a clause; empty when it does not."""
    is_cut_short: bool = False
    """Whether a run ended well before the end of the repro."""


async def look(
    grounds: Grounds,
    base: Place,
    red: Red,
    oracle: Oracle,
    program: Program,
    *,
    patch: str,
    settings: ProofSettings,
) -> Green:
    """Apply the patch to a clean worktree and run the repro; raise PatchRefused."""
    read = await asyncio.to_thread(read_patch, patch)
    place = await places.make(grounds, "green")
    await places.apply(grounds, place, patch)
    await _build(grounds, place, read, settings)
    if await cpp.build(grounds, place, oracle, settings):
        raise PatchRefused("with it the repro does not compile any more")
    changes = await sources.read(grounds.shell, base, place, read)
    tests = [source for source in changes if source.is_test]
    if oracle.repro.kind is ReproKind.TEST:
        # The test itself is the repro, so it is run as it was.
        for source in tests:
            await sources.put(grounds.shell, place, source.path, source.before)
    seen = await trials.run(
        grounds, place, program, count=_count(oracle, red, settings), limit=settings.time_limit
    )
    if oracle.repro.kind is ReproKind.TEST:
        for source in tests:
            await sources.put(grounds.shell, place, source.path, source.after)
    hides = await asyncio.to_thread(_hides, changes, red)
    return Green(
        place=place,
        changes=tuple(changes),
        trials=matching.as_trials(oracle, program, seen, red.signature),
        hides=hides,
        is_cut_short=any(
            run.exit_status == 0 and not matching.ran_to_end(program, run) for run in seen
        )
        or any(matching.nothing_ran(oracle, run) for run in seen),
    )


async def _build(grounds: Grounds, place: Place, patch: Patch, settings: ProofSettings) -> None:
    """Build what the patch changes of compiled code; raise PatchRefused when it does not."""
    if not needs_build(file.path for file in patch.files):
        return
    argv = await rebuilding.command(
        grounds.shell, grounds.layout, place.paths, grounds.build, module=grounds.torch.module
    )
    building = Program(argv=argv, shown=("bash", rebuilding.SCRIPT))
    (seen,) = await trials.run(grounds, place, building, count=1, limit=settings.rebuild_limit)
    if seen.timed_out:
        raise PatchRefused("building it takes too long here")
    if seen.exit_status != 0:
        raise PatchRefused("with it the package does not build")


def _count(oracle: Oracle, red: Red, settings: ProofSettings) -> int:
    """Return how often it has to pass: a rare failure more often, for luck to be unlikely."""
    first = settings.test_runs if oracle.repro.kind is ReproKind.TEST else settings.runs
    rate = red.trials.matching / red.trials.count
    if rate == 1:
        return first
    needed = math.ceil(math.log(_LUCK) / math.log(1 - rate))
    longest = max(one.seconds for one in red.trials.trials)
    affordable = int(_LONGEST / max(longest, 1.0))
    return max(first, settings.runs_when_mixed, min(needed, affordable, _MOST_RUNS))


def _hides(changes: list[Source], red: Red) -> str:
    library = [
        hidden.Change(path=source.path, before=source.before, after=source.after)
        for source in changes
        if source.is_library
    ]
    return hidden.reason(library, signature=red.signature, frames=_frames(red))


def _frames(red: Red) -> list[Frame]:
    """Return where the failure came through, with paths as the patch has them."""
    raised = [one for run in red.seen for one in tracebacks.read(run.output)]
    frames = {frame for one in raised for frame in one.frames if frame.path.startswith(_WORKTREE)}
    return [
        tracebacks.Frame(frame.path.removeprefix(_WORKTREE), frame.line, frame.function)
        for frame in frames
    ]
