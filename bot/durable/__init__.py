"""Workflows that survive their process; the only door of dbos."""

from __future__ import annotations

from bot.durable.client import Client, Enqueuing
from bot.durable.engine import ENGINE_STOPPED, STEP_BROKE, STEP_PAUSED, Engine
from bot.durable.library import APPLICATION, APPLICATION_VERSION, Queue
from bot.durable.outage import answered
from bot.durable.patience import ONCE, STEP_RETRIED, WITH_GITHUB, Patience, with_machine

__all__ = [
    "APPLICATION",
    "APPLICATION_VERSION",
    "ENGINE_STOPPED",
    "ONCE",
    "STEP_BROKE",
    "STEP_PAUSED",
    "STEP_RETRIED",
    "WITH_GITHUB",
    "Client",
    "Engine",
    "Enqueuing",
    "Patience",
    "Queue",
    "answered",
    "with_machine",
]
