"""Files: the same over SSH (in the process, and the real OpenSSH) and on our own machine."""

from __future__ import annotations

import asyncio
import os
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from bot.errors import MachineError, RemoteFileMissing
from bot.machines.at_once import write_all
from tests.fakes import ground as grounds

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.machines.base import Shell
    from tests.fakes.ground import Ground

ground = grounds.ground


async def test_a_file_is_written_whole_with_its_mode(ground: Ground) -> None:
    """Writing makes the directories, replaces what is there, and leaves nothing else."""
    data = os.urandom(1_000_000)

    await ground.shell.write("~/a/b/file", "first")
    await ground.shell.write("~/a/b/file", data, mode=0o600)

    path = ground.home / "a/b/file"
    assert path.read_bytes() == data
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


async def test_a_link_is_replaced_and_not_written_through(ground: Ground) -> None:
    """Writing to a symbolic link leaves the file alone that it leads to."""
    (ground.home / "target").write_text("mine")
    (ground.home / "link").symlink_to(ground.home / "target")

    await ground.shell.write("~/link", "new")

    assert (ground.home / "target").read_text() == "mine"
    assert (ground.home / "link").read_text() == "new"


async def test_what_cannot_be_written_is_an_error(ground: Ground) -> None:
    """A directory in the way is told by the file's name."""
    (ground.home / "taken").mkdir()

    with pytest.raises(MachineError, match="taken cannot be written"):
        await ground.shell.write("~/taken", "text")

    assert list(ground.home.iterdir()) == [ground.home / "taken"]


async def test_many_files_are_written_at_once(ground: Ground) -> None:
    """Directories that some of them share are made once."""
    files = {f"~/new/{number % 3}/{number}.txt": f"{number}\n" for number in range(12)}

    await write_all(ground.shell, files, mode=0o600)

    for path, text in files.items():
        written = ground.home / path.removeprefix("~/")
        assert written.read_text() == text
        assert written.stat().st_mode & 0o777 == 0o600


async def test_one_file_of_many_that_cannot_be_written_is_an_error(ground: Ground) -> None:
    """It is told after the others have ended: nothing goes on in the background."""
    (ground.home / "taken").mkdir()
    files = {"~/taken": "a file", **{f"~/{number}.txt": "text" for number in range(3)}}

    with pytest.raises(MachineError, match="taken cannot be written"):
        await write_all(ground.shell, files)


async def test_a_part_of_a_file_is_read(ground: Ground) -> None:
    """A read begins at its offset and ends at its limit."""
    (ground.home / "file").write_bytes(b"0123456789")

    assert await ground.shell.read("~/file", limit=100) == b"0123456789"
    assert await ground.shell.read("~/file", limit=3, offset=4) == b"456"
    assert await ground.shell.read("~/file", limit=3, offset=40) == b""


@pytest.mark.parametrize("name", ["link", "fifo", "directory", "missing", "file/below"])
async def test_only_a_regular_file_is_read(ground: Ground, name: str) -> None:
    """What is no regular file reads as missing, and nothing waits for a FIFO's writer."""
    (ground.home / "file").write_text("secret")
    (ground.home / "link").symlink_to("file")
    (ground.home / "directory").mkdir()
    os.mkfifo(ground.home / "fifo")

    with pytest.raises(RemoteFileMissing):
        await ground.shell.read(f"~/{name}", limit=10)


async def test_a_file_is_looked_at(ground: Ground) -> None:
    """A look tells the size, the kind and the time, and None for what is not there."""
    (ground.home / "file").write_text("12345")
    (ground.home / "link").symlink_to("file")

    file = await ground.shell.stat("~/file")
    link = await ground.shell.stat("~/link")
    home = await ground.shell.stat("~")

    assert file is not None
    assert (file.size, file.is_directory, file.is_symlink) == (5, False, False)
    assert abs(file.modified - (ground.home / "file").stat().st_mtime) < 1
    assert link is not None
    assert link.is_symlink
    assert home is not None
    assert home.is_directory
    assert await ground.shell.stat("~/missing") is None
    assert await ground.shell.stat("~/file/below") is None


async def test_a_growing_file_is_followed_from_an_offset(ground: Ground) -> None:
    """Following waits for the file, begins at the offset and misses nothing."""
    path = ground.home / "log"
    async with aclosing(ground.shell.tail("~/log", offset=3)) as chunks:
        first = asyncio.create_task(anext(chunks))
        path.write_bytes(b"abcdef")
        chunk = await first
        assert (chunk.offset, chunk.data) == (3, b"def")
        with path.open("ab") as log:
            log.write(b"ghi")
        chunk = await anext(chunks)
        assert (chunk.offset, chunk.data) == (6, b"ghi")


async def test_a_large_file_is_followed_whole(ground: Ground) -> None:
    """A log of megabytes arrives in order and complete."""
    data = os.urandom(5_000_000)
    (ground.home / "log").write_bytes(data)

    got = b""
    async with aclosing(_chunks(ground.shell, "~/log")) as chunks:
        async for piece in chunks:
            got += piece
            if len(got) == len(data):
                break

    assert got == data


async def test_a_home_is_only_expanded_in_front(ground: Ground) -> None:
    """A tilde means the login's home at the beginning of a path, and nothing else anywhere."""
    assert await ground.shell.expand("~/x") == f"{ground.home}/x"
    assert await ground.shell.expand("~") == str(ground.home)
    assert await ground.shell.expand("/a/~/b") == "/a/~/b"


async def _chunks(shell: Shell, path: str) -> AsyncGenerator[bytes]:
    async with aclosing(shell.tail(path)) as chunks:
        async for chunk in chunks:
            yield chunk.data
