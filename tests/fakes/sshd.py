"""A real OpenSSH server on loopback, with its own configuration, host key and home directory."""

from __future__ import annotations

import asyncio
import getpass
import os
import shutil
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from bot.settings import MachineSettings
from tests.fakes.machine import FakeMachine, new_key
from tests.fakes.processes import gone

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

_LOOPBACK = "127.0.0.1"
_PLACES = "/usr/sbin:/usr/local/sbin:/usr/bin"


def sshd_program() -> str | None:
    """Return where OpenSSH's server is installed, or None."""
    return shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:{_PLACES}")


class RealSshd:
    """A machine to reach by OpenSSH; ``async with`` starts it and ends all that it started."""

    def __init__(
        self,
        directory: Path,
        *,
        name: str = "machine",
        environment: Mapping[str, str] | None = None,
        force: Path | None = None,
    ) -> None:
        """Keep the login's home, keys and configuration under ``directory``.

        ``environment`` is what every session has beside HOME; ``force`` is a program that is run
        instead of every command, which it finds in ``SSH_ORIGINAL_COMMAND``.
        """
        self._force = force
        self.directory = directory
        self.home = directory / "home"
        self.name = name
        self._environment = {"HOME": str(self.home), **(environment or {})}
        self._port = 0
        self._process: asyncio.subprocess.Process | None = None
        self._serving: set[int] = set()
        self._ending: list[tuple[asyncio.subprocess.Process, asyncio.Task[None]]] = []
        self._host_key = new_key()
        self._key = new_key()

    @property
    def settings(self) -> MachineSettings:
        """How the pool's settings name this machine."""
        return MachineSettings(
            name=self.name,
            host=_LOOPBACK,
            port=self._port,
            user=getpass.getuser(),
            key=self.directory / "id_ed25519",
            known_hosts=self._host_key.export_public_key().decode().strip(),
            gpu_type="cpu",
            gpus=0,
        )

    async def __aenter__(self) -> Self:
        self._port = _free_port()
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
        for process, reading in self._ending:
            await process.wait()
            await reading

    async def accept(self) -> None:
        """Take connections (again), on the same port; RuntimeError when sshd does not start."""
        program = await asyncio.to_thread(sshd_program)
        if program is None:
            raise RuntimeError("OpenSSH's server is not installed")
        self._process = await asyncio.create_subprocess_exec(
            str(await asyncio.to_thread(Path(program).resolve)),
            *("-D", "-e", "-f", str(self.directory / "sshd_config")),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        if self._process.stderr is None:
            raise AssertionError("a process with pipes")
        said = b""
        while line := await self._process.stderr.readline():
            said += line
            if b"Server listening" in line:
                reading = asyncio.create_task(_read_all(self._process.stderr))
                self._ending.append((self._process, reading))
                return
        raise RuntimeError(f"sshd did not start: {said.decode(errors='replace')}")

    async def refuse(self) -> None:
        """Take no more connections; those that stand stay."""
        if self._process is None:
            return
        self._serving |= await asyncio.to_thread(_children, self._process.pid)
        self._process.terminate()
        await gone(self._process.pid)
        self._process = None

    async def drop_connections(self) -> None:
        """Cut every connection, as a broken network does."""
        if self._process is not None:
            self._serving |= await asyncio.to_thread(_children, self._process.pid)
        for pid in self._serving:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pid in self._serving:
            await gone(pid)
        self._serving.clear()

    def _make_directory(self) -> None:
        self.home.mkdir(parents=True)
        self._write("host_key", self._host_key.export_private_key())
        self._write("id_ed25519", self._key.export_private_key())
        self._write("authorized_keys", self._key.export_public_key())
        lines = (
            f"ListenAddress {_LOOPBACK}:{self._port}",
            f"HostKey {self.directory / 'host_key'}",
            f"AuthorizedKeysFile {self.directory / 'authorized_keys'}",
            "AuthenticationMethods publickey",
            "PermitRootLogin prohibit-password",
            "PidFile none",
            "StrictModes no",
            "UsePAM no",
            "Subsystem sftp internal-sftp",
            "AllowTcpForwarding yes",
            "LogLevel VERBOSE",
            *((f"ForceCommand {self._force}",) if self._force else ()),
            # Of several such lines, sshd takes the first alone.
            " ".join(("SetEnv", *(f'"{key}={value}"' for key, value in self._environment.items()))),
        )
        self._write("sshd_config", "\n".join((*lines, "")).encode())
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # its privilege separation wants it

    def _write(self, name: str, content: bytes) -> None:
        path = self.directory / name
        path.write_bytes(content)
        path.chmod(0o600)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((_LOOPBACK, 0))
        return int(listener.getsockname()[1])


async def _read_all(stream: asyncio.StreamReader) -> None:
    while await stream.read(1 << 16):
        pass


def _children(parent: int) -> set[int]:
    """Return the processes that serve one connection each, and their unprivileged halves."""
    found = {parent}
    for _ in range(2):
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal():
                continue
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                is_sshd = "sshd" in (entry / "comm").read_text()
            except OSError:
                continue
            if int(fields[1]) in found and is_sshd:
                found.add(int(entry.name))
    return found - {parent}


Machine = FakeMachine | RealSshd

MACHINES = ("fake", *(["sshd"] if sshd_program() else []))
"""Each kind that there is here; CI installs OpenSSH's server."""


def new_machine(kind: str, directory: Path, *, name: str = "machine") -> Machine:
    """Return a machine of one of the ``MACHINES``."""
    return (FakeMachine if kind == "fake" else RealSshd)(directory, name=name)
