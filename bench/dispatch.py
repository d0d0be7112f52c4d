"""From the posted comment to the agent's first byte, on a prepared machine over a real sshd.

The baseline is a script that does the same commands with the ``ssh`` program, one call for each and
no connection kept: what the commands themselves take (timed on a machine in this process, by the
same bot), and as many real logins with ``ssh`` in a row. Files that the bot writes cost it nothing.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from bench.result import Result, say
from bench.world import TimedMachine, world
from tests.fakes.sshd import RealSshd

GOAL = "not slower than the script (1.0)"
LIMIT = 1.0
JOBS = 3


async def measure() -> Result:
    """Measure the bot over sshd, the commands alone, and the logins, in one run."""
    ours: list[float] = []
    script: list[float] = []
    with tempfile.TemporaryDirectory(prefix="ptq-bench-") as place:
        commands, number = await _commands(Path(place) / "timed")
        say(f"{number} commands take {commands:.2f} s")
        directory = Path(place) / "sshd"
        await asyncio.to_thread(directory.mkdir)
        async with world(directory, timed=False) as running:
            machine = running.machine
            if not isinstance(machine, RealSshd):
                raise TypeError("a real sshd")
            for turn in range(JOBS):
                await running.job()
                ours.append(running.written - running.asked)
                script.append(commands + await _logins(machine, number))
                say(f"{turn + 1}/{JOBS}: ours {ours[-1]:.2f} s, script {script[-1]:.2f} s")
    ratio = statistics.median(a / b for a, b in zip(ours, script, strict=True))
    figures = {
        "ours_s": round(statistics.median(ours), 2),
        "script_s": round(statistics.median(script), 2),
        "commands": number,
        "commands_s": round(commands, 2),
    }
    return Result(ratio, GOAL, ratio <= LIMIT, figures)


async def _commands(directory: Path) -> tuple[float, int]:
    """Return what a job's commands take until its agent writes, and how many they are."""
    await asyncio.to_thread(directory.mkdir)
    seconds: list[float] = []
    number = 0
    async with world(directory, timed=True) as running:
        machine = running.machine
        if not isinstance(machine, TimedMachine):
            raise TypeError("a machine that knows when its commands ran")
        for _ in range(JOBS):
            await running.job()
            seconds.append(machine.busy(running.asked, running.written))
            number = machine.count(running.asked, running.written)
    return statistics.median(seconds), number


async def _logins(machine: RealSshd, number: int) -> float:
    """Return how long as many calls of ``ssh`` take, one after the other."""
    settings = machine.settings
    known = machine.directory / "known_hosts"
    line = f"[{settings.host}]:{settings.port} {settings.known_hosts}\n"
    await asyncio.to_thread(known.write_text, line)
    began = time.perf_counter()
    for _ in range(number):
        process = await asyncio.create_subprocess_exec(
            *("ssh", "-F", "none", "-i", str(settings.key), "-p", str(settings.port)),
            *("-o", f"UserKnownHostsFile={known}", "-o", "ControlMaster=no", "-o", "BatchMode=yes"),
            *(f"{settings.user}@{settings.host}", "true"),
            stdin=asyncio.subprocess.DEVNULL,
        )
        if await process.wait():
            raise RuntimeError("ssh does not get in")
    return time.perf_counter() - began
