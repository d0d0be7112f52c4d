"""A shell on a machine that is reached by SSH."""

from __future__ import annotations

import asyncio
import posixpath
import secrets
import shlex
import signal
import stat as modes
import time
from contextlib import aclosing, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import asyncssh

from bot.errors import MachineError, MachineUnreachable, RemoteFileMissing
from bot.machines.base import DEFAULT_TIMEOUT, Completed, FileStat
from bot.machines.command import Command, Started, finish
from bot.machines.reaching import backoff, reaching

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from bot.machines.base import Chunk
    from bot.machines.connections import Connection

T = TypeVar("T")

PATIENCE = timedelta(minutes=1)
"""How long ``tail`` tries to reach a machine again before it gives up."""

_NO_FILE = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPNotADirectory)
_LOST = (
    OSError,
    asyncssh.DisconnectError,
    asyncssh.ChannelOpenError,
    asyncssh.SFTPConnectionLost,
    asyncssh.SFTPNoConnection,
    asyncssh.SFTPBadMessage,
)


class SshShell:
    """A ``Shell`` over the machine's one connection.

    ``env`` of a command becomes part of its argv, which everybody on the machine can read: it is
    for settings, never for secrets (those go through ``stdin`` or ``write``).
    """

    def __init__(self, connection: Connection, *, patience: timedelta = PATIENCE) -> None:
        """Work over this connection."""
        self._connection = connection
        self._patience = patience.total_seconds()

    @property
    def _name(self) -> str:
        return self._connection.machine.name

    async def run(
        self,
        *argv: str,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        timeout: timedelta = DEFAULT_TIMEOUT,  # noqa: ASYNC109 -- the remote command's own limit
        check: bool = True,
    ) -> Completed:
        """Run a command to its end; see ``Shell.run``."""
        command = Command(argv, cwd=cwd, env=env, stdin=stdin, timeout=timeout, check=check)
        line = shlex.join(command.wrapped())

        async def open_on(client: asyncssh.SSHClientConnection) -> asyncssh.SSHClientProcess[bytes]:
            return await client.create_process(line, encoding=None)

        async with self._connection.sessions:
            process = await self._connection.session(open_on)
            try:
                with reaching(self._name):
                    return await finish(command, _started(process, self._name))
            finally:
                process.close()

    async def write(self, path: str, data: bytes | str, *, mode: int = 0o644) -> None:
        """Write a whole file atomically; see ``Shell.write``."""
        target = await self.expand(path)
        content = data.encode() if isinstance(data, str) else data
        parent, name = posixpath.split(target)
        left: list[str] = []

        async def work(sftp: asyncssh.SFTPClient) -> None:
            for earlier in left:
                with suppress(asyncssh.Error, OSError):
                    await sftp.remove(earlier)
            temporary = posixpath.join(parent, f".{name[:100]}.{secrets.token_hex(8)}")
            left.append(temporary)
            try:
                file = await _create(sftp, temporary)
            except _NO_FILE:
                await sftp.makedirs(parent, exist_ok=True)
                file = await _create(sftp, temporary)
            try:
                async with file:
                    await file.write(content)
                await sftp.chmod(temporary, mode)
                await sftp.posix_rename(temporary, target)
            except asyncssh.SFTPError:
                with suppress(asyncssh.Error, OSError):
                    await sftp.remove(temporary)
                raise

        await self._files(work, what=f"{name} cannot be written")

    async def read(self, path: str, *, limit: int, offset: int = 0) -> bytes:
        """Read a regular file, or a part of it; see ``Shell.read``."""
        target = await self.expand(path)

        async def work(sftp: asyncssh.SFTPClient) -> bytes:
            file = await _open_regular(sftp, target)
            try:
                return await _piece(file, limit=limit, offset=offset)
            finally:
                await file.close()

        return await self._files(work, what=f"{posixpath.basename(path)} cannot be read")

    async def stat(self, path: str) -> FileStat | None:
        """Look at a file; see ``Shell.stat``."""
        target = await self.expand(path)

        async def work(sftp: asyncssh.SFTPClient) -> FileStat | None:
            try:
                return _stat(await sftp.lstat(target))
            except _NO_FILE:
                return None

        return await self._files(work, what=f"{posixpath.basename(path)} cannot be looked at")

    async def tail(self, path: str, *, offset: int = 0) -> AsyncGenerator[Chunk]:
        """Follow a file, over lost connections too; see ``Shell.tail``.

        Raise MachineUnreachable when the machine stays away for longer than the patience.
        """
        target = await self.expand(path)
        attempt = 0
        lost: float | None = None
        while True:
            try:
                follower = await self._connection.followers.open()
                attempt, lost = 0, None
                async with aclosing(follower.follow(target, offset)) as chunks:
                    async for chunk in chunks:
                        offset = chunk.offset + len(chunk.data)
                        yield chunk
            except MachineUnreachable:
                lost = time.monotonic() if lost is None else lost
                if time.monotonic() - lost > self._patience:
                    raise
            await asyncio.sleep(backoff(attempt))
            attempt += 1

    async def expand(self, path: str) -> str:
        """Return the path with the login's home; see ``Shell.expand``."""
        if path != "~" and not path.startswith("~/"):
            return path
        if self._connection.home is None:
            told = await self.run("printenv", "HOME")
            self._connection.home = told.stdout.removesuffix("\n")
        return self._connection.home + path[1:]

    async def forward(self, port: int, *, remote_port: int = 0) -> int:
        """Let the machine reach a port of ours; see ``Shell.forward``.

        It is opened again after a reconnection, with the same port on the machine.
        """
        return await self._connection.forwards.open(port, remote_port=remote_port)

    async def _files(self, work: Callable[[asyncssh.SFTPClient], Awaitable[T]], *, what: str) -> T:
        """Do something over SFTP that may be done twice: once more when the session is lost."""
        for is_last in (False, True):
            sftp = await self._connection.sftp()
            try:
                return await work(sftp)
            except _LOST as error:
                self._connection.forget(sftp)
                if is_last:
                    raise MachineUnreachable(f"machine {self._name} does not answer") from error
            except asyncssh.SFTPError as error:
                raise MachineError(f"machine {self._name}: {what}: {error.reason}") from error
        raise AssertionError("not reached")


def _started(process: asyncssh.SSHClientProcess[bytes], machine: str) -> Started:
    async def ended() -> int:
        await process.wait_closed()
        if process.exit_signal is not None:
            return 128 + signal.Signals[f"SIG{process.exit_signal[0]}"]
        if process.exit_status is None:
            raise MachineUnreachable(f"machine {machine} was lost while a command ran")
        return process.exit_status

    return Started(process.stdin, process.stdout, process.stderr, ended)


async def _create(sftp: asyncssh.SFTPClient, path: str) -> asyncssh.SFTPClientFile:
    private = asyncssh.SFTPAttrs(permissions=0o600)
    return await sftp.open(path, "xb", private, encoding=None)


async def _open_regular(sftp: asyncssh.SFTPClient, path: str) -> asyncssh.SFTPClientFile:
    """Open what is a regular file before it and after it: SFTP knows no O_NOFOLLOW."""
    name = posixpath.basename(path)
    try:
        _require_regular(await sftp.lstat(path), name)
        file = await sftp.open(path, "rb", encoding=None)
    except _NO_FILE as error:
        raise RemoteFileMissing(f"{name} is not there") from error
    try:
        _require_regular(await file.stat(), name)
    except BaseException:
        await file.close()
        raise
    return file


def _require_regular(attributes: asyncssh.SFTPAttrs, name: str) -> None:
    if not modes.S_ISREG(attributes.permissions or 0):
        raise RemoteFileMissing(f"{name} is not a regular file")


async def _piece(file: asyncssh.SFTPClientFile, *, limit: int, offset: int) -> bytes:
    """Read what the file holds now: asyncssh's parallel reads leave holes beyond its end."""
    size = (await file.stat()).size or 0
    length = min(limit, size - offset)
    if length <= 0:
        return b""
    data: bytes = await file.read(length, offset)
    return data


def _stat(attributes: asyncssh.SFTPAttrs) -> FileStat:
    permissions = attributes.permissions or 0
    return FileStat(
        size=attributes.size or 0,
        is_directory=modes.S_ISDIR(permissions),
        is_symlink=modes.S_ISLNK(permissions),
        modified=float(attributes.mtime or 0),
    )
