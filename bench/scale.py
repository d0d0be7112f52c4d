"""10, 100 and 500 running jobs on one worker, with agents that write a line a second.

The worker is ``ptq serve`` on one core, the machine a real sshd. The lag of a line is from when it
was written on the machine to when its job's row tells of it, which is what people read. The jobs
begin at their step ``follow`` (``bench.interrupted``), and one process writes all of the logs.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from bench.followed import interrupted, watched
from bench.result import Result, percentile, say

GOAL = "p99 of the lag under 2 s at 500 jobs with one core; the ratio is to the lag at 10 jobs"
SIZES = (10, 100, 500)
LONGEST = 2.0
CORE = 0
SETTLING, WATCHING = 5.0, 20.0


async def measure() -> Result:
    """Measure each size in turn."""
    figures: dict[str, Any] = {}
    for jobs in SIZES:
        with tempfile.TemporaryDirectory(prefix="ptq-bench-") as place:
            figures[str(jobs)] = await _at(Path(place) / "bench", jobs)
        say(f"{jobs} jobs: {figures[str(jobs)]}")
    least, most = (figures[str(jobs)]["lag_p99_s"] for jobs in (SIZES[0], SIZES[-1]))
    return Result(most / least, GOAL, most < LONGEST, figures)


async def _at(directory: Path, jobs: int) -> dict[str, float]:
    async with interrupted(directory, jobs) as environment:
        say(f"{jobs} jobs are interrupted")
        async with watched(environment, core=CORE) as service:
            taken_up = await service.going_on(jobs, time.time())
            await service.lags(SETTLING)
            began, cpu = time.monotonic(), service.cpu()
            lags = await service.lags(WATCHING)
            share = (service.cpu() - cpu) / (time.monotonic() - began)
            return {
                "lag_p50_s": round(percentile(lags, 0.5), 3),
                "lag_p99_s": round(percentile(lags, 0.99), 3),
                "lines_seen_per_second": round(len(lags) / WATCHING, 1),
                "cpu_cores": round(share, 3),
                "memory_mb": round(service.memory(), 1),
                "taken_up_s": round(taken_up, 2),
            }
