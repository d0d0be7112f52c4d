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
    steps = Steps(parts)
    leases = LeftLeases(parts, steps)
    lost = LostJobs(engine, parts, steps, leases)
    passes = (
        Pass("deliveries", schedule.deliveries, redelivering.run),
        Pass("comments", schedule.comments, missed.run),
        Pass("leases", schedule.jobs, leases.run),
        Pass("lost_jobs", schedule.jobs, lost.run),
        Pass("owed_comments", schedule.jobs, OwedComments(parts).run),
    )
    async with scheduled(Turns(database), passes):
        yield
