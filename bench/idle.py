"""GPU time that is paid for and not used, on a prepared machine behind a real sshd.

It is from the moment that the machine is ours to the start of the agent, and from the agent's end
to the release. The baseline is the time in which at least one command ran on the machine meanwhile:
the sum of the commands that must run, the proof's among them; what ran at once counts once.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from bench.result import Result, say
from bench.world import TimedMachine, world
from bot.models import JobState

if TYPE_CHECKING:
    from datetime import datetime

    from bench.world import World
    from bot.store import Job

GOAL = "under 1.3 of the commands that must run"
LIMIT = 1.3
JOBS = 3


async def measure() -> Result:
    """Measure some jobs, one after the other."""
    seen: list[tuple[float, float, float, float]] = []
    with tempfile.TemporaryDirectory(prefix="ptq-bench-") as place:
        async with world(Path(place), TimedMachine) as running:
            for number in range(JOBS):
                seen.append(_idle(running, await running.job()))
                say(f"{number + 1}/{JOBS}: {[round(one, 2) for one in seen[-1]]}")
    before, must_before, after, must_after = map(statistics.median, zip(*seen, strict=True))
    ratio = statistics.median((a + c) / (b + d) for a, b, c, d in seen)
    figures = {
        "ready_to_start_s": round(before, 2),
        "commands_before_s": round(must_before, 2),
        "end_to_release_s": round(after, 2),
        "commands_after_s": round(must_after, 2),
        "jobs": JOBS,
    }
    return Result(ratio, GOAL, ratio < LIMIT, figures)


def _idle(running: World[TimedMachine], job: Job) -> tuple[float, float, float, float]:
    """Return both times of a job, each with that of the commands in it."""
    machine = running.machine
    run = running.ending(job)
    ready, released = _at(job, JobState.PREPARING), _at(job, JobState.RELEASING)
    started, ended = run["started_at"], run["ended_at"]
    return (
        started - ready,
        machine.busy(ready, started),
        released - ended,
        machine.busy(ended, released),
    )


def _at(job: Job, state: JobState) -> float:
    when: datetime = job.states[state]
    return when.timestamp()
