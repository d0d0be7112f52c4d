"""Many small writes as one: a group commit.

A commit waits for the disk. What comes in the meantime waits, and is then written together: each
caller returns only after its own is durable, and a busy service needs few commits.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

from bot.errors import Paused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import sqlalchemy as sa

    from bot.store.database import Database

Item = TypeVar("Item")
Result = TypeVar("Result")

_AT_ONCE = 200
_TRANSACTIONS = 2
"""At once on Postgres; SQLite has one writer."""


class Together(Generic[Item, Result]):
    """What many callers write, in one transaction after the other."""

    def __init__(
        self,
        database: Database,
        write: Callable[[sa.Connection, Sequence[Item]], Sequence[Result]],
    ) -> None:
        """Write into this database; ``write`` returns one result for each item."""
        self._database = database
        self._write = write
        self._waiting: list[tuple[Item, asyncio.Future[Result]]] = []
        self._room = 1 if database.is_sqlite else _TRANSACTIONS
        self._running: set[asyncio.Task[None] | None] = set()

    async def call(self, item: Item) -> Result:
        """Write the item in a transaction that others may share; return when it is committed.

        When it fails, each is written again alone: one that cannot be written disturbs no other.
        """
        done: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if len(self._running) < self._room:
            self._running.add(asyncio.create_task(self._run()))
        return await done

    async def _run(self) -> None:
        try:
            await self._run_all()
        finally:
            # Here, not in a callback: whoever was just told may ask again before that is called,
            # would find somebody running, and would wait for ever.
            self._running.discard(asyncio.current_task())

    async def _run_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
            try:
                results = await self._database.call(self._write, [item for item, _ in batch])
            except Paused as error:  # nothing answers, or nothing may be written: so it is for all
                for _, done in batch:
                    _fail(done, error)
            except Exception:  # noqa: BLE001 -- whoever caused it gets it
                for item, done in batch:
                    await self._alone(item, done)
            else:
                for (_, done), result in zip(batch, results, strict=True):
                    _tell(done, result)

    async def _alone(self, item: Item, done: asyncio.Future[Result]) -> None:
        try:
            results = await self._database.call(self._write, [item])
        except Exception as error:  # noqa: BLE001 -- it is the caller's
            _fail(done, error)
        else:
            _tell(done, results[0])


def _tell(done: asyncio.Future[Result], result: Result) -> None:
    if not done.done():  # its caller was cancelled
        done.set_result(result)


def _fail(done: asyncio.Future[Result], error: Exception) -> None:
    if not done.done():
        done.set_exception(error)
