"""From the start of the service to every one of 100 interrupted jobs going on.

A job goes on when its row tells of a line that its agent wrote after the start: its step runs, its
log is followed, and people see it. The baseline, in the same run, is a bare start: how long the
same service takes to answer when nothing was interrupted.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from bench.followed import interrupted, watched
from bench.result import Result, say

GOAL = "under 10 s for 100 jobs; the ratio is to a start of the service without jobs"
JOBS = 100
LONGEST = 10.0
ROUNDS = 3


async def measure() -> Result:
    """Start with jobs and without, in turn."""
    ours: list[float] = []
    bare: list[float] = []
    for number in range(ROUNDS):
        with tempfile.TemporaryDirectory(prefix="ptq-bench-") as place:
            bare.append(await _start(Path(place) / "bare", 0))
            ours.append(await _start(Path(place) / "ours", JOBS))
        say(f"{number + 1}/{ROUNDS}: {JOBS} jobs {ours[-1]:.2f} s, none {bare[-1]:.2f} s")
    seconds, baseline = statistics.median(ours), statistics.median(bare)
    figures = {
        "jobs": JOBS,
        "seconds": round(seconds, 2),
        "slowest_s": round(max(ours), 2),
        "baseline_s": round(baseline, 2),
    }
    return Result(seconds / baseline, GOAL, seconds < LONGEST, figures)


async def _start(directory: Path, jobs: int) -> float:
    async with interrupted(directory, jobs) as environment:
        began = time.time()
        async with watched(environment, core=None) as service:
            await service.going_on(jobs, began)
            return time.time() - began
