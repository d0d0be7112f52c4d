"""The composition root: everything is built once here, opened, and closed in the other order."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from bot.agents import agents
from bot.configuration import Configurations
from bot.durable import Engine
from bot.errors import ConfigurationError
from bot.fence import Fence
from bot.gateway import Gateway
from bot.github import GitHub, open_session
from bot.intake import Handling, Receiving
from bot.intake.desk import Desk
from bot.intake.handlers import Handlers
from bot.intake.investigate import INVESTIGATE, JOBS, InvestigateHandler
from bot.intake.queueing import DELIVERIES, HANDLE_DELIVERY, Queueing
from bot.intake.replies import Replies
from bot.investigation import Investigation, Parts, Steps, WaitingRoom, Watch
from bot.machines import provider as machine_provider
from bot.posting import Posting
from bot.publisher import Publisher
from bot.redaction import Redactor
from bot.reporter import Reporter
from bot.starting import check, check_worker, gateway_secret, own_secret
from bot.store import (
    Database,
    Deliveries,
    Documents,
    Jobs,
    Leases,
    Outages,
    PostedComments,
    Queue,
    RepositoryJobs,
    RightConfigurations,
    Runs,
    Workers,
    only_process,
)
from bot.sweeper import sweeping, sweeping_jobs
from bot.web import application, listen
from bot.workers import Worker

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    import aiohttp

    from bot.settings import Settings

SERVING = "serving"
CARRYING_OUT = "carrying_out"
WORKING = "working"
STOPPING = "stopping"

GRACE = timedelta(seconds=6)
"""For the running step, when the service is told to stop; the rest fits into ten seconds."""

ALONE = "serve"
"""The executor of a process that is alone with its SQLite file: the same after each start."""

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Service:
    """The running service."""

    url: str
    jobs: Jobs
    leases: Leases
    deliveries: Deliveries
    documents: Documents


@dataclass(frozen=True, slots=True)
class Process:
    """What every process has that carries out jobs."""

    database: Database
    engine: Engine
    parts: Parts
    deliveries: Deliveries
    receiving: Receiving
    queueing: Queueing


@asynccontextmanager
async def serving(settings: Settings) -> AsyncGenerator[Service]:
    """Run the whole service in this process until the block ends; raise ConfigurationError."""
    secret = await asyncio.to_thread(check, settings)
    async with AsyncExitStack() as stack:
        process = await _process(settings, gateway_secret(secret), stack)
        app = application(
            secret=secret,
            receiving=process.receiving,
            engine=process.engine,
            database=process.database,
        )
        url = await listen(app, settings, stack)
        await stack.enter_async_context(process.queueing.running())
        await stack.enter_async_context(
            sweeping(process.database, process.engine, process.parts, process.receiving)
        )
        _log.info(SERVING, url=url, provider=settings.provider)
        yield Service(
            url=url,
            jobs=process.parts.jobs,
            leases=process.parts.leases,
            deliveries=process.deliveries,
            documents=process.parts.documents,
        )
        _log.info(STOPPING)


@asynccontextmanager
async def working(settings: Settings) -> AsyncGenerator[None]:
    """Carry out jobs beside other processes, without webhooks; raise ConfigurationError."""
    secret = gateway_secret(await asyncio.to_thread(check_worker, settings))
    async with AsyncExitStack() as stack:
        process = await _process(settings, secret, stack)
        await stack.enter_async_context(process.queueing.running())
        await stack.enter_async_context(
            sweeping(process.database, process.engine, process.parts, process.receiving)
        )
        _log.info(WORKING, provider=settings.provider)
        yield
        _log.info(STOPPING)


@asynccontextmanager
async def carrying_out(settings: Settings) -> AsyncGenerator[Jobs]:
    """Carry out the jobs of a state directory, without webhooks; the App need not be set up."""
    secret = await asyncio.to_thread(own_secret, settings)
    async with AsyncExitStack() as stack:
        process = await _process(settings, secret, stack)
        await stack.enter_async_context(
            sweeping_jobs(process.database, process.engine, process.parts)
        )
        _log.info(CARRYING_OUT, provider=settings.provider)
        yield process.parts.jobs
        _log.info(STOPPING)


async def _process(settings: Settings, secret: bytes, stack: AsyncExitStack) -> Process:
    """Make what carries out jobs, and start it; ``secret`` is the gateway's."""
    fence = Fence(None if settings.is_sqlite else settings.workers.trusted)
    database = await _database(settings, fence, stack)
    engine = Engine(
        database.url,
        executor_id=ALONE,
        poll=settings.poll_interval,
        fence=fence,
        idle=settings.workers.idle,
        outages=Outages(database),
    )
    session = await stack.enter_async_context(open_session())
    jobs = Jobs(database)
    gateway = Gateway(settings.model, secret, session, is_live=jobs.is_unfinished)
    stack.push_async_callback(gateway.close)
    parts = await _parts(settings, database, fence, jobs, gateway, session, stack)
    deliveries = Deliveries(database)
    queueing = Queueing(engine, deliveries, interval=settings.poll_interval)
    receiving = _register(engine, parts, deliveries, queueing)
    await _open_gateway(gateway, settings)
    if settings.is_sqlite:
        await engine.upgrade()
        await engine.launch()
        stack.push_async_callback(engine.close, grace=GRACE)
    else:
        worker = Worker(
            engine, Workers(database), fence, settings.workers, dropping=parts.provider.close
        )
        await stack.enter_async_context(worker.working(grace=GRACE))
    return Process(database, engine, parts, deliveries, receiving, queueing)


async def _database(settings: Settings, fence: Fence, stack: AsyncExitStack) -> Database:
    database = await asyncio.to_thread(
        Database, settings.database, fence=fence, idle=settings.workers.idle
    )
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
    fence: Fence,
    jobs: Jobs,
    gateway: Gateway,
    session: aiohttp.ClientSession,
    stack: AsyncExitStack,
) -> Parts:
    github = GitHub(settings.github, session, fence=fence)
    known_agents = await asyncio.to_thread(agents, settings.agent)
    key = await asyncio.to_thread(lambda: settings.github.key if settings.github.has_app else "")
    redactor = Redactor((*settings.secrets, key))
    leases, documents = Leases(database), Documents(database)
    configurations = Configurations(RightConfigurations(database))
    posting = Posting(github, PostedComments(database))
    provider = machine_provider(settings, leases, fence=fence)
    stack.push_async_callback(provider.close)
    queue = Queue(database, machines=provider.offers, limits=settings.limits)
    room = WaitingRoom(queue, interval=settings.poll_interval)
    stack.push_async_callback(room.close)
    watch = Watch(jobs, leases, interval=settings.poll_interval)
    stack.push_async_callback(watch.close)
    return Parts(
        settings=settings,
        github=github,
        configurations=configurations,
        jobs=jobs,
        repository_jobs=RepositoryJobs(database),
        runs=Runs(database),
        leases=leases,
        queue=queue,
        room=room,
        watch=watch,
        documents=documents,
        provider=provider,
        agents=known_agents,
        gateway=gateway,
        publisher=Publisher(
            github, settings.patch, configurations=configurations, redactor=redactor
        ),
        posting=posting,
        reporter=Reporter(
            github=github,
            posting=posting,
            jobs=jobs,
            documents=documents,
            queue=queue,
            agents=known_agents,
            redactor=redactor,
            interval=settings.progress_interval,
        ),
        redactor=redactor,
    )


def _register(
    engine: Engine, parts: Parts, deliveries: Deliveries, queueing: Queueing
) -> Receiving:
    """Tell the engine its workflows, under the names that their records keep."""
    replies = Replies(parts.github, parts.posting, deliveries)
    investigate = InvestigateHandler(
        engine=engine,
        jobs=parts.jobs,
        repository_jobs=parts.repository_jobs,
        replies=replies,
        reporter=parts.reporter,
        limits=parts.settings.limits,
        agents=parts.agents,
    )
    desk = Desk(parts, replies)
    handlers = Handlers(desk, investigate)
    handling = Handling(engine, deliveries, queueing, replies, handlers, parts.configurations)
    engine.register(HANDLE_DELIVERY, handling.run, queue=DELIVERIES)
    engine.register(INVESTIGATE, Investigation(engine, Steps(parts)).run, queue=JOBS)
    return Receiving(parts.settings.github, deliveries, queueing, parts.configurations)


async def _open_gateway(gateway: Gateway, settings: Settings) -> None:
    try:
        await gateway.start(settings.model.gateway_port)
    except OSError as error:
        raise ConfigurationError(
            f"PTQ_MODEL__GATEWAY_PORT: cannot listen on 127.0.0.1:{settings.model.gateway_port}: "
            f"{error.strerror}"
        ) from error
