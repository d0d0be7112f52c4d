"""A patch is applied to the base commit's files as they are, or not at all."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from bot.errors import PatchRefused
from bot.patch import apply, decode, judge, read_patch
from bot.settings import PatchSettings
from tests.fakes.patches import ONE_LINE, added

if TYPE_CHECKING:
    from pathlib import Path


async def git(directory: Path, *argv: str) -> str:
    """Run git as a person would, without the host's configuration."""
    process = await asyncio.create_subprocess_exec(
        "git",
        *("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "core.quotePath=false"),
        *argv,
        cwd=directory,
        env={**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"},
        stdout=asyncio.subprocess.PIPE,
    )
    stdout, _ = await process.communicate()
    assert process.returncode == 0
    return decode(stdout)


async def test_git_diff_is_read_and_applied_as_it_was_made(tmp_path: Path) -> None:
    """What ``git diff`` writes of text files comes out of ``apply`` byte for byte."""
    before: dict[str, bytes] = {
        "crlf.py": b"a\r\nb\r\nc\r\n",
        "no_end.py": b"a\nb",
        "gone.py": b"x = 1\n",
        "empty_gone.py": b"",
        "dir with space/\u00e4 b.py": b"1\n",
        "feed.py": b"a\x0cb\n\x1c\nc\rd\n",
        "far.py": b"".join(b"%d\n" % n for n in range(100)),
        "tool.py": b"#!/usr/bin/env python\n",
    }
    after: dict[str, bytes] = {
        "crlf.py": b"a\r\nB\r\nc\r\n",
        "no_end.py": b"a\nb\nc",
        "dir with space/\u00e4 b.py": b"1\n2",
        "feed.py": b"a\x0cc\n\x1c\nc\rD\n--- a/x\n+++ b/x\n@@ -1 +1 @@\ndiff --git a/x b/x\n",
        "far.py": b"0\n" + b"".join(b"%d\n" % n for n in range(2, 100)) + b"101\n",
        "tool.py": b"#!/usr/bin/env python3\n",
        "new/__init__.py": b"",
        "new/one.py": b"# \xe2\x98\x83\n",
    }
    for name, data in before.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    (tmp_path / "tool.py").chmod(0o755)
    await git(tmp_path, "init", "-q")
    await git(tmp_path, "add", "-A")
    await git(tmp_path, "commit", "-qm", "base")
    for name in before:
        (tmp_path / name).unlink()
    for name, data in after.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    (tmp_path / "tool.py").chmod(0o755)
    await git(tmp_path, "add", "-A")
    text = await git(tmp_path, "diff", "--cached", "--binary", "--full-index", "--no-renames")

    stat = judge(read_patch(text), PatchSettings())
    new = await apply(text, before)

    assert new == {name: after.get(name) for name in before | after}
    assert set(stat.files) == set(new)


async def test_a_patch_for_another_base_is_refused() -> None:
    """A patch is applied to the base commit as it is, or not at all."""
    with pytest.raises(PatchRefused, match="does not apply to the base commit"):
        await apply(ONE_LINE, {"torch/nn/rnn.py": b"something\nelse\n"})
    with pytest.raises(PatchRefused, match=r"rnn\.py: it is not there"):
        await apply(ONE_LINE, {})
    with pytest.raises(PatchRefused, match=r"x\.py: it is there already"):
        await apply(added("x.py"), {"x.py": b""})
    with pytest.raises(PatchRefused, match="empty"):
        await apply("", {})


async def test_a_file_in_the_place_of_a_directory_is_refused() -> None:
    """A patch whose files cannot lie beside each other does not apply."""
    with pytest.raises(PatchRefused):
        await apply(added("a.py") + added("a.py/b.py"), {})
