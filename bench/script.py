"""What a person would write instead of ptq: a shell script that does a job's commands with ``ssh``.

The commands are those that the bot gave a machine in this process, with what they read and the
files that it wrote there: recorded once, and written down for another job on another machine. One
call of ``ssh`` for each command, one more for all files, and one that waits for the agent's log.
"""

from __future__ import annotations

import asyncio
import io
import shlex
import tarfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fakes.sshd import RealSshd

_WRAPPED = ("sh", "-c")
_START = "start"
_WAIT = "until [ -s {log} ]; do sleep 0.005; done; head -c 1 -- {log}"


@dataclass(frozen=True, slots=True)
class Given:
    """A command line that the bot gave a machine, and the bytes that it could read."""

    line: str
    stdin: bytes

    @property
    def argv(self) -> list[str]:
        """What is run: without the wrapper that limits it, and ends it when the bot is gone."""
        words = shlex.split(self.line)
        if tuple(words[:2]) != _WRAPPED or words[6]:
            raise ValueError(f"not as the bot writes its commands: {self.line}")
        return words[7:]

    @property
    def read(self) -> bytes:
        """What the command itself reads."""
        return self.stdin[: int(shlex.split(self.line)[5])]

    @property
    def is_start(self) -> bool:
        """Whether it starts the agent."""
        return "runner.pyz" in self.line and _START in self.argv


@dataclass(frozen=True, slots=True)
class Recorded:
    """A job's way from the machine being ours to the agent's start."""

    home: str
    job_id: str
    commands: list[Given]
    """In their order; the last starts the agent."""
    files: dict[str, bytes]
    """What the bot wrote into the job's directory, by the path in it."""

    def written(self, directory: Path, machine: RealSshd, job_id: str, *, keeps: bool) -> Path:
        """Write the script for another job on a machine; return its path.

        ``keeps`` is whether one connection serves all of its calls.
        """
        directory.mkdir()
        settings = machine.settings
        known = directory / "known_hosts"
        known.write_text(f"[{settings.host}]:{settings.port} {settings.known_hosts}\n")
        kept = ("ControlMaster=auto", "ControlPersist=yes", f"ControlPath={directory}/%C")
        connection = kept if keeps else ("ControlMaster=no",)
        options = ("BatchMode=yes", f"UserKnownHostsFile={known}", *connection)
        ssh = ["ssh", "-F", "none", "-i", str(settings.key), "-p", str(settings.port)]
        ssh += [word for option in options for word in ("-o", option)]
        ssh.append(f"{settings.user}@{settings.host}")

        def as_there(data: bytes) -> bytes:
            there = data.replace(self.home.encode(), str(machine.home).encode())
            return there.replace(self.job_id.encode(), job_id.encode())

        job = f"{machine.home}/ptq_workspace/jobs/{job_id}"
        lines = ["#!/bin/sh", "set -eu", f'on() {{ {shlex.join(ssh)} "$1"; }}']
        for number, given in enumerate(self.commands):
            if given.is_start:
                archive = directory / "files.tar"
                archive.write_bytes(_archive({k: as_there(v) for k, v in self.files.items()}))
                lines.append(f"on {_quoted(f'tar -C {shlex.quote(job)} -xf -')} <{archive}")
            stdin = directory / f"stdin-{number}"
            stdin.write_bytes(as_there(given.read))
            line = as_there(shlex.join(given.argv).encode()).decode()
            # The bot goes on too when a machine has no GPU to name.
            lines.append(f"on {_quoted(line)} <{stdin} >/dev/null 2>&1 || true")
        lines.append(
            f"on {_quoted(_WAIT.format(log=shlex.quote(f'{job}/claude-1.log')))} </dev/null"
        )
        if keeps:
            lines.append(f"{shlex.join([*ssh[:-1], '-O', 'exit', ssh[-1]])} 2>/dev/null")
        script = directory / "script.sh"
        script.write_text("\n".join((*lines, "")))
        return script


async def run(script: Path) -> float:
    """Run the script; return the seconds until it saw the agent's first byte."""
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        *("sh", str(script)), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, problem = await process.communicate()
    if process.returncode or not said:
        raise RuntimeError(f"the script failed: {problem.decode(errors='replace')[-2000:]}")
    return time.perf_counter() - began


def _quoted(line: str) -> str:
    return shlex.quote(line)


def _archive(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path, data in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), 0o600
            archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()
