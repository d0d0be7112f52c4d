"""The HTTP application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from bot.web.health import Health
from bot.web.webhook import MAX_BODY, Webhook

if TYPE_CHECKING:
    from bot.durable import Engine
    from bot.intake import Receiving
    from bot.store import Database


def application(
    *, secret: str, receiving: Receiving, engine: Engine, database: Database
) -> web.Application:
    """Return what serves ``/webhook``, ``/healthz`` and ``/readyz``."""
    webhook = Webhook(secret, receiving)
    health = Health(engine, database)
    app = web.Application(client_max_size=MAX_BODY)
    app.router.add_post("/webhook", webhook.post)
    app.router.add_get("/healthz", health.alive)
    app.router.add_get("/readyz", health.ready)
    return app
