"""What the agent says while it works, read from its machine as it grows."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, Self

from bot.agents import agents
from bot.errors import PtqError, RemoteFileMissing
from bot.hidden_text import strip_invisible
from bot.machines import provider
from bot.workspace.layout import Layout

if TYPE_CHECKING:
    from types import TracebackType

    from bot.agents.base import LogParser
    from bot.cli.opened import Opened
    from bot.machines.base import Shell
    from bot.models import JobRequest

_PIECE = 1 << 20
"""Bytes read at once."""


class AgentLog:
    """Reads the log of a run from its beginning, piece by piece; an asynchronous context."""

    def __init__(self, opened: Opened, request: JobRequest) -> None:
        """Connect to nothing yet."""
        self._opened = opened
        self._request = request
        self._provider = provider(opened.settings, opened.leases)
        self._stack = AsyncExitStack()
        self._place: tuple[Shell, str] | None = None
        self._parser: LogParser | None = None
        self._offset = 0

    async def __aenter__(self) -> Self:
        """Close the connections when the block ends."""
        await self._stack.__aenter__()
        self._stack.push_async_callback(self._provider.close)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close what was opened."""
        await self._stack.__aexit__(kind, error, traceback)

    async def more(self, *, is_over: bool = False) -> list[str]:
        """Return the readable lines since the last time.

        Where the machine is out of reach there are none, until the log that was kept ``is_over``.
        """
        lines: list[str] = []
        try:
            await self._read(lines)
        except PtqError:
            self._place = None
        if is_over and self._offset == 0:
            kept = await self._opened.documents.read(self._request.job_id, self._request.run, "log")
            lines += (await self._known()).feed((kept or "").encode())
        # Of an agent: nothing in it may move the cursor or hide.
        return [strip_invisible(line) for line in lines]

    async def _read(self, lines: list[str]) -> None:
        self._place = self._place or await self._find()
        if self._place is None:
            return
        shell, directory = self._place
        path = f"{directory}/{self._request.options.agent}-{self._request.run}.log"
        parser = await self._known()
        with suppress(RemoteFileMissing):
            while piece := await shell.read(path, limit=_PIECE, offset=self._offset):
                self._offset += len(piece)
                lines += parser.feed(piece)

    async def _known(self) -> LogParser:
        if self._parser is None:
            known = await asyncio.to_thread(agents, self._opened.settings.agent)
            self._parser = known[self._request.options.agent].parser()
        return self._parser

    async def _find(self) -> tuple[Shell, str] | None:
        lease = await self._opened.leases.of_job(self._request.job_id)
        reservation = lease and await self._provider.look_up(lease.id)
        if reservation is None:
            return None
        shell = await self._stack.enter_async_context(self._provider.shell(reservation))
        layout = Layout(await shell.expand(reservation.workspace))
        return shell, layout.job(self._request.job_id).directory
