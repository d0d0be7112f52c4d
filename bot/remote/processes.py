"""The processes of a machine, as /proc shows them (proc(5)), and how they are ended."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MARKER = "PTQ_RUN"
"""The variable that the agent and its descendants have; its value is the run's id."""

END_BOUND = 60.0
"""Seconds after which is left what cannot be killed: it waits for a device, or is not ours."""

_DEAD = ("Z", "X")


def end_all(
    find: Callable[[], set[int]],
    *,
    grace: float,
    reap: Callable[[], None] = lambda: None,
) -> None:
    """SIGTERM to all that ``find`` finds; ``grace`` seconds later SIGKILL, until none is left.

    What is left after END_BOUND more cannot be killed.
    """
    told: set[int] = set()
    terminating = time.monotonic() + grace
    bound = terminating + END_BOUND
    while time.monotonic() < bound:
        reap()
        found = find()
        if not found:
            return
        if time.monotonic() < terminating:
            send(found - told, signal.SIGTERM)
            told |= found
        else:
            send(found, signal.SIGKILL)
        time.sleep(0.02)


def descendants(*ancestors: int) -> set[int]:
    """Return the living processes below these."""
    children: dict[int, list[int]] = {}
    for pid in _processes():
        fields = _stat(pid)
        if fields and fields[0] not in _DEAD:
            children.setdefault(int(fields[1]), []).append(pid)
    found: set[int] = set()
    ahead = list(ancestors)
    while ahead:
        for child in children.get(ahead.pop(), ()):
            if child not in found:
                found.add(child)
                ahead.append(child)
    return found


def marked(run_id: str) -> set[int]:
    """Return the living processes with the run's marker in their environment, and those below."""
    wanted = f"{MARKER}={run_id}".encode()
    found: set[int] = set()
    for pid in _processes():
        try:
            variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if wanted in variables and pid != os.getpid():
            found.add(pid)
    return found | descendants(*found)


def send(pids: set[int], number: int) -> None:
    """Signal those that are there, and ours."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def start_time(pid: int) -> str | None:
    """Return when a process started, in ticks since the boot; None when it is gone."""
    fields = _stat(pid)
    return fields[19] if fields and fields[0] not in _DEAD else None


def _processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the name (see proc(5)); none when it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()
