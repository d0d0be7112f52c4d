"""A wheel rewritten, so that it says of itself which commit it was built from.

See https://packaging.python.org/specifications/binary-distribution-format/.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import shutil
from typing import TYPE_CHECKING
from zipfile import ZipFile, ZipInfo

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

VERSION_FILE = "torch/version.py"

_COMMIT = re.compile(rb"(?m)^git_version = .*$")
_PIECE = 1 << 20


def python_files(wheel: Path) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of each Python file that the wheel takes from its source."""
    with ZipFile(wheel) as archive:
        for name in archive.namelist():
            # The build writes this one; PyTorch's own repository ignores it.
            if name.endswith(".py") and name != VERSION_FILE:
                yield name, archive.read(name)


def with_commit(wheel: Path, into: Path, *, commit: str) -> None:
    """Write the same wheel into a directory, with another ``git_version``; nothing is compressed.

    Raise ValueError when it does not say its commit.
    """
    with ZipFile(wheel) as old, ZipFile(into / wheel.name, "w") as new:
        changed = _changed(old, commit)
        for entry in old.infolist():
            copy = ZipInfo(entry.filename, entry.date_time)
            copy.external_attr = entry.external_attr
            if entry.filename in changed:
                new.writestr(copy, changed[entry.filename])
                continue
            with old.open(entry) as reader, new.open(copy, "w") as writer:
                shutil.copyfileobj(reader, writer, _PIECE)


def _changed(wheel: ZipFile, commit: str) -> Mapping[str, bytes]:
    """Return the files that become others, by name."""
    line = f"git_version = {commit!r}".encode()
    version, found = _COMMIT.subn(line, wheel.read(VERSION_FILE))
    if found != 1:
        message = f"{VERSION_FILE} does not say its commit"
        raise ValueError(message)
    record = next(name for name in wheel.namelist() if name.endswith(".dist-info/RECORD"))
    rows = csv.reader(io.StringIO(wheel.read(record).decode()))
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(
        [VERSION_FILE, _digest(version), len(version)] if row[0] == VERSION_FILE else row
        for row in rows
    )
    return {VERSION_FILE: version, record: written.getvalue().encode()}


def _digest(data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"sha256={digest}"
