"""The composition root: everything is built once here, opened, and closed in the other order."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import aiohttp
import structlog
from aiohttp import web

from bot.agents import agents
from bot.configuration import Configurations
from bot.durable import Engine
from bot.errors import ConfigurationError
from bot.gateway import Gateway, kept_secret
from bot.github import GitHub
from bot.intake import Handling, Receiving
from bot.intake.investigate import INVESTIGATE, JOBS, InvestigateHandler
from bot.intake.receiving import DELIVERIES, HANDLE_DELIVERY
from bot.intake.replies import Replies
from bot.investigation import Investigation, Parts, Steps, WaitingRoom
from bot.machines import provider as machine_provider
from bot.publisher import Publisher
from bot.redaction import Redactor
from bot.reporter import Reporter
from bot.store import (
    Database,
    Deliveries,
    Documents,
    Jobs,
    Leases,
    Queue,
    RightConfigurations,
    only_process,
)
from bot.sweeper import sweeping
from bot.web import application

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.settings import Settings

SERVING = "serving"
CARRYING_OUT = "carrying_out"
STOPPING = "stopping"

GRACE = timedelta(seconds=6)
"""For the running step, when the service is told to stop; the rest fits into ten seconds."""

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Service:
    """The running service."""

    url: str
    """Where it listens."""
    jobs: Jobs
    leases: Leases
    deliveries: Deliveries
    documents: Documents


@asynccontextmanager
async def serving(settings: Settings) -> AsyncGenerator[Service]:
    """Run the whole service in this process until the block ends; raise ConfigurationError."""
    secret = await asyncio.to_thread(check, settings)
    async with AsyncExitStack() as stack:
        database = await _database(settings, stack)
        engine = Engine(database.url, executor_id="serve", poll=settings.poll_interval)
        if database.is_sqlite:
            await engine.upgrade()
        # GitHub's calls and the model's have their own limits of time and number.
        session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        )
        jobs = Jobs(database)
        gateway = Gateway(
            settings.model, _gateway_secret(secret), session, is_live=jobs.is_unfinished
        )
        stack.push_async_callback(gateway.close)
        parts = await _parts(settings, database, jobs, gateway, session, stack)
        deliveries = Deliveries(database)
        receiving = _register(engine, parts, deliveries)
        await _open_gateway(gateway, settings)
        await engine.launch()
        stack.push_async_callback(engine.close, grace=GRACE)
        app = application(secret=secret, receiving=receiving, engine=engine, database=database)
        url = await _listen(app, settings, stack)
        await stack.enter_async_context(sweeping(database, engine, parts, receiving))
        _log.info(SERVING, url=url, provider=settings.provider)
        yield Service(
            url=url,
            jobs=jobs,
            leases=parts.leases,
            deliveries=deliveries,
            documents=parts.documents,
        )
        _log.info(STOPPING)


@asynccontextmanager
async def carrying_out(settings: Settings) -> AsyncGenerator[Jobs]:
    """Carry out the jobs of a state directory, without webhooks; the App need not be set up."""
    secret = await asyncio.to_thread(_kept_secret, settings)
    async with AsyncExitStack() as stack:
        database = await _database(settings, stack)
        engine = Engine(database.url, executor_id="serve", poll=settings.poll_interval)
        await engine.upgrade()
        session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        )
        jobs = Jobs(database)
        gateway = Gateway(settings.model, secret, session, is_live=jobs.is_unfinished)
        stack.push_async_callback(gateway.close)
        parts = await _parts(settings, database, jobs, gateway, session, stack)
        _register(engine, parts, Deliveries(database))
        await _open_gateway(gateway, settings)
        await engine.launch()
        stack.push_async_callback(engine.close, grace=GRACE)
        _log.info(CARRYING_OUT, provider=settings.provider)
        yield jobs
        _log.info(STOPPING)


def check(settings: Settings) -> str:
    """Return the webhook secret; raise ConfigurationError for what must be set and is not."""
    github = settings.github
    if github.webhook_secret is None or not github.webhook_secret.get_secret_value():
        raise ConfigurationError(
            "PTQ_GITHUB__WEBHOOK_SECRET is missing: without it anybody could give commands. "
            "Set the secret of the App's webhook."
        )
    if github.app_id is None:
        raise ConfigurationError("PTQ_GITHUB__APP_ID is missing: the App's settings page shows it")
    if not github.key.strip():
        raise ConfigurationError("PTQ_GITHUB__PRIVATE_KEY is empty")
    if not github.repositories:
        raise ConfigurationError(
            "PTQ_GITHUB__REPOSITORIES is empty: list what is served, as owner/name or owner, "
            "separated by commas"
        )
    return github.webhook_secret.get_secret_value()


async def _database(settings: Settings, stack: AsyncExitStack) -> Database:
    database = await asyncio.to_thread(Database, settings.database)
    stack.push_async_callback(database.close)
    if database.is_sqlite:
        lock = only_process(settings.state / "serve.lock")
        await asyncio.to_thread(lock.__enter__)
        stack.push(lock)
        await database.upgrade()
    else:
        await database.require_current()
    return database


async def _parts(
    settings: Settings,
    database: Database,
    jobs: Jobs,
    gateway: Gateway,
    session: aiohttp.ClientSession,
    stack: AsyncExitStack,
) -> Parts:
    github = GitHub(settings.github, session)
    known_agents = await asyncio.to_thread(agents, settings.agent)
    key = await asyncio.to_thread(lambda: settings.github.key if settings.github.has_app else "")
    redactor = Redactor((*settings.secrets, key))
    leases, documents = Leases(database), Documents(database)
    configurations = Configurations(RightConfigurations(database))
    provider = machine_provider(settings, leases)
    stack.push_async_callback(provider.close)
    queue = Queue(database, machines=provider.offers, limits=settings.limits)
    room = WaitingRoom(queue, interval=settings.poll_interval)
    stack.push_async_callback(room.close)
    return Parts(
        settings=settings,
        github=github,
        configurations=configurations,
        jobs=jobs,
        leases=leases,
        room=room,
        documents=documents,
        provider=provider,
        agents=known_agents,
        gateway=gateway,
        publisher=Publisher(
            github, settings.patch, configurations=configurations, redactor=redactor
        ),
        reporter=Reporter(
            github=github,
            jobs=jobs,
            documents=documents,
            queue=queue,
            agents=known_agents,
            redactor=redactor,
            interval=settings.progress_interval,
        ),
        redactor=redactor,
    )


def _register(engine: Engine, parts: Parts, deliveries: Deliveries) -> Receiving:
    """Tell the engine its workflows, under the names that their records keep."""
    replies = Replies(parts.github, deliveries)
    investigate = InvestigateHandler(
        engine=engine,
        jobs=parts.jobs,
        replies=replies,
        limits=parts.settings.limits,
        agents=parts.agents,
    )
    handling = Handling(engine, deliveries, replies, investigate, parts.configurations)
    engine.register(HANDLE_DELIVERY, handling.run, queue=DELIVERIES)
    engine.register(INVESTIGATE, Investigation(engine, Steps(parts)).run, queue=JOBS)
    return Receiving(parts.settings.github, deliveries, engine, parts.configurations)


async def _listen(app: web.Application, settings: Settings, stack: AsyncExitStack) -> str:
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


async def _open_gateway(gateway: Gateway, settings: Settings) -> None:
    try:
        await gateway.start(settings.model.gateway_port)
    except OSError as error:
        raise ConfigurationError(
            f"PTQ_MODEL__GATEWAY_PORT: cannot listen on 127.0.0.1:{settings.model.gateway_port}: "
            f"{error.strerror}"
        ) from error


def _kept_secret(settings: Settings) -> bytes:
    """Return the gateway's secret where no webhook has one: made once, and kept for a restart."""
    webhook_secret = settings.github.webhook_secret
    if webhook_secret is not None and webhook_secret.get_secret_value():
        return _gateway_secret(webhook_secret.get_secret_value())
    return kept_secret(settings.state / "gateway.secret")


def _gateway_secret(webhook_secret: str) -> bytes:
    """Derive the gateway's secret: the same after a restart, and on every host."""
    return hmac.new(webhook_secret.encode(), b"ptq model gateway", hashlib.sha256).digest()
