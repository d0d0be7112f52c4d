"""The runner: what travels to the machine."""

from __future__ import annotations

import ast
import io
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from bot.agents.runner_archive import runner_archive
from bot.errors import CommandFailed
from bot.machines.local import LocalShell

if TYPE_CHECKING:
    from pathlib import Path

OLDEST = (3, 9)


async def test_the_runner_needs_the_standard_library_alone() -> None:
    """A machine needs Python 3.9 and nothing else for it."""
    archive = zipfile.ZipFile(io.BytesIO(await runner_archive()))
    carried = {name.removesuffix(".py").replace("/", ".") for name in archive.namelist()}

    for name in archive.namelist():
        tree = ast.parse(archive.read(name), feature_version=OLDEST)
        for module in _imported(tree):
            assert module in carried or module.partition(".")[0] in sys.stdlib_module_names


async def test_the_runner_is_always_the_same() -> None:
    """Sending it again changes nothing."""
    assert await runner_archive() == await runner_archive()


@pytest.mark.parametrize(
    "words", [(), ("start",), ("restart", "x"), ("start", "a", "b"), ("stop", "a")]
)
async def test_a_wrong_command_is_told(words: tuple[str, ...], tmp_path: Path) -> None:
    """The runner takes three commands, on one directory."""
    path = tmp_path / "runner.pyz"
    path.write_bytes(await runner_archive())

    with pytest.raises(CommandFailed, match=r"usage: runner\.pyz"):
        await LocalShell().run(sys.executable, "-I", str(path), *words)


async def test_nothing_starts_without_a_plan(tmp_path: Path) -> None:
    """A start that was told nothing says so, and may come again."""
    path = tmp_path / "runner.pyz"
    path.write_bytes(await runner_archive())

    with pytest.raises(CommandFailed, match=r"launch\.json is missing or broken"):
        await LocalShell().run(sys.executable, "-I", str(path), "start", str(tmp_path))

    done = await LocalShell().run(sys.executable, "-I", str(path), "status", str(tmp_path))
    assert done.stdout == '{"state": "absent"}\n'


def _imported(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found |= {alias.name for alias in names}
            case ast.ImportFrom(module=str(module)):
                found.add(module)
            case _:
                continue
    return found
