"""A machine in the process: an SSH server whose commands and files are this computer's own.

The login's home is a directory of its own. It takes one key, and its host key is pinned.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, Self

import asyncssh

from bot.settings import MachineSettings
from tests.fakes.machine_files import Files

if TYPE_CHECKING:
    from collections.abc import Awaitable
    from pathlib import Path
    from types import TracebackType

_PIECE = 1 << 16
_LOOPBACK = "127.0.0.1"
_TIDYING = 2.0
"""Seconds that what a killed command started has to end by itself."""
_PASSED_ON = ("PATH", "LANG", "PIP_FIND_LINKS", "PYENV_ROOT", "IS_SANDBOX", "SSL_CERT_FILE")


def new_key() -> asyncssh.SSHKey:
    """Return a new key pair, for a host or a login."""
    return asyncssh.generate_private_key("ssh-ed25519")  # pyright: ignore[reportUnknownMemberType] -- its **kwargs have no type


class Reader(Protocol):
    """Where bytes come from."""

    async def read(self, n: int = -1, /) -> bytes:
        """Return some, or none at the end."""
        ...


class _Writer(Protocol):
    def write(self, data: bytes, /) -> object: ...

    async def drain(self) -> None: ...


class FakeMachine:
    """A machine to reach by SSH; ``async with`` starts it and ends all that it started."""

    def __init__(
        self,
        directory: Path,
        *,
        name: str = "machine",
        gpu_type: str = "cpu",
        gpus: int = 0,
        slots: int = 1,
        environment: dict[str, str] | None = None,
    ) -> None:
        """Keep the login's home and the keys under ``directory``."""
        self.directory = directory
        self.home = directory / "home"
        self.name = name
        self.commands: list[str] = []
        """Every command line that was started, oldest first."""
        self.connections = 0
        """How often somebody logged in."""
        self._offer = {"gpu_type": gpu_type, "gpus": gpus, "slots": slots}
        self._environment = {
            **{key: os.environ[key] for key in _PASSED_ON if key in os.environ},
            **(environment or {}),
            "HOME": str(self.home),
        }
        self._host_key = new_key()
        self._key = new_key()
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._port = 0
        self._clients: set[asyncssh.SSHServerConnection] = set()
        self._processes: dict[asyncio.subprocess.Process, asyncio.Event] = {}

    @property
    def settings(self) -> MachineSettings:
        """How the pool's settings name this machine."""
        return MachineSettings.model_validate(
            {
                "name": self.name,
                "host": _LOOPBACK,
                "port": self._port,
                "user": "ptq",
                "key": self._key_file,
                "known_hosts": self._host_key.export_public_key().decode().strip(),
                **self._offer,
            }
        )

    @property
    def _key_file(self) -> Path:
        return self.directory / "id_ed25519"

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self._make_directory)
        await self.accept()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.refuse()
        await self.drop_connections()
        for process, said in list(self._processes.items()):
            await _end(process, said)

    async def accept(self) -> None:
        """Take connections (again), on the same port."""
        authorized = asyncssh.import_authorized_keys(self._key.export_public_key().decode())
        self._acceptor = await asyncssh.listen(
            _LOOPBACK,
            self._port,
            server_factory=lambda: _Server(self),
            server_host_keys=[self._host_key],
            authorized_client_keys=authorized,
            process_factory=self._run,
            sftp_factory=Files,
            encoding=None,
            line_editor=False,
            allow_pty=False,
            agent_forwarding=False,
            config=None,
        )
        self._port = self._acceptor.get_port()

    async def refuse(self) -> None:
        """Take no more connections; those that stand stay."""
        if self._acceptor is not None:
            self._acceptor.close()
            await self._acceptor.wait_closed()
            self._acceptor = None

    async def drop_connections(self) -> None:
        """Cut every connection, as a broken network does."""
        clients = list(self._clients)
        for client in clients:
            client.abort()
        for client in clients:
            await client.wait_closed()

    def joined(self, client: asyncssh.SSHServerConnection) -> None:
        """Somebody connected."""
        self.connections += 1
        self._clients.add(client)

    def heard(self, line: str, stdin: Reader) -> Reader:  # noqa: ARG002 -- for who wants to know
        """Return what a command of this line reads its input from."""
        return stdin

    def left(self, client: asyncssh.SSHServerConnection) -> None:
        """Somebody is gone."""
        self._clients.discard(client)

    def _make_directory(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self._key_file.write_bytes(self._key.export_private_key())
        self._key_file.chmod(0o600)

    async def _run(self, session: asyncssh.SSHServerProcess[bytes]) -> None:
        """Run one command as sshd does: by a shell, in a session of its own."""
        line = session.command or ""
        self.commands.append(line)
        process = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            line,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=self.home,
            env=self._environment,
            start_new_session=True,
        )
        said = self._processes[process] = asyncio.Event()
        try:
            await _connect(session, process, self.heard(session.command or "", session.stdin))
        finally:
            del self._processes[process]
            said.set()


class _Server(asyncssh.SSHServer):
    def __init__(self, machine: FakeMachine) -> None:
        self._machine = machine
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        self._machine.joined(conn)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncssh's signature
        if self._connection is not None:
            self._machine.left(self._connection)

    def server_requested(
        self, listen_host: str, listen_port: int
    ) -> bool | Awaitable[asyncssh.SSHListener]:
        connection = self._connection
        if listen_host != _LOOPBACK or connection is None:
            return False
        return self._listen(connection, listen_port)

    async def _listen(
        self, connection: asyncssh.SSHServerConnection, port: int
    ) -> asyncssh.SSHListener:
        """Listen as asyncssh would, and no longer than the connection stands."""
        listening = asyncio.ensure_future(
            connection.forward_local_port(_LOOPBACK, port, _LOOPBACK, port)
        )
        try:
            listener = await asyncio.shield(listening)
        except asyncio.CancelledError:
            # The connection is gone, and the port is opened all the same.
            listening.add_done_callback(_close_listener)
            raise
        if connection.is_closed():
            listener.close()
        return listener


def _close_listener(listening: asyncio.Future[asyncssh.SSHListener]) -> None:
    if not listening.cancelled() and listening.exception() is None:
        listening.result().close()


async def _connect(
    session: asyncssh.SSHServerProcess[bytes],
    process: asyncio.subprocess.Process,
    stdin: Reader,
) -> None:
    """Join the streams of the session and the process until the process has said everything."""
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise AssertionError("a process with pipes")
    feeding = asyncio.create_task(_feed(stdin, process.stdin))
    try:
        await asyncio.gather(
            _copy(process.stdout, session.stdout), _copy(process.stderr, session.stderr)
        )
        await process.communicate()  # what nobody took is read, so that its writer can end
        exit_status = await process.wait()
    finally:
        feeding.cancel()
        await asyncio.wait({feeding})
        process.stdin.close()
    if exit_status < 0:
        session.exit_with_signal(signal.Signals(-exit_status).name.removeprefix("SIG"))
    else:
        session.exit(exit_status)


async def _feed(source: Reader, target: asyncio.StreamWriter) -> None:
    try:
        await _copy(source, target)
    finally:
        target.close()


async def _copy(source: Reader, target: _Writer) -> None:
    """Copy until the end, or until nobody is there to read it."""
    try:
        while data := await source.read(_PIECE):
            target.write(data)
            await target.drain()
    except (OSError, asyncssh.Error):
        return


async def _end(process: asyncio.subprocess.Process, said: asyncio.Event) -> None:
    """End a command, and wait until its streams are closed."""
    if process.returncode is None:
        process.kill()
    try:
        await asyncio.wait_for(said.wait(), _TIDYING)
    except TimeoutError:
        # A child that waits to be heard holds the streams open; others tidy up for themselves.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await said.wait()
