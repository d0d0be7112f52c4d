"""A patch applied by git itself, in a directory that holds only the files it touches."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import PatchRefused
from bot.patch.paths import shown
from bot.patch.reading import Change, Patch, read_patch

if TYPE_CHECKING:
    from collections.abc import Mapping

GIT_TIMEOUT = timedelta(seconds=30)

_SAFE = (
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.attributesFile=/dev/null"),
    *("-c", "core.autocrlf=false"),
    *("-c", "core.protectNTFS=true"),
    *("-c", "core.protectHFS=true"),
)
_APPLY = ("apply", "--whitespace=nowarn", "-p1")


async def apply(patch_text: str, base_files: Mapping[str, bytes | None]) -> dict[str, bytes | None]:
    """Return the new contents of every file that the patch touches; None for a deleted one.

    ``base_files`` holds the contents at the base commit by path, None for a file that is not
    there. Raise PatchRefused when the patch does not apply to exactly these.
    """
    patch = read_patch(patch_text)
    _check_base(patch, base_files)
    scratch = await asyncio.to_thread(tempfile.mkdtemp, prefix="ptq-patch-")
    try:
        return await _applied(Path(scratch), patch, patch_text.encode(), base_files)
    finally:
        await asyncio.to_thread(shutil.rmtree, scratch, ignore_errors=True)


async def _applied(
    top: Path, patch: Patch, text: bytes, base_files: Mapping[str, bytes | None]
) -> dict[str, bytes | None]:
    tree = top / "tree"
    await asyncio.to_thread(_write, tree, patch, base_files)
    await _git(top, "init", "--quiet", "--template=")
    await _git(top, *_APPLY, "--check", "-", stdin=text)
    await _git(top, *_APPLY, "-", stdin=text)
    return await asyncio.to_thread(_read, tree, patch)


def _check_base(patch: Patch, base_files: Mapping[str, bytes | None]) -> None:
    if not patch.files:
        raise PatchRefused("the patch is empty")
    for file in patch.files:
        there = base_files.get(file.path) is not None
        if there and file.change is Change.ADDED:
            raise PatchRefused(f"{shown(file.path)}: it is there already at the base commit")
        if not there and file.change is not Change.ADDED:
            raise PatchRefused(f"{shown(file.path)}: it is not there at the base commit")


def _write(tree: Path, patch: Patch, base_files: Mapping[str, bytes | None]) -> None:
    tree.mkdir()
    for file in patch.files:
        data = base_files.get(file.path)
        if data is None:
            continue
        path = tree / file.path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            path.chmod(int(file.mode[-3:], 8))
        except OSError as error:
            raise PatchRefused(f"{shown(file.path)}: {error.strerror}") from error


def _read(tree: Path, patch: Patch) -> dict[str, bytes | None]:
    """Read what git made; what it changed must be what was read in the patch."""
    expected = {file.path: file for file in patch.files}
    found: dict[str, bytes | None] = {}
    for path in sorted(tree.rglob("*")):
        name = path.relative_to(tree).as_posix()
        if name.partition("/")[0] == ".git" or (path.is_dir() and not path.is_symlink()):
            continue
        file = expected.get(name)
        if file is None or path.is_symlink() or file.change is Change.DELETED:
            raise PatchRefused(f"{shown(name)}: git made of the patch what it does not say")
        found[name] = path.read_bytes()
    for name, file in expected.items():
        if name not in found and file.change is not Change.DELETED:
            raise PatchRefused(f"{shown(name)}: git made of the patch what it does not say")
    return {name: found.get(name) for name in expected}


async def _git(top: Path, *argv: str, stdin: bytes = b"") -> None:
    """Run git in ``top/tree`` with nothing of the host's configuration."""
    process = await asyncio.create_subprocess_exec(
        "git",
        *_SAFE,
        *argv,
        cwd=top / "tree",
        env=_environment(top),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(GIT_TIMEOUT.total_seconds()):
            _, stderr = await process.communicate(stdin)
    except TimeoutError as error:
        raise PatchRefused("git did not come to an end with the patch") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise PatchRefused(f"the patch does not apply to the base commit: {_reason(stderr)}")


def _environment(top: Path) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(top),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(top.parent),
        "GIT_TERMINAL_PROMPT": "0",
    }


def _reason(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").strip().splitlines()
    first = next((line for line in lines if line.startswith("error: ")), "")
    return shown(first.removeprefix("error: ")) or "git says no more"
