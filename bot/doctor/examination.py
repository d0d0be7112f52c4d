"""The parts in the order in which a job needs them; machines are tried at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp

from bot.doctor import app, database, machine, model
from bot.machines.connections import Connections
from bot.machines.local import LocalShell
from bot.machines.ssh import SshShell

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bot.doctor.finding import Finding
    from bot.settings import MachineSettings, Settings


async def examine(settings: Settings) -> AsyncGenerator[Finding]:
    """Try every part and tell of each as soon as it is known; nothing is changed anywhere.

    Which programs are there and whether they answer is tried, not whether a job would succeed.
    """
    for finding in await database.look(settings):
        yield finding
    async with aiohttp.ClientSession() as session:
        for finding in await app.look(settings, session):
            yield finding
        for finding in await model.look(settings, session):
            yield finding
    connections = Connections()
    looks = [asyncio.ensure_future(one) for one in _machines(settings, connections)]
    try:
        for look in looks:
            for finding in await look:
                yield finding
    finally:
        for look in looks:
            look.cancel()
        await asyncio.gather(*looks, return_exceptions=True)
        await connections.close()


def _machines(settings: Settings, connections: Connections) -> list[machine.Look]:
    if settings.provider == "local":
        local = settings.local
        return [
            machine.look(
                LocalShell(),
                machine.Expected(
                    name="this one", gpus=local.gpus, workspace=local.workspace, is_remote=False
                ),
                settings,
            )
        ]
    return [
        machine.look(SshShell(connections.to(one)), _expected(one), settings)
        for one in settings.machines
    ]


def _expected(one: MachineSettings) -> machine.Expected:
    return machine.Expected(
        name=one.name, gpus=one.gpus * one.slots, workspace=one.workspace, is_remote=True
    )
