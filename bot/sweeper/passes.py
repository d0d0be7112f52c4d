"""Every pass of the sweeper, made from what it works with."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from bot.investigation import Steps
from bot.store import (
    Deliveries,
    FailedDeliveries,
    LeftDirectories,
    PostedComments,
    Pruning,
    QueuedDeliveries,
    Turns,
    Watermarks,
)
from bot.sweeper.left_agents import LeftAgents
from bot.sweeper.left_leases import LeftLeases
from bot.sweeper.lost_deliveries import LostDeliveries
from bot.sweeper.lost_jobs import LostJobs
from bot.sweeper.missed_comments import MissedComments
from bot.sweeper.old_directories import OldDirectories
from bot.sweeper.old_records import OldFiles, OldRecords
from bot.sweeper.owed_comments import OwedComments
from bot.sweeper.redelivering import Redelivering
from bot.sweeper.schedule import Pass, scheduled
from bot.sweeper.second_comments import SecondComments

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
    lost = LostDeliveries(engine, QueuedDeliveries(database))
    second = SecondComments(parts.posting, PostedComments(database))
    passes = (
        Pass("deliveries", schedule.deliveries, redelivering.run),
        Pass("comments", schedule.comments, missed.run),
        *_of_jobs(engine, parts),
        Pass("lost_deliveries", schedule.jobs, lost.run),
        Pass("owed_comments", schedule.jobs, OwedComments(parts).run),
        Pass("second_comments", schedule.jobs, second.run),
        *_pruning(database, engine, parts),
    )
    async with scheduled(Turns(database), passes):
        yield


@asynccontextmanager
async def sweeping_jobs(database: Database, engine: Engine, parts: Parts) -> AsyncGenerator[None]:
    """Do the passes that need no GitHub."""
    passes = (*_of_jobs(engine, parts), *_pruning(database, engine, parts))
    async with scheduled(Turns(database), passes):
        yield


def _of_jobs(engine: Engine, parts: Parts) -> tuple[Pass, ...]:
    steps = Steps(parts)
    leases = LeftLeases(parts, steps)
    lost = LostJobs(engine, parts, steps, leases)
    every = parts.settings.schedule.jobs
    return (
        Pass("leases", every, leases.run),
        Pass("left_agents", every, LeftAgents(parts).run),
        Pass("lost_jobs", every, lost.run),
    )


def _pruning(database: Database, engine: Engine, parts: Parts) -> tuple[Pass, ...]:
    settings = parts.settings
    every, retention = settings.schedule.pruning, settings.retention
    directories = OldDirectories(parts, LeftDirectories(database))
    records = OldRecords(retention, Pruning(database), engine)
    files = OldFiles(retention, settings.state / "jobs", parts.jobs)
    return (
        Pass("old_directories", every, directories.run),
        Pass("old_records", every, records.run),
        Pass("old_files", every, files.run, in_each_process=True),
    )
