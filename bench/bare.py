"""The baseline of the webhook's benchmark: verify the signature, commit one row, answer 202.

``python -m bench.bare DATABASE_URL SECRET`` says on stdout where it listens.
"""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from bot.github import webhook
from bot.store import tables
from bot.store.engines import complete, engine_of

if TYPE_CHECKING:
    import sqlalchemy as sa

THREADS = 8


class Bare:
    """One row a delivery, each in a transaction of its own; the database as ptq sets it up."""

    def __init__(self, url: str, secret: str) -> None:
        """Write into this database."""
        self._secret = secret
        self._engine = engine_of(complete(url), threads=THREADS, idle=None)
        self._threads = ThreadPoolExecutor(1 if url.startswith("sqlite") else THREADS)

    async def post(self, request: web.Request) -> web.Response:
        """Take a delivery."""
        body = await request.read()
        webhook.verify(self._secret, request.headers, body)
        loop = asyncio.get_running_loop()
        work = partial(self._write, request.headers["X-GitHub-Delivery"], body.decode())
        await loop.run_in_executor(self._threads, work)
        return web.json_response({"receipt": "accepted"}, status=202)

    def _write(self, delivery_id: str, payload: str) -> None:
        with self._engine.begin() as connection:
            self._insert(connection, delivery_id, payload)

    def _insert(self, connection: sa.Connection, delivery_id: str, payload: str) -> None:
        connection.execute(
            tables.deliveries.insert().values(
                id=delivery_id,
                event="issue_comment",
                received_at=datetime.now(UTC),
                state="waiting",
                payload=payload,
            )
        )


async def _main(url: str, secret: str) -> None:
    app = web.Application()
    app.router.add_post("/webhook", Bare(url, secret).post)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"http://127.0.0.1:{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
