"""From the posted comment to the agent's first byte, on a prepared machine over a real sshd.

The baseline is a shell script that does the same commands on the same machine with the ``ssh``
program, in turn with ours: see ``bench.script``. A second script keeps its connection open, as a
person with patience would write it; it is told and not judged.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from pathlib import Path

from bench import script
from bench.result import Result, say
from bench.world import RecordingMachine, world
from tests.fakes.sshd import RealSshd

GOAL = "not slower than the script (1.0)"
LIMIT = 1.0
JOBS = 5


async def measure() -> Result:
    """Record a job's commands, then measure the bot and the script in turn."""
    ours: list[float] = []
    theirs: list[float] = []
    kept: list[float] = []
    with tempfile.TemporaryDirectory(prefix="ptq-bench-") as place:
        recorded = await _recorded(Path(place) / "recorded")
        say(f"{len(recorded.commands)} commands, {len(recorded.files)} files")
        directory = Path(place) / "sshd"
        await asyncio.to_thread(directory.mkdir)
        async with world(directory, RealSshd) as running:
            for turn in range(JOBS):
                await running.job()
                ours.append(running.written - running.asked)
                for keeps, seconds in ((False, theirs), (True, kept)):
                    name = f"{'kept' if keeps else 'script'}-{turn}"
                    written = await asyncio.to_thread(
                        recorded.written, directory / name, running.machine, name, keeps=keeps
                    )
                    seconds.append(await script.run(written))
                say(
                    f"{turn + 1}/{JOBS}: ours {ours[-1]:.2f} s, script {theirs[-1]:.2f} s, "
                    f"with one connection {kept[-1]:.2f} s"
                )
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    figures = {
        "ours_s": round(statistics.median(ours), 2),
        "script_s": round(statistics.median(theirs), 2),
        "script_with_one_connection_s": round(statistics.median(kept), 2),
        "commands": len(recorded.commands),
    }
    return Result(ratio, GOAL, ratio <= LIMIT, figures)


async def _recorded(directory: Path) -> script.Recorded:
    await asyncio.to_thread(directory.mkdir)
    async with world(directory, RecordingMachine) as running:
        return running.machine.recorded(await running.job())
