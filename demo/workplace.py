"""The temporary files of the demonstration."""

from __future__ import annotations

import logging
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot import log

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence


@dataclass(slots=True)
class Workplace:
    """A directory that is removed at the end, and the service's log beside it."""

    directory: Path
    log: Path
    keeps_log: bool = False
    """Whether the log stays, for somebody to read."""


@contextmanager
def workplace(secrets: Sequence[str]) -> Generator[Workplace]:
    """Make the directory and send the log to its file, without these secrets."""
    default = tempfile.tempdir
    directory = Path(tempfile.mkdtemp(prefix="ptq-demo-")).resolve()
    place = Workplace(directory, directory.with_name(f"{directory.name}.log"))
    # What others make in the directory for temporary files is removed with ours.
    tempfile.tempdir = str(directory)
    try:
        with place.log.open("w", encoding="utf-8") as stream:
            log.configure("json", secrets, stream=stream)
            yield place
    finally:
        logging.disable()  # what comes now is of the program's own end, and the file is closed
        tempfile.tempdir = default
        shutil.rmtree(directory, ignore_errors=True)
        if not place.keeps_log:
            place.log.unlink(missing_ok=True)
