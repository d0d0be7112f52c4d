"""The HTTP application, and where it is served."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from bot.errors import ConfigurationError
from bot.web.health import Health
from bot.web.webhook import MAX_BODY, Webhook

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    from bot.durable import Engine
    from bot.intake import Receiving
    from bot.settings import Settings
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


async def listen(app: web.Application, settings: Settings, stack: AsyncExitStack) -> str:
    """Serve it until the stack ends; return where. Raise ConfigurationError where that is taken."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, settings.host, settings.port)
    try:
        await site.start()
    except OSError as error:
        raise ConfigurationError(
            f"PTQ_HOST, PTQ_PORT: cannot listen on {settings.host}:{settings.port}: "
            f"{error.strerror}"
        ) from error
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"
