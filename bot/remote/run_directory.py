"""The directory of one run on the machine, and the lock that its supervisor holds.

``launch.json``       what to start; removed by the start, since it may hold a token
``supervisor.lock``   held while the supervisor lives; the kernel lets go of it, whatever happens
``supervisor.json``   which process watches over which run; there once a start was begun
``agent.json``        the agent's process, its session and when it started
``deadlines.json``    how many seconds ``later`` the deadlines are than at the start
``soft-deadline``     there since the soft deadline
``stop``              there since somebody asked to stop
``exit.json``         how it ended; there once the agent and every descendant are gone
``runner.log``        what went wrong in the supervisor
"""

from __future__ import annotations

import fcntl
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any, cast

Fields = dict[str, Any]


class RunDirectory:
    """The files of one run."""

    def __init__(self, path: str) -> None:
        """Work in this directory."""
        self.path = Path(path).expanduser().absolute()

    def has(self, name: str) -> bool:
        """Whether a file is there."""
        return os.path.lexists(self.path / name)

    def read(self, name: str) -> Fields | None:
        """Return a file's fields, or None when it is not there or no JSON object."""
        try:
            fields = json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return cast("Fields", fields) if isinstance(fields, dict) else None

    def write(self, name: str, fields: Fields) -> None:
        """Write a file whole, readable for its owner only."""
        descriptor, temporary = tempfile.mkstemp(dir=self.path, prefix="." + name)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(fields, file)
            file.flush()
            os.fsync(descriptor)
        Path(temporary).replace(self.path / name)

    def touch(self, name: str) -> None:
        """Make an empty file."""
        (self.path / name).touch(mode=0o600)

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        (self.path / name).unlink(missing_ok=True)

    def lock(self, *, shared: bool = False) -> int | None:
        """Return the lock's descriptor, or None while a supervisor holds it."""
        path = self.path / "supervisor.lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return descriptor

    @property
    def is_begun(self) -> bool:
        """Whether a start was begun, or ruled out by a stop."""
        return self.has("supervisor.json") or self.has("exit.json")


def ending(
    *,
    exit_status: int | None = None,
    started_at: float | None = None,
    stopped: bool = False,
    timed_out: bool = False,
) -> Fields:
    """Return what ``exit.json`` says; a negative exit status is a signal's number."""
    return {
        "exit_status": exit_status,
        "started_at": started_at,
        "ended_at": time.time(),
        "stopped": stopped,
        "timed_out": timed_out,
    }
