"""Every pass of the sweeper, made from what it works with."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.investigation import Steps
from bot.store import Deliveries, FailedDeliveries, Turns, Watermarks
from bot.sweeper.left_leases import LeftLeases
from bot.sweeper.lost_jobs import LostJobs
from bot.sweeper.missed_comments import MissedComments
from bot.sweeper.owed_comments import OwedComments
from bot.sweeper.redelivering import Redelivering
from bot.sweeper.schedule import Pass, scheduled

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.durable import Engine
    from bot.intake import Receiving
    from bot.investigation import Parts
    from bot.store import Database


@asynccontextmanager
async def sweeping(
    database: Database, engine: Engine, parts: Parts, receiving: Receiving
) -> AsyncGenerator[None]:
    """Do every pass, at once and then by the clock, while the block runs."""
    schedule = parts.settings.schedule
    watermarks = Watermarks(database)
    redelivering = Redelivering(
        parts.github.hook,
        FailedDeliveries(database),
        watermarks,
        every=schedule.deliveries,
    )
    missed = MissedComments(
        parts.settings.github, parts.github, receiving, Deliveries(database), watermarks
    )
    passes = (
        Pass("deliveries", schedule.deliveries, redelivering.run),
        Pass("comments", schedule.comments, missed.run),
        *_of_jobs(engine, parts),
        Pass("owed_comments", schedule.jobs, OwedComments(parts).run),
    )
    async with scheduled(Turns(database), passes):
        yield


@asynccontextmanager
async def sweeping_jobs(database: Database, engine: Engine, parts: Parts) -> AsyncGenerator[None]:
    """Do the passes that need no GitHub."""
    async with scheduled(Turns(database), _of_jobs(engine, parts)):
        yield


def _of_jobs(engine: Engine, parts: Parts) -> tuple[Pass, ...]:
    steps = Steps(parts)
    leases = LeftLeases(parts, steps)
    lost = LostJobs(engine, parts, steps, leases)
    every = parts.settings.schedule.jobs
    return Pass("leases", every, leases.run), Pass("lost_jobs", every, lost.run)
