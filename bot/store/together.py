"""Many small transactions as one: a group commit.

A commit waits for the disk. What comes in the meantime waits, and is then committed together: each
caller returns only after its own work is durable, and a busy service needs few commits.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from bot.errors import Paused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import sqlalchemy as sa

    from bot.store.database import Database

T = TypeVar("T")

_AT_ONCE = 200
_TRANSACTIONS = 4
"""At once on Postgres; SQLite has one writer."""


class Together:
    """Work of many callers, done in one transaction after the other."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database
        self._waiting: list[tuple[Callable[[sa.Connection], Any], asyncio.Future[Any]]] = []
        self._room = 1 if database.is_sqlite else _TRANSACTIONS
        self._running: set[asyncio.Task[None] | None] = set()

    async def call(self, work: Callable[[sa.Connection], T]) -> T:
        """Run the work in a transaction that others may share; return when it is committed.

        When one of them fails, each is done again alone: work that raises disturbs nobody else.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, done))
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
                results = await self._database.call(_all, [work for work, _ in batch])
            except Paused as error:  # nothing answers, or nothing may be written: so it is for all
                for _, done in batch:
                    _tell(done, error=error)
            except Exception:  # noqa: BLE001 -- whoever caused it gets it
                for work, done in batch:
                    await self._alone(work, done)
            else:
                for (_, done), result in zip(batch, results, strict=True):
                    _tell(done, result)

    async def _alone(self, work: Callable[[sa.Connection], Any], done: asyncio.Future[Any]) -> None:
        try:
            _tell(done, await self._database.call(work))
        except Exception as error:  # noqa: BLE001 -- it is the caller's
            _tell(done, error=error)


def _tell(
    done: asyncio.Future[Any], result: object = None, *, error: Exception | None = None
) -> None:
    if done.done():
        return  # its caller was cancelled
    if error is None:
        done.set_result(result)
    else:
        done.set_exception(error)


def _all(connection: sa.Connection, works: Sequence[Callable[[sa.Connection], Any]]) -> list[Any]:
    return [work(connection) for work in works]
