"""The files of a machine that are followed, all of them over one session.

The program that looks at them is ``bot.remote.follower``; it is passed to the machine's ``python3``
on its command line, so that nothing stays there and both sides are always of one version.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import shlex
import zlib
from contextlib import suppress
from datetime import timedelta
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import asyncssh

from bot.errors import MachineError, MachineUnreachable
from bot.machines.base import Chunk
from bot.machines.frames import Frames, Kind
from bot.remote.follower import WINDOW

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.machines.connections import Connection
    from bot.machines.frames import Frame

SILENCE = timedelta(seconds=30)
"""A follower that says nothing for so long is lost; it speaks every five seconds."""

_PIECE = 1 << 18
_TELL = WINDOW // 4
"""Bytes that are taken before the follower is told."""
_LONGEST_REASON = 200
_START = "import base64,sys,zlib;exec(zlib.decompress(base64.b64decode(sys.argv[1])))"


class _File:
    """A followed file: what came of it and waits to be taken."""

    def __init__(self, name: str, offset: int) -> None:
        self.name = name
        self.expected = offset
        self.waiting = 0
        self.untold = 0
        self.pieces: asyncio.Queue[Chunk | MachineError] = asyncio.Queue()


class Follower:
    """One session in which a machine's files are followed, until it is lost."""

    def __init__(self, machine: str, process: asyncssh.SSHClientProcess[bytes]) -> None:
        """Read what the started program says."""
        self._machine = machine
        self._process = process
        self._files: dict[int, _File] = {}
        self._numbers = itertools.count(1)
        self._greeted = asyncio.Event()
        self._end: MachineError | None = None
        self._reading = asyncio.create_task(self._read())

    @property
    def is_lost(self) -> bool:
        """Whether nothing more comes."""
        return self._end is not None

    async def greeted(self) -> None:
        """Wait until the program runs; raise MachineError when it does not."""
        await self._greeted.wait()
        if self._end is not None:
            raise self._end

    async def follow(self, path: str, offset: int) -> AsyncGenerator[Chunk]:
        """Yield what is beyond the offset, as it comes.

        Raise MachineUnreachable when the session is lost, MachineError for what cannot be followed.
        """
        if self._end is not None:
            raise self._end
        number = next(self._numbers)
        file = self._files[number] = _File(path.rpartition("/")[2], offset)
        self._tell("follow", number, path, offset)
        try:
            while True:
                piece = await file.pieces.get()
                if isinstance(piece, MachineError):
                    raise piece
                yield piece
                self._taken(number, file, len(piece.data))
        finally:
            del self._files[number]
            self._tell("forget", number)

    async def close(self) -> None:
        """End the session."""
        self._process.close()
        self._reading.cancel()
        await asyncio.wait({self._reading})

    async def _read(self) -> None:
        end: MachineError = MachineUnreachable(f"machine {self._machine} does not answer")
        frames = Frames()
        try:
            while data := await self._more():
                for frame in frames.feed(data):
                    self._take(frame)
                if frames.is_greeted:
                    self._greeted.set()
            await self._process.wait_closed()
            if not frames.is_greeted and self._process.exit_status is not None:
                end = MachineError(
                    f"machine {self._machine}: logs cannot be followed: it needs python3, "
                    "3.9 or newer"
                )
        except (OSError, asyncssh.Error, TimeoutError):
            pass  # it is lost, as said above
        except MachineError as error:
            end = MachineError(f"machine {self._machine}: {error}")
        finally:
            self._end = end
            self._greeted.set()
            self._process.close()
            for file in self._files.values():
                file.pieces.put_nowait(end)

    async def _more(self) -> bytes:
        async with asyncio.timeout(SILENCE.total_seconds()):
            return await self._process.stdout.read(_PIECE)

    def _take(self, frame: Frame) -> None:
        file = self._files.get(frame.file)
        if frame.kind is Kind.BEAT or file is None:
            return  # what was on its way when its reader left
        if frame.kind is Kind.ERROR:
            why = "".join(filter(str.isprintable, frame.data.decode(errors="replace")))
            reason = f"machine {self._machine}: {file.name} {why[:_LONGEST_REASON]}"
            file.pieces.put_nowait(MachineError(reason))
            return
        file.waiting += len(frame.data)
        if frame.offset != file.expected or not frame.data or file.waiting > WINDOW:
            raise MachineError("its follower sends what was not asked for")
        file.expected += len(frame.data)
        file.pieces.put_nowait(Chunk(frame.offset, frame.data))

    def _taken(self, number: int, file: _File, length: int) -> None:
        file.waiting -= length
        file.untold += length
        if file.untold >= _TELL:
            self._tell("taken", number, file.untold)
            file.untold = 0

    def _tell(self, *command: str | int) -> None:
        with suppress(OSError):  # it is lost, which its reader finds out
            self._process.stdin.write(json.dumps(command).encode() + b"\n")


class Followers:
    """The follower of one machine's connection, started again when it is lost."""

    def __init__(self, connection: Connection) -> None:
        """Follow over this connection; nothing is started yet."""
        self._connection = connection
        self._follower: Follower | None = None
        self._starting: asyncio.Task[Follower] | None = None

    async def open(self) -> Follower:
        """Return the living follower, shared by all.

        Raise MachineUnreachable, or MachineError where it cannot be started.
        """
        if self._follower is not None and not self._follower.is_lost:
            return self._follower
        if self._starting is None:
            self._starting = asyncio.create_task(self._start())
            self._starting.add_done_callback(self._started)
        return await asyncio.shield(self._starting)

    async def close(self) -> None:
        """End the follower, with its connection."""
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait({self._starting})
        if self._follower is not None:
            await self._follower.close()

    async def _start(self) -> Follower:
        program = await asyncio.to_thread(_program)
        line = shlex.join(("exec", "python3", "-I", "-c", _START, program))

        async def open_on(client: asyncssh.SSHClientConnection) -> asyncssh.SSHClientProcess[bytes]:
            return await client.create_process(line, stderr=asyncssh.DEVNULL, encoding=None)

        process = await self._connection.session(open_on)
        self._follower = Follower(self._connection.machine.name, process)
        await self._follower.greeted()
        return self._follower

    def _started(self, task: asyncio.Task[Follower]) -> None:
        self._starting = None
        if not task.cancelled():
            task.exception()  # whoever waited has it; without a waiter it is of no interest


@cache
def _program() -> str:
    text = resources.files("bot.remote").joinpath("follower.py").read_bytes()
    return base64.b64encode(zlib.compress(text, 9)).decode()
