"""A machine in the process: an SSH server whose commands and files are this computer's own.

The login's home is a directory of its own. It takes one key, and its host key is pinned.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, ParamSpec, Protocol, Self, TypeVar, cast

import asyncssh

from bot.settings import MachineSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

P = ParamSpec("P")
T = TypeVar("T")

_PIECE = 1 << 16
_LOOPBACK = "127.0.0.1"
_TIDYING = 2.0
"""Seconds that what a killed command started has to end by itself."""
_PASSED_ON = ("PATH", "LANG", "PIP_FIND_LINKS", "PYENV_ROOT", "IS_SANDBOX", "SSL_CERT_FILE")


def new_key() -> asyncssh.SSHKey:
    """Return a new key pair, for a host or a login."""
    return asyncssh.generate_private_key("ssh-ed25519")  # pyright: ignore[reportUnknownMemberType] -- its **kwargs have no type


class _Reader(Protocol):
    async def read(self, n: int = -1, /) -> bytes: ...


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
            sftp_factory=_Files,
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
            await _connect(session, process)
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

    def server_requested(self, listen_host: str, listen_port: int) -> bool:  # noqa: ARG002 -- asyncssh's signature
        return listen_host == _LOOPBACK


class _Files(asyncssh.SFTPServer):
    """The computer's files, by absolute path; each call in a thread, one after the other."""

    def __init__(self, chan: asyncssh.SSHServerChannel[bytes]) -> None:
        super().__init__(chan)  # pyright: ignore[reportUnknownMemberType] -- the channel is generic without saying so
        self._lock = asyncio.Lock()

    async def _call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        async with self._lock:
            return await asyncio.to_thread(work, *args, **kwargs)

    async def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        opening = asyncio.ensure_future(self._call(super().open, path, pflags, attrs))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            # The connection is gone, and the thread opens the file all the same.
            opening.add_done_callback(_close)
            raise

    async def close(self, file_obj: object) -> None:
        await self._call(super().close, file_obj)

    async def read(self, file_obj: object, offset: int, size: int) -> bytes:
        data = await self._call(super().read, file_obj, offset, size)
        return cast("bytes", data)

    async def write(self, file_obj: object, offset: int, data: bytes) -> int:
        return cast("int", await self._call(super().write, file_obj, offset, data))

    async def lstat(self, path: bytes) -> asyncssh.SFTPAttrs | os.stat_result:
        return cast("os.stat_result", await self._call(super().lstat, path))

    async def stat(self, path: bytes) -> asyncssh.SFTPAttrs | os.stat_result:
        return cast("os.stat_result", await self._call(super().stat, path))

    async def fstat(self, file_obj: object) -> asyncssh.SFTPAttrs | os.stat_result:
        return cast("os.stat_result", await self._call(super().fstat, file_obj))

    async def setstat(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        await self._call(super().setstat, path, attrs)

    async def mkdir(self, path: bytes, attrs: asyncssh.SFTPAttrs) -> None:
        await self._call(super().mkdir, path, attrs)

    async def remove(self, path: bytes) -> None:
        await self._call(super().remove, path)

    async def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        await self._call(super().posix_rename, oldpath, newpath)


def _close(opened: asyncio.Future[object]) -> None:
    if not opened.cancelled() and opened.exception() is None:
        cast("BinaryIO", opened.result()).close()


async def _connect(
    session: asyncssh.SSHServerProcess[bytes], process: asyncio.subprocess.Process
) -> None:
    """Join the streams of the session and the process until the process has said everything."""
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise AssertionError("a process with pipes")
    feeding = asyncio.create_task(_feed(session.stdin, process.stdin))
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


async def _feed(source: _Reader, target: asyncio.StreamWriter) -> None:
    try:
        await _copy(source, target)
    finally:
        target.close()


async def _copy(source: _Reader, target: _Writer) -> None:
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
