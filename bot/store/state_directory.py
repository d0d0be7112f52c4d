"""The lock of a state directory: one process per SQLite file."""

from __future__ import annotations

import fcntl
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from bot.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_TRIES = 5
_PAUSE = 0.05
"""Seconds between two tries to get a lock."""


@contextmanager
def only_process(path: Path) -> Generator[None]:
    """Hold the lock file of a state directory; raise ConfigurationError when another process does.

    One process per SQLite file: with more, limits would be overrun.
    """
    with _opened(path) as lock:
        # Who only looks whether it is held (``is_served``) holds it for a moment.
        for left in reversed(range(_TRIES)):
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if left:
                    time.sleep(_PAUSE)
                    continue
                message = (
                    f"another ptq serves from {path.parent}: stop it, or give this one its own "
                    "PTQ_STATE_DIR, or use Postgres for many processes"
                )
                raise ConfigurationError(message) from error
        yield


def _opened(path: Path) -> TextIO:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a")
    except OSError as error:
        message = f"PTQ_STATE_DIR: {path.parent} cannot be written: {error.strerror}"
        raise ConfigurationError(message) from error


def is_served(path: Path) -> bool:
    """Whether a process holds this lock file."""
    try:
        with path.open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return False
