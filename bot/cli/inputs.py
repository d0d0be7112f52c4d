"""What a command of the terminal reads: a file, or the standard input as ``-``."""

from __future__ import annotations

import sys
from pathlib import Path

from bot.errors import InputError

STANDARD_INPUT = "-"
MAX_BYTES = 50_000_000


def read(name: str) -> bytes:
    """Return what a file holds; raise InputError, naming it, when it cannot be read."""
    try:
        if name == STANDARD_INPUT:
            data = sys.stdin.buffer.read(MAX_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{shown(name)}: {error.strerror}") from error
    except ValueError as error:  # a name with a NUL
        raise InputError(f"{name!a}: {error}") from error
    if len(data) > MAX_BYTES:
        raise InputError(f"{shown(name)}: more than {MAX_BYTES:,} bytes")
    return data


def shown(name: str) -> str:
    """Return how messages call it."""
    return "standard input" if name == STANDARD_INPUT else name
