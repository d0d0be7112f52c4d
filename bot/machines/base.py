"""The two ports to machines: who lends them, and the shell on one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from bot.models import GpuRequest, LeaseId, Offer, Reservation

DEFAULT_TIMEOUT = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Completed:
    """A command that ended."""

    argv: tuple[str, ...]
    exit_status: int
    """As a shell tells it: 128 + N for signal N."""
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class FileStat:
    """What is known of a file without reading it."""

    size: int
    is_directory: bool
    is_symlink: bool
    modified: float
    """Seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a followed file."""

    offset: int
    """Where ``data`` begins in the file, in bytes."""
    data: bytes


class Shell(Protocol):
    """Commands and files on one machine, over SSH or in a local process.

    A command is argv, never a shell string. Every path is absolute or begins with ``~/``. All
    methods raise MachineUnreachable when the machine does not answer.
    """

    async def run(
        self,
        *argv: str,
        cwd: str | None = None,
        env: Mapping[str, str] | None = None,
        stdin: bytes | None = None,
        timeout: timedelta = DEFAULT_TIMEOUT,  # noqa: ASYNC109 -- the remote command's own limit
        check: bool = True,
    ) -> Completed:
        """Run a command to its end.

        ``env`` is added to the login's environment. Raise CommandFailed on a non-zero exit status
        when ``check``, CommandTimedOut when it outran ``timeout`` (it is ended then).
        """
        ...

    async def write(self, path: str, data: bytes | str, *, mode: int = 0o644) -> None:
        """Write a whole file atomically; missing parent directories are made."""
        ...

    async def read(self, path: str, *, limit: int, offset: int = 0) -> bytes:
        """Return at most ``limit`` bytes from ``offset``; raise RemoteFileMissing.

        Only regular files are read; symbolic links are not followed.
        """
        ...

    async def stat(self, path: str) -> FileStat | None:
        """Return what is there (of a link, the link itself), or None."""
        ...

    def tail(self, path: str, *, offset: int = 0) -> AsyncGenerator[Chunk]:
        """Follow a growing file from a byte offset until the caller stops; waits for the file."""
        ...

    async def expand(self, path: str) -> str:
        """Return ``path`` with a leading ``~`` as the login's home directory."""
        ...

    async def forward(self, port: int, *, remote_port: int = 0) -> int:
        """Let the machine reach ``127.0.0.1:port`` of the bot; return the machine's loopback port.

        It holds while the connection does; ``remote_port`` 0 lets the machine choose.
        """
        ...


class MachineProvider(Protocol):
    """Who lends machines; every call may be repeated with the same lease id."""

    @property
    def name(self) -> str:
        """How the settings call it."""
        ...

    @property
    def offers(self) -> Sequence[Offer] | None:
        """The machines whose slots the queue lends; None when the provider has its own queue."""
        ...

    def check(self, request: GpuRequest) -> None:
        """Raise NoMachine (``final``) for what could never be lent."""
        ...

    async def reserve(self, lease_id: LeaseId, request: GpuRequest) -> Reservation:
        """Reserve a machine, or find what this lease id reserved before.

        Raise NoMachine when nothing is free (``final`` when nothing ever fits), and MachineError
        for a lease that was released before: a released lease never comes back to life.
        """
        ...

    async def look_up(self, lease_id: LeaseId) -> Reservation | None:
        """Return the live reservation of a lease, or None."""
        ...

    async def extend(self, lease_id: LeaseId, until: datetime) -> Reservation:
        """Move the reservation's end; raise MachineError when it is gone."""
        ...

    async def release(self, lease_id: LeaseId) -> None:
        """Give the machine back; fine when it was never reserved or is released already."""
        ...

    def shell(self, reservation: Reservation) -> AbstractAsyncContextManager[Shell]:
        """Open a shell on the reserved machine; connections are shared and re-opened."""
        ...

    async def close(self) -> None:
        """Close every connection; reservations stay."""
        ...
