"""A shell on the machine that ptq itself runs on."""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import stat as modes
from asyncio.subprocess import Process, SubprocessStreamProtocol
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import MachineError, RemoteFileMissing
from bot.machines.base import DEFAULT_TIMEOUT, Chunk, Completed, FileStat
from bot.machines.command import Command, Started, finish
from bot.machines.relays import Relays

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping
    from datetime import timedelta

_PIECE = 1 << 18
_POLLS = (0.05, 0.1, 0.2, 0.4)
"""Seconds between two looks at a file that does not grow."""

_NO_FILE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO}

_PASSED_ON = frozenset(
    {
        *("HOME", "PATH", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TMPDIR"),
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        *("GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS", "LD_LIBRARY_PATH", "IS_SANDBOX"),
    }
)
_PASSED_ON_PREFIXES = ("LC_", "XDG_", "UV_", "PIP_", "CUDA_", "NVIDIA_", "PYENV_")
_PUBLISHING = ("UV_PUBLISH_",)


def login_environment(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return what a login would have of the bot's own environment: none of ptq's secrets."""
    own = os.environ if variables is None else variables
    return {
        name: value
        for name, value in own.items()
        if name.upper() in _PASSED_ON
        or (name.startswith(_PASSED_ON_PREFIXES) and not name.startswith(_PUBLISHING))
    }


class LocalShell:
    """A ``Shell`` without a network between."""

    def __init__(
        self, environment: Mapping[str, str] | None = None, *, relays: Relays | None = None
    ) -> None:
        """Start commands with this environment; default: a login's."""
        self._relays = Relays() if relays is None else relays
        self._environment = login_environment() if environment is None else dict(environment)
        self._home = self._environment.get("HOME") or "/"

    async def run(
        self,
        *argv: str,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        timeout: timedelta = DEFAULT_TIMEOUT,  # noqa: ASYNC109 -- the command's own limit
        check: bool = True,
    ) -> Completed:
        """Run a command to its end; see ``Shell.run``."""
        command = Command(argv, cwd=cwd, env=env, stdin=stdin, timeout=timeout, check=check)
        loop = asyncio.get_running_loop()
        try:
            transport, protocol = await loop.subprocess_exec(
                lambda: SubprocessStreamProtocol(_PIECE, loop),
                *command.wrapped(),
                cwd=self._home,
                env=self._environment,
                start_new_session=True,
            )
        except OSError as error:
            raise MachineError(f"{argv[0]} cannot be started: {error.strerror}") from error
        try:
            return await finish(command, _started(Process(transport, protocol, loop)))
        finally:
            transport.close()  # what left the command's group may hold its output still

    async def write(self, path: str, data: bytes | str, *, mode: int = 0o644) -> None:
        """Write a whole file atomically; see ``Shell.write``."""
        target = Path(await self.expand(path))
        content = data.encode() if isinstance(data, str) else data
        try:
            await asyncio.to_thread(_write, target, content, mode)
        except OSError as error:
            raise MachineError(f"{target.name} cannot be written: {error.strerror}") from error

    async def read(self, path: str, *, limit: int, offset: int = 0) -> bytes:
        """Read a regular file, or a part of it; see ``Shell.read``."""
        return await asyncio.to_thread(_read, await self.expand(path), limit, offset)

    async def stat(self, path: str) -> FileStat | None:
        """Look at a file; see ``Shell.stat``."""
        target = Path(await self.expand(path))
        try:
            found = await asyncio.to_thread(target.lstat)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise MachineError(f"{target.name} cannot be looked at: {error.strerror}") from error
        return FileStat(
            size=found.st_size,
            is_directory=modes.S_ISDIR(found.st_mode),
            is_symlink=modes.S_ISLNK(found.st_mode),
            modified=found.st_mtime,
        )

    async def tail(self, path: str, *, offset: int = 0) -> AsyncGenerator[Chunk]:
        """Follow a file; see ``Shell.tail``."""
        target = await self.expand(path)
        idle = 0
        while True:
            there = await self.stat(target) is not None
            data = await asyncio.to_thread(_read, target, _PIECE, offset) if there else b""
            if data:
                yield Chunk(offset, data)
                offset += len(data)
                idle = 0
                continue
            await asyncio.sleep(_POLLS[min(idle, len(_POLLS) - 1)])
            idle += 1

    async def expand(self, path: str) -> str:
        """Return the path with the login's home; see ``Shell.expand``."""
        if path != "~" and not path.startswith("~/"):
            return path
        return self._home + path[1:]

    async def forward(self, port: int, *, remote_port: int = 0) -> int:
        """Let the machine reach a port of ours; see ``Shell.forward``.

        The machine's loopback is ours: another port than ``port`` is relayed to it.
        """
        if remote_port in {0, port}:
            return port
        return await self._relays.open(port, remote_port=remote_port)


def _started(process: Process) -> Started:
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise AssertionError("a process with pipes")

    async def ended() -> int:
        exit_status = await process.wait()
        return 128 - exit_status if exit_status < 0 else exit_status

    return Started(process.stdin, process.stdout, process.stderr, ended)


def _write(target: Path, content: bytes, mode: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(descriptor, mode)
        temporary.replace(target)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise


def _read(path: str, limit: int, offset: int) -> bytes:
    name = Path(path).name
    try:
        # O_NONBLOCK: opening a FIFO would wait for its writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in _NO_FILE:
            raise RemoteFileMissing(f"{name} is not there, or not a regular file") from error
        raise MachineError(f"{name} cannot be read: {error.strerror}") from error
    if not modes.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise RemoteFileMissing(f"{name} is not a regular file")
    with os.fdopen(descriptor, "rb") as file:
        file.seek(offset)
        return file.read(limit)
