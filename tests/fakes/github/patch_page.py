"""A unified diff as a table for people, file by file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import escape

_HUNK = re.compile(r"^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_HEADERS = (
    "index ",
    "--- ",
    "+++ ",
    "new file",
    "deleted file",
    "old mode",
    "new mode",
    "similarity",
)


@dataclass(slots=True)
class FileDiff:
    """What changes in one file."""

    path: str
    rows: list[str] = field(default_factory=list[str])
    added: int = 0
    removed: int = 0
    _old: int = 0
    _new: int = 0

    def take(self, line: str) -> None:
        """Read the next line of git's diff of this file."""
        if hunk := _HUNK.match(line):
            self._old, self._new = int(hunk.group(1)), int(hunk.group(2))
            self._row("hunk", "", "", line)
        elif not (self._old or self._new):
            if not line.startswith(_HEADERS):
                self._row("hunk", "", "", line)
        elif line.startswith("+"):
            self._row("added", "", str(self._new), line)
            self.added, self._new = self.added + 1, self._new + 1
        elif line.startswith("-"):
            self._row("removed", str(self._old), "", line)
            self.removed, self._old = self.removed + 1, self._old + 1
        else:
            self._row("same", str(self._old), str(self._new), line)
            self._old, self._new = self._old + 1, self._new + 1

    def _row(self, kind: str, old: str, new: str, line: str) -> None:
        cells = f"<td>{old}</td><td>{new}</td><td>{escape(line)}</td>"
        self.rows.append(f'<tr class="{kind}">{cells}</tr>')


def files_of(diff: str) -> list[FileDiff]:
    """Read a diff that git wrote."""
    files: list[FileDiff] = []
    for line in diff.splitlines():
        if line.startswith("diff --git "):
            files.append(FileDiff(line.rpartition(" b/")[2]))
        elif files:
            files[-1].take(line)
    return files


def file_box(file: FileDiff) -> str:
    """Return one file's changes as HTML."""
    counts = (
        f'<span class="plus">+{file.added}</span> <span class="minus">&minus;{file.removed}</span>'
    )
    return (
        f'<div class="file"><div class="file-head"><code>{escape(file.path)}</code>'
        f"<span>{counts}</span></div>"
        f'<table class="patch">{"".join(file.rows)}</table></div>'
    )
