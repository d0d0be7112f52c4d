"""Starts one agent on a machine, tells how it is, and stops it.

It travels to the machine with its neighbours, as one archive that Python runs, and knows the
standard library alone (Python 3.9 and newer, Linux)::

    python3 -I runner.pyz start DIRECTORY    start what launch.json says, once and for all
    python3 -I runner.pyz status DIRECTORY
    python3 -I runner.pyz stop DIRECTORY ID  end it, or see to it that it never starts

Each answers with one line of JSON: ``state`` (absent, running, ended, lost) and what is known. A
run is lost when its supervisor was killed or the machine started anew; ``stop`` then finds the
agent's processes by a variable in their environment. Times are seconds since the epoch by the
machine's clock; deadlines are measured from the start by its monotonic clock.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

from bot.remote.processes import END_BOUND, end_all, marked, send, start_time
from bot.remote.run_directory import RunDirectory, ending
from bot.remote.supervisor import supervise

if TYPE_CHECKING:
    from bot.remote.run_directory import Fields

_BOUND = 10.0
_LONGEST_GRACE = 600.0


def main(arguments: list[str]) -> None:
    """Do what the command line says, and answer with one line of JSON."""
    command, *rest = arguments or [""]
    if command == "start" and len(rest) == 1:
        answer = start(RunDirectory(rest[0]))
    elif command == "status" and len(rest) == 1:
        answer = status(RunDirectory(rest[0]))
    elif command == "stop" and len(rest) == 2:  # noqa: PLR2004 -- as in the usage
        answer = stop(RunDirectory(rest[0]), rest[1])
    else:
        raise SystemExit("usage: runner.pyz start DIRECTORY | status DIRECTORY | stop DIRECTORY ID")
    print(json.dumps(answer))  # noqa: T201 -- its answer


def status(run: RunDirectory) -> Fields:
    """Return the state of the run and what is known of it."""
    if not run.path.is_dir():
        return {"state": "absent"}
    descriptor = run.lock(shared=True)
    if descriptor is None:
        return {**(run.read("agent.json") or {}), "state": "running"}
    os.close(descriptor)
    ended = run.read("exit.json")
    if ended is not None:
        return {**ended, "state": "ended"}
    if run.has("supervisor.json"):
        return {**(run.read("agent.json") or {}), "state": "lost"}
    return {"state": "absent"}


def start(run: RunDirectory) -> Fields:
    """Start the agent unless it was started or stopped before; return once it is watched over."""
    descriptor = _lock_to_start(run)
    if run.is_begun:
        run.remove("launch.json")
    elif descriptor is not None:
        _begin(run)
    if descriptor is not None:
        os.close(descriptor)  # the supervisor has its own
    return status(run)


def stop(run: RunDirectory, run_id: str) -> Fields:
    """End the agent and every descendant; without a supervisor, what carries the run's marker.

    Nothing that the agent may have written into the directory keeps it from being ended: the
    supervisor looks for the file ``stop`` too.
    """
    run.path.mkdir(parents=True, exist_ok=True)
    run.touch("stop")
    bound = time.monotonic() + _BOUND
    asked = False
    while (descriptor := run.lock()) is None:
        supervisor = run.read("supervisor.json")
        if supervisor is not None and not asked:
            asked = _signal(supervisor, signal.SIGTERM)
            bound = time.monotonic() + _grace(supervisor) + 2 * END_BOUND
        if supervisor is not None and time.monotonic() > bound:
            _signal(supervisor, signal.SIGKILL)
        time.sleep(0.02)
    supervisor = run.read("supervisor.json")
    if supervisor is not None:
        end_all(lambda: marked(run_id), grace=_grace(supervisor))
    if not run.has("exit.json"):
        agent = run.read("agent.json") or {}
        run.write("exit.json", ending(stopped=True, started_at=agent.get("started_at")))
    run.remove("launch.json")
    os.close(descriptor)
    return status(run)


def _begin(run: RunDirectory) -> None:
    """Start the supervisor, which inherits the lock, or write down that it never starts."""
    if run.has("stop"):
        run.remove("launch.json")
        run.write("exit.json", ending(stopped=True))
        return
    launch = run.read("launch.json")
    if launch is None:
        raise SystemExit("launch.json is missing or broken")
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.close(reading)
        supervise(run, launch, started=writing)
    os.close(writing)
    os.read(reading, 1)  # returns when the agent is started, or the supervisor is gone


def _lock_to_start(run: RunDirectory) -> int | None:
    """Wait for the lock unless somebody else starts: a look at the state holds it too."""
    bound = time.monotonic() + _BOUND
    while True:
        descriptor = run.lock()
        if descriptor is not None or run.is_begun or time.monotonic() > bound:
            return descriptor
        time.sleep(0.02)


def _grace(supervisor: Fields) -> float:
    grace = supervisor.get("stop_grace")
    return min(float(grace), _LONGEST_GRACE) if isinstance(grace, (int, float)) else 0.0


def _signal(process: Fields, number: int) -> bool:
    """Signal a process that was written down, unless its number is another's by now."""
    pid = process.get("pid")
    if not isinstance(pid, int) or start_time(pid) != process.get("start_time"):
        return False
    send({pid}, number)
    return True


if __name__ == "__main__":
    main(sys.argv[1:])
