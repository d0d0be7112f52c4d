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


def make_state_directory(path: Path) -> None:
    """Make it where it is missing; raise ConfigurationError when it cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_writable(path, error) from error


def _opened(path: Path) -> TextIO:
    make_state_directory(path.parent)
    try:
        return path.open("a")
    except OSError as error:
        raise _not_writable(path.parent, error) from error


def _not_writable(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(f"PTQ_STATE_DIR: {path} cannot be written: {error.strerror}")


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
