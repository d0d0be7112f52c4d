"""What still runs on the demonstration's machine when it is over."""

from __future__ import annotations

import os
from pathlib import Path

from bot.remote.processes import end_all

GRACE = 1.0
"""Seconds between SIGTERM and SIGKILL."""


def end(home: Path) -> None:
    """End every process whose HOME is this directory or lies in it; it blocks.

    Nothing else on this computer has such a HOME: it is temporary, and the machine's own.
    """
    end_all(lambda: found(home), grace=GRACE)


def found(home: Path) -> set[int]:
    """Return the living processes whose HOME is this directory or lies in it."""
    return {
        pid
        for entry in Path("/proc").iterdir()
        if entry.name.isdecimal() and (pid := int(entry.name)) != os.getpid()
        if _is_at_home(entry, os.fsencode(home))
    }


def _is_at_home(process: Path, home: bytes) -> bool:
    try:
        variables = (process / "environ").read_bytes().split(b"\0")
    except OSError:
        return False  # it is somebody else's, or gone
    own = next((value[5:] for value in variables if value.startswith(b"HOME=")), b"")
    return own == home or own.startswith(home + b"/")
