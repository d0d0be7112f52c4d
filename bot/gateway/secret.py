"""The gateway's secret where nothing else gives one: made once, and kept for the next process."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_BYTES = 32


def kept_secret(path: Path) -> bytes:
    """Return the secret in this file, made now or before; only its owner may read it.

    Its directory is there.
    """
    if not path.exists():
        # Whole or not at all, and never over another process's.
        with NamedTemporaryFile(dir=path.parent) as file:
            file.write(secrets.token_bytes(_BYTES))
            file.flush()
            with suppress(FileExistsError):
                os.link(file.name, path)
    return path.read_bytes()
