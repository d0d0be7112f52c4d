"""The files of a machine in the process: this computer's own, over SFTP."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, BinaryIO, ParamSpec, TypeVar, cast

import asyncssh
from typing_extensions import override

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")


class Files(asyncssh.SFTPServer):
    """The computer's files, by absolute path; each call in a thread, one after the other."""

    def __init__(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        super().__init__(chan)  # pyright: ignore[reportUnknownMemberType] -- the channel is generic without saying so
        self._lock = asyncio.Lock()

    async def _call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        async with self._lock:
            return await asyncio.to_thread(work, *args, **kwargs)

    @override
    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        opening = asyncio.ensure_future(self._call(super().open, path, pflags, attrs))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            # The connection is gone, and the thread opens the file all the same.
            opening.add_done_callback(_close)
            raise

    @override
    async def close(self, file_obj: object) -> None:
        await self._call(super().close, file_obj)

    @override
    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        data = await self._call(super().read, file_obj, offset, size)
        return cast("bytes", data)

    @override
    async def write(self, file_obj: object, offset: int, data: bytes) -> int:
        return cast("int", await self._call(super().write, file_obj, offset, data))

    @override
    async def lstat(self, path: bytes) -> asyncssh.SFTPAttrs | os.stat_result:
        return cast("os.stat_result", await self._call(super().lstat, path))

    @override
    async def stat(self, path: bytes) -> asyncssh.SFTPAttrs | os.stat_result:
        return cast("os.stat_result", await self._call(super().stat, path))

    @override
    async def fstat(self, file_obj: object) -> asyncssh.SFTPAttrs | os.stat_result:
        return cast("os.stat_result", await self._call(super().fstat, file_obj))

    @override
    async def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        await self._call(super().setstat, path, attrs)

    @override
    async def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        await self._call(super().mkdir, path, attrs)

    @override
    async def remove(self, path: bytes) -> None:
        await self._call(super().remove, path)

    @override
    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        await self._call(super().posix_rename, oldpath, newpath)


def _close(opened: asyncio.Future[object]) -> None:
    if not opened.cancelled() and opened.exception() is None:
        cast("BinaryIO", opened.result()).close()
