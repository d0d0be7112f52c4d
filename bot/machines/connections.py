"""The connections: one to each machine, shared by everything that talks to it, re-opened on demand.

The machine's pinned host key and the configured private key are all that counts: no
``~/.ssh/config``, no agent, no other key, no agent forwarding.
"""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import asyncssh
import structlog

from bot.errors import MachineUnreachable
from bot.machines.followers import Followers
from bot.machines.forwards import Forwards
from bot.machines.reaching import is_lost, reaching

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.settings import MachineSettings

CONNECTED = "machine_connected"

MAX_SESSIONS = 8
"""Commands at once over one connection; sshd takes 10 sessions, with SFTP and the follower."""

Session = TypeVar("Session")

_SESSION_ATTEMPTS = 5
_FIRST_CIPHERS = "^aes256-gcm@openssh.com,aes128-gcm@openssh.com"
"""Before the others: asyncssh needs a sixth of the time that it has with chacha20-poly1305."""
_CONNECT_TIMEOUT = 15
_KEEPALIVE = timedelta(seconds=10)
_KEEPALIVES_MISSED = 3
"""A connection that died unnoticed is noticed when a fourth question is due: within a minute."""
_KEY_LINE = re.compile(r"(ssh|ecdsa|sk)-\S+\s+\S+")

_log = structlog.stdlib.get_logger(__name__)


class Connection:
    """The one connection to a machine."""

    def __init__(self, machine: MachineSettings, *, keepalive: timedelta = _KEEPALIVE) -> None:
        """Know the machine; nothing connects yet."""
        self._keepalive = keepalive.total_seconds()
        self.machine = machine
        self.sessions = asyncio.Semaphore(MAX_SESSIONS)
        self.home: str | None = None
        """The login's home directory, once it is known."""
        self._client: asyncssh.SSHClientConnection | None = None
        self._opening: asyncio.Task[asyncssh.SSHClientConnection] | None = None
        self._sftp: asyncssh.SFTPClient | None = None
        self._sftp_on: asyncssh.SSHClientConnection | None = None
        self._sftp_lock = asyncio.Lock()
        self.followers = Followers(self)
        self.forwards = Forwards(self)

    async def client(self) -> asyncssh.SSHClientConnection:
        """Return the living connection, opened (again) when there is none."""
        if self._client is not None and not self._client.is_closed():
            return self._client
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
            self._opening.add_done_callback(self._opened)
        return await asyncio.shield(self._opening)

    async def session(
        self, open_on: Callable[[asyncssh.SSHClientConnection], Awaitable[Session]]
    ) -> Session:
        """Open a session, on a new connection when the old one was dead without anybody knowing.

        Raise MachineUnreachable when the machine does not answer, or refuses one more session.
        """
        for attempt in range(_SESSION_ATTEMPTS):
            client = await self.client()
            try:
                return await open_on(client)
            except asyncssh.ChannelOpenError as error:
                # Nothing was begun. The connection is lost, or sshd has not tidied up after the
                # sessions that have just ended: both pass.
                if not await is_lost(client) and attempt == _SESSION_ATTEMPTS - 1:
                    message = f"machine {self.machine.name} refuses one more session"
                    raise MachineUnreachable(message) from error
            except (OSError, asyncssh.Error) as error:
                raise MachineUnreachable(f"machine {self.machine.name} does not answer") from error
        raise MachineUnreachable(f"machine {self.machine.name} does not answer")

    async def sftp(self) -> asyncssh.SFTPClient:
        """Return the SFTP session of the living connection, shared by all."""
        client = await self.client()
        async with self._sftp_lock:
            if self._sftp is None or self._sftp_on is not client:
                self._sftp = await self.session(asyncssh.SSHClientConnection.start_sftp_client)
                self._sftp_on = self._client
            return self._sftp

    def forget(self, sftp: asyncssh.SFTPClient) -> None:
        """Open another SFTP session next time: this one is lost."""
        if self._sftp is sftp:
            self._sftp = None

    async def close(self) -> None:
        """End the connection, and whatever goes over it."""
        await self.forwards.close()
        await self.followers.close()
        if self._opening is not None:
            self._opening.cancel()
            await asyncio.wait({self._opening})
        if self._client is not None:
            self._client.abort()
            await self._client.wait_closed()

    async def _open(self) -> asyncssh.SSHClientConnection:
        machine = self.machine
        known_hosts = await asyncio.to_thread(_known_hosts, machine)
        key = await asyncio.to_thread(_private_key, machine)
        with reaching(machine.name):
            self._client = await asyncssh.connect(
                machine.host,
                machine.port,
                config=None,
                username=machine.user,
                client_keys=[key],
                known_hosts=known_hosts,
                preferred_auth="publickey",
                agent_path=None,
                agent_forwarding=False,
                encryption_algs=_FIRST_CIPHERS,
                keepalive_interval=self._keepalive,
                keepalive_count_max=_KEEPALIVES_MISSED,
                connect_timeout=_CONNECT_TIMEOUT,
                login_timeout=_CONNECT_TIMEOUT,
            )
        _log.info(CONNECTED, machine=machine.name)
        return self._client

    def _opened(self, task: asyncio.Task[asyncssh.SSHClientConnection]) -> None:
        self._opening = None
        if not task.cancelled():
            task.exception()  # whoever waited has it; without a waiter it is of no interest


class Connections:
    """The connections to all machines."""

    def __init__(self, *, keepalive: timedelta = _KEEPALIVE) -> None:
        """Know no machine yet; ask whether one is there so often."""
        self._keepalive = keepalive
        self._connections: dict[str, Connection] = {}

    def to(self, machine: MachineSettings) -> Connection:
        """Return the connection to a machine; it opens when it is used."""
        return self._connections.setdefault(
            machine.name, Connection(machine, keepalive=self._keepalive)
        )

    async def close(self) -> None:
        """End every connection."""
        closing = [connection.close() for connection in self._connections.values()]
        self._connections.clear()
        await asyncio.gather(*closing)


def _known_hosts(machine: MachineSettings) -> asyncssh.SSHKnownHosts:
    """Read the pinned keys, written out or in a file, without the operator's own known hosts."""
    text = machine.known_hosts.strip()
    try:
        if not _KEY_LINE.match(text):
            return asyncssh.import_known_hosts(Path(text).expanduser().read_text())
        lines = [f"* {line.strip()}" for line in text.splitlines() if line.strip()]
        return asyncssh.import_known_hosts("\n".join(lines))
    except (OSError, ValueError) as error:
        message = f"machine {machine.name}: its pinned host key cannot be read (known_hosts)"
        raise MachineUnreachable(message) from error


def _private_key(machine: MachineSettings) -> asyncssh.SSHKey:
    try:
        return asyncssh.read_private_key(machine.key.expanduser())
    except (OSError, asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
        message = f"machine {machine.name}: the private key cannot be read (key)"
        raise MachineUnreachable(message) from error
