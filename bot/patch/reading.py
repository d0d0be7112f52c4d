"""A patch's text, read strictly: the shape that ``git diff --no-renames`` writes, nothing else.

The format is that of https://git-scm.com/docs/diff-format ("Generating patch text with -p"). Every
line of the text must be accounted for, so that no other reader can find a change we did not see.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn

from unidiff.errors import UnidiffParseError
from unidiff.patch import PatchSet

from bot.errors import PatchRefused
from bot.patch.paths import check_path, shown

READ_LIMIT = 5_000_000
"""Bytes; a longer patch is refused unread."""

_FILE = "diff --git "
_FILE_MODE = "100644"
_PROGRAM_MODE = "100755"
_INDEX = re.compile(r"index [0-9a-f]{7,64}\.\.[0-9a-f]{7,64}(?: ([0-7]{6}))?")
_HUNK = re.compile(r"@@ -[0-9]{1,9}(?:,[0-9]{1,9})? \+[0-9]{1,9}(?:,[0-9]{1,9})? @@(?: [^\n]*)?\n")
_NO_NEWLINE = "\\ No newline at end of file\n"
_SPECIAL = {"120000": "a symbolic link is not taken", "160000": "a submodule is not taken"}
_REFUSED_LINES = {
    "old mode ": "a change of its mode is not taken",
    "new mode ": "a change of its mode is not taken",
    "rename ": "a renamed file is not taken: the patch must delete one file and add the other",
    "copy ": "a copied file is not taken: the patch must add it",
    "similarity ": "a renamed or copied file is not taken",
    "dissimilarity ": "a rewritten file is not taken in this form",
    "GIT binary patch": "a binary file is not taken",
    "Binary files ": "a binary file is not taken",
}


class Change(StrEnum):
    """What a patch does to a file."""

    ADDED = "added"
    MODIFIED = "modified"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file of a patch."""

    path: str
    """Relative to the repository's root, with slashes."""
    change: Change
    mode: str
    """``100644``, or ``100755`` where an existing program is modified or deleted: what the patch
    says, so that whoever writes it into a tree compares it with the base."""
    added: int
    """Lines."""
    removed: int


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch that was read; it may still be more than the operator allows."""

    files: tuple[FileChange, ...]
    size: int
    """Bytes of its text in UTF-8."""


def decode(data: bytes) -> str:
    """Return a patch's text with its line ends as they are; raise PatchRefused unless UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise PatchRefused(f"the patch is not UTF-8 text (byte {error.start})") from error


def read_patch(text: str) -> Patch:
    """Read a patch; raise PatchRefused, naming the file, for anything but changes of text files."""
    size = _size(text)
    if not text:
        return Patch(files=(), size=0)
    if not text.startswith(_FILE) or not text.endswith("\n"):
        raise PatchRefused("the patch is not what `git diff` writes, or it was cut off")
    sections = re.split(rf"^(?={_FILE})", text, flags=re.MULTILINE)[1:]
    files = tuple(_read_file(section) for section in sections)
    seen: set[str] = set()
    for file in files:
        if file.path.casefold() in seen:
            raise PatchRefused(f"{shown(file.path)}: the patch holds this file twice")
        seen.add(file.path.casefold())
    return Patch(files=files, size=size)


def _size(text: str) -> int:
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise PatchRefused("the patch is not Unicode text") from error
    if size > READ_LIMIT:
        raise PatchRefused(f"the patch has {size:,} bytes, more than {READ_LIMIT:,}")
    return size


def _read_file(section: str) -> FileChange:
    # Not splitlines: it also splits at form feeds and lone carriage returns, which git does not.
    lines = [f"{line}\n" for line in section.split("\n")[:-1]]
    path = _path(lines[0])
    check_path(path)
    start = next((n for n, line in enumerate(lines) if line.startswith("@@")), len(lines))
    change, mode = _header(path, lines[1:start], has_hunks=start < len(lines))
    if start == len(lines):
        return FileChange(path=path, change=change, mode=mode, added=0, removed=0)
    added, removed = _hunks(path, lines[start:])
    return FileChange(path=path, change=change, mode=mode, added=added, removed=removed)


def _path(line: str) -> str:
    names = line.removeprefix(_FILE).removesuffix("\n")
    if names.startswith('"'):
        raise PatchRefused(f"{shown(names)}: a quoted file name is not taken")
    path = names[2 : 2 + (len(names) - 5) // 2]
    if names != f"a/{path} b/{path}":
        raise PatchRefused(f"{shown(names)}: the two names differ, or are not those of `git diff`")
    return path


def _header(path: str, lines: list[str], *, has_hunks: bool) -> tuple[Change, str]:
    """Check the lines between ``diff --git`` and the first hunk; they stand in git's order."""
    rest = [line.removesuffix("\n") for line in lines]
    change, mode = Change.MODIFIED, ""
    for word, kind in (("new file mode ", Change.ADDED), ("deleted file mode ", Change.DELETED)):
        if rest and rest[0].startswith(word):
            change, mode = kind, rest.pop(0).removeprefix(word)
            break
    index = _INDEX.fullmatch(rest[0]) if rest else None
    if index is not None:
        rest.pop(0)
        mode = mode or index[1] or ""
    if has_hunks and rest[:2] == _names(path, change):
        rest = rest[2:]
    elif has_hunks:
        _refuse_line(path, rest[0] if rest else "", "its names are not those of its header")
    if rest:
        _refuse_line(path, rest[0], "its header holds a line that `git diff` does not write")
    _check_mode(path, change, mode)
    if index is None or (change is Change.MODIFIED and not has_hunks):
        raise PatchRefused(f"{shown(path)}: the patch does not say what changes")
    return change, mode


def _names(path: str, change: Change) -> list[str]:
    end = "\t" if " " in path else ""  # git ends a name with a space in it by a tab
    old = "/dev/null" if change is Change.ADDED else f"a/{path}{end}"
    new = "/dev/null" if change is Change.DELETED else f"b/{path}{end}"
    return [f"--- {old}", f"+++ {new}"]


def _refuse_line(path: str, line: str, otherwise: str) -> NoReturn:
    for beginning, reason in _REFUSED_LINES.items():
        if line.startswith(beginning):
            raise PatchRefused(f"{shown(path)}: {reason}")
    raise PatchRefused(f"{shown(path)}: {otherwise}")


def _check_mode(path: str, change: Change, mode: str) -> None:
    if mode == _FILE_MODE or (mode == _PROGRAM_MODE and change is not Change.ADDED):
        return
    if mode == _PROGRAM_MODE:
        raise PatchRefused(f"{shown(path)}: a new executable file is not taken")
    reason = _SPECIAL.get(mode, "its mode is not that of a plain file")
    raise PatchRefused(f"{shown(path)}: {reason}")


def _hunks(path: str, lines: list[str]) -> tuple[int, int]:
    for line in lines:
        if line[0] not in " +-" and line != _NO_NEWLINE and not _HUNK.fullmatch(line):
            raise PatchRefused(f"{shown(path)}: a line of it is no part of a patch")
    if any("\0" in line for line in lines):
        raise PatchRefused(f"{shown(path)}: a binary file is not taken")
    try:
        patch_set = PatchSet(["--- a/file\n", "+++ b/file\n", *lines])
    except UnidiffParseError as error:
        raise PatchRefused(f"{shown(path)}: a hunk's length is not what it says") from error
    hunks = patch_set[0]
    whole = len(patch_set) == 1 and sum(1 + len(hunk) for hunk in hunks) == len(lines)
    if not whole or not all(hunk.is_valid() for hunk in hunks):
        raise PatchRefused(f"{shown(path)}: a hunk's length is not what it says")
    if not all(hunk.added + hunk.removed for hunk in hunks):
        raise PatchRefused(f"{shown(path)}: a hunk changes nothing")
    return hunks.added, hunks.removed
