"""The files of a commit in a checkout, as a patch needs them: git's own objects, no link followed.

What the checkout holds beside the commit (changes, ignored files) takes no part.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from bot.errors import InputError, PatchRefused
from bot.patch.paths import shown

if TYPE_CHECKING:
    from pathlib import Path

    from bot.patch.reading import FileChange, Patch

_TREE = "040000"
_FILES = ("100644", "100755")


async def resolve(directory: Path, revision: str) -> str:
    """Return the id of a commit; raise InputError where there is no repository or no commit."""
    if not await asyncio.to_thread(directory.is_dir):
        raise InputError(f"{directory}: no such directory")
    if revision.startswith("-"):
        raise InputError(f"{revision}: no commit is called so")
    name = f"{revision}^{{commit}}"
    found = await _git(directory, "rev-parse", "--verify", "--quiet", "--end-of-options", name)
    if found is None:
        raise InputError(f"{directory}: not a git repository, or it has no commit {revision}")
    return found.decode().strip()


async def base_files(directory: Path, commit: str, patch: Patch) -> dict[str, bytes | None]:
    """Return what the patch's files hold at the commit, None for one that is not there.

    Raise PatchRefused where a path holds something else than a file of the patch's mode, and
    InputError where the repository is broken.
    """
    entries = _entries(await _git(directory, "ls-tree", "-r", "-t", "-z", "--full-tree", commit))
    files: dict[str, bytes | None] = {}
    for change in patch.files:
        found = _find(entries, change)
        files[change.path] = None if found is None else await _blob(directory, found)
    return files


async def file(directory: Path, commit: str, path: str) -> bytes | None:
    """Return what one file holds at the commit, None where it is not there; raise InputError."""
    listing = await _git(directory, "ls-tree", "-z", "--full-tree", commit, "--", path)
    found = _entries(listing).get(path)
    if found is None:
        return None
    mode, object_id = found
    if mode not in _FILES:
        raise InputError(f"{directory}: {path} is no regular file at {commit[:12]}")
    return await _blob(directory, object_id)


async def _blob(directory: Path, object_id: str) -> bytes:
    content = await _git(directory, "cat-file", "blob", object_id)
    if content is None:
        raise InputError(f"{directory}: git cannot read the file {object_id} of its own")
    return content


def _entries(listing: bytes | None) -> dict[str, tuple[str, str]]:
    """Read lines of ``git ls-tree -z``: mode, type, id, a tab, path."""
    entries: dict[str, tuple[str, str]] = {}
    for line in (listing or b"").split(b"\0"):
        facts, tab, path = line.partition(b"\t")
        if tab:
            mode, _, object_id = facts.decode().split(" ")
            entries[os.fsdecode(path)] = (mode, object_id)
    return entries


def _find(entries: dict[str, tuple[str, str]], change: FileChange) -> str | None:
    parts = change.path.split("/")
    for depth in range(1, len(parts)):
        mode, _ = entries.get("/".join(parts[:depth]), (_TREE, ""))
        if mode != _TREE:
            above = shown(parts[depth - 1])
            raise PatchRefused(f"{shown(change.path)}: {above} is no directory in the repository")
    if change.path not in entries:
        return None
    mode, object_id = entries[change.path]
    if mode not in _FILES:
        raise PatchRefused(f"{shown(change.path)}: is no regular file in the repository")
    if mode != change.mode:
        raise PatchRefused(f"{shown(change.path)}: its mode in the repository is {mode}")
    return object_id


async def _git(directory: Path, *argv: str) -> bytes | None:
    """Return what git printed, or None where it did not do what was asked."""
    process = await asyncio.create_subprocess_exec(
        *("git", "-C", str(directory), "--no-replace-objects", *argv),
        env={**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    stdout, _ = await process.communicate()
    return stdout if process.returncode == 0 else None
