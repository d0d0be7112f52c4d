"""Passes by the clock: each in a task of its own, in one process at a time.

A pass may be done twice at once, when clocks differ or a process was frozen in it: whatever it
does is found by its key, so that does no harm. What fails is logged, and tried by the next pass.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from bot.errors import PtqError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
    from datetime import timedelta

    from bot.store import Turns

SWEPT = "swept"
SWEEP_FAILED = "sweep_failed"

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pass:
    """Something that is done now and then."""

    name: str
    every: timedelta
    work: Callable[[], Awaitable[Mapping[str, int]]]
    """Returns what was done, by number; nothing is logged of a pass that did nothing."""
    in_each_process: bool = False
    """Whether it is about what only this process can reach."""


@asynccontextmanager
async def scheduled(turns: Turns, passes: Sequence[Pass]) -> AsyncGenerator[None]:
    """Do the passes while the block runs: each at once, and then by the clock."""
    tasks = [asyncio.create_task(_repeat(turns, each), name=each.name) for each in passes]
    try:
        yield
    finally:
        # A pass that is cut off is done by the next one.
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _repeat(turns: Turns, each: Pass) -> None:
    at_once = True
    while True:
        with structlog.contextvars.bound_contextvars(sweep=each.name):
            await _once(turns, each, at_once=at_once)
        at_once = False
        await asyncio.sleep(each.every.total_seconds())


async def _once(turns: Turns, each: Pass, *, at_once: bool) -> None:
    try:
        if each.in_each_process or await turns.take(each.name, every=each.every, now=at_once):
            done = {name: number for name, number in (await each.work()).items() if number}
            if done:
                _log.info(SWEPT, **done)
    except PtqError as error:
        _log.warning(SWEEP_FAILED, kind=type(error).__name__, reason=str(error))
    except Exception:  # noqa: BLE001 -- the next pass must come, whatever this one stumbled over
        _log.exception(SWEEP_FAILED)
