"""Agents that write a line a second, without the agents: one process writes all of their logs.

``python -m bench.writer HOME JOBS`` holds the lock of every run, as its supervisor would, so that
the run reads as running. A line tells when it was written. It says ``ready`` and ends when killed.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from bench.places import paths_of
from bot.agents.runner_archive import runner_archive
from bot.remote.run_directory import RunDirectory


def line(number: int) -> bytes:
    """Return what Claude Code writes for one answer; its text is the time."""
    event = {
        "type": "assistant",
        "session_id": "bench",
        "message": {
            "id": f"message-{number}",
            "model": "bench",
            "content": [{"type": "text", "text": f"{time.time():.3f}"}],
        },
    }
    return json.dumps(event).encode() + b"\n"


def prepare(directory: Path, archive: bytes) -> Path:
    """Make a run's directory, locked; return the log."""
    run = directory / "run-1"
    run.mkdir(parents=True)
    (run / "runner.pyz").write_bytes(archive)
    (run / "supervisor.json").write_text("{}")
    if RunDirectory(str(run)).lock() is None:
        raise SystemExit("the lock is held")
    return directory / "claude-1.log"


async def _main(home: str, jobs: int) -> None:
    archive = await runner_archive()
    logs = [
        prepare(Path(paths_of(home, f"20260102-pytorch-{issue}").directory), archive)
        for issue in range(1, jobs + 1)
    ]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    number = 0
    began = time.monotonic()
    while True:
        for place, log in enumerate(logs):
            due = began + number + place / len(logs)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            with log.open("ab") as file:
                file.write(line(number))
        number += 1
        await asyncio.sleep(max(0.0, began + number - time.monotonic()))


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
