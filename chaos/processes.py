"""The processes of the bot: started, killed, frozen, and started anew."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_ROOT = Path(__file__).parent.parent
_URL = re.compile(rb"http://127\.0\.0\.1:\d+")
_LONGEST_LINE = 1 << 24
"""Bytes: a traceback in JSON is one line."""
_ENDING_SECONDS = 30.0
_MOST_FAILURES = 3
"""Starts in a row that come to nothing."""


class BotProcess:
    """One process of the bot, which lives on under its name however often it is killed."""

    def __init__(
        self,
        command: str,
        name: str,
        *,
        logs: Path,
        environment: Mapping[str, str],
        serves: Callable[[str], None],
    ) -> None:
        """Know how to start ``ptq COMMAND``; every start has a log of its own.

        ``serves`` is told the address whenever one that serves has been started.
        """
        self.name = name
        self.ends: list[str] = []
        """How it ended when nobody had told it to."""
        self.is_frozen = False
        self.starts = 0
        """How often it was started."""
        self.ready = asyncio.Event()
        """Set while it serves, or works."""
        self._command = command
        self._logs = logs
        self._environment = environment
        self._serves = serves
        self._failures = 0
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    @property
    def is_alive(self) -> bool:
        """Whether there is a process."""
        return self._process is not None and self._process.returncode is None

    @property
    def is_broken(self) -> bool:
        """Whether it cannot be started at all."""
        return self._failures >= _MOST_FAILURES

    async def start(self) -> None:
        """Start it; ``ready`` tells when it serves."""
        self.starts += 1
        self.ready.clear()
        self.is_frozen = False
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "bot", self._command),
            cwd=_ROOT,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
            # Ctrl-C is for us: we end it.
            start_new_session=True,
        )
        log = self._logs / f"{self.name}.{self.starts:03}.log"
        self._reading = asyncio.create_task(self._read(self._process, log))

    async def kill(self) -> bool:
        """End it without a word; False when there was nothing to kill."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            self._process = process
            return False
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await self._read_on()
        return True

    def freeze(self) -> bool:
        """Stop it in the middle of whatever it does; False when it does nothing."""
        if not self.is_alive or self.is_frozen:
            return False
        self._signal(signal.SIGSTOP)
        self.is_frozen = True
        return True

    def thaw(self) -> None:
        """Let it go on, as if nothing had been."""
        if self.is_alive and self.is_frozen:
            self._signal(signal.SIGCONT)
        self.is_frozen = False

    async def end(self) -> None:
        """Tell it to stop, and note when it does not, or not well."""
        process, self._process = self._process, None
        if process is None:
            return
        # Before it serves, a signal may find Python without anybody to hear it.
        fine = {0} if self.ready.is_set() else {0, -signal.SIGTERM}
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_ENDING_SECONDS):
                status = await process.wait()
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            self.ends.append(f"{self.name} did not end within {_ENDING_SECONDS:.0f} s of SIGTERM")
        else:
            if status not in fine:
                self.ends.append(f"{self.name} ended with exit status {status} when it was told to")
        await self._read_on()

    async def _read(self, process: asyncio.subprocess.Process, path: Path) -> None:
        """Keep what it logs; note when it ends though nobody killed it."""
        if process.stderr is None:
            raise AssertionError("a process with a pipe")
        with path.open("wb", buffering=0) as log:
            async for line in process.stderr:
                log.write(line)
                if b'"serving"' in line and (found := _URL.search(line)):
                    self._serves(found[0].decode())
                    self.ready.set()
                elif b'"working"' in line:
                    self.ready.set()
        status = await process.wait()
        if process is self._process:
            self._failures = 0 if self.ready.is_set() else self._failures + 1
            if self.ready.is_set() or self.is_broken:
                told = f"{self.name} ended by itself with exit status {status}"
                self.ends.append(f"{told}: see {path}")
            if not self.is_broken:
                # One that meets no database cannot start, and is tried again.
                await self.start()

    async def _read_on(self) -> None:
        self.ready.clear()
        if self._reading is not None:
            await self._reading

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)
