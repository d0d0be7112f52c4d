"""How long a step is tried: an outage of GitHub or of a machine ends no job."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import stamina
import structlog

from bot.errors import GitHubUnavailable, MachineUnreachable, Paused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.durable.outage import Outage
    from bot.errors import PtqError

T = TypeVar("T")

STEP_RETRIED = "step_retried"

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """Which errors are worth another try, and for how long from the first of them on."""

    errors: tuple[type[PtqError], ...]
    total: timedelta
    first: timedelta = timedelta(seconds=1)
    longest: timedelta = timedelta(minutes=1)
    hurried: Callable[[], Awaitable[bool]] | None = None
    """Whether somebody waits for the end of the whole by now: then it is no longer than this."""
    hurry: timedelta = timedelta(seconds=30)


ONCE = Patience((), timedelta(0))
WITH_GITHUB = Patience((GitHubUnavailable,), timedelta(hours=1))


def with_machine(total: timedelta, *, hurried: Callable[[], Awaitable[bool]]) -> Patience:
    """Return the patience of a step that needs a machine, which may be away for so long."""
    return Patience((MachineUnreachable,), total, longest=timedelta(seconds=10), hurried=hurried)


async def patiently(
    name: str, work: Callable[[], Awaitable[T]], patience: Patience, outage: Outage
) -> T:
    """Do the work, again while its errors are worth it; ``name`` is for the log.

    The ``outage`` counts how long they go on, over restarts too.
    """
    if not patience.errors:
        return await work()
    try:
        result = await _again_and_again(name, work, patience, outage)
    except Paused:
        raise  # it is done again, and is not over
    except Exception:
        await outage.ended()
        raise
    await outage.ended()
    return result


async def _again_and_again(
    name: str, work: Callable[[], Awaitable[T]], patience: Patience, outage: Outage
) -> T:
    limit = patience.total

    def is_worth_it(error: Exception) -> bool:
        return isinstance(error, patience.errors) and outage.spent < limit

    context = stamina.retry_context(
        on=is_worth_it,
        attempts=None,
        timeout=None,
        wait_initial=patience.first,
        wait_max=patience.longest,
        wait_jitter=patience.first,
    )
    async for attempt in context:
        with attempt:
            if attempt.num > 1:
                _log.warning(STEP_RETRIED, step=name, tries=attempt.num)
            try:
                with outage.watched():
                    return await work()
            except patience.errors:
                await outage.goes_on()
                if patience.hurried is not None and await patience.hurried():
                    limit = min(patience.total, patience.hurry)
                raise
    message = "stamina ends with a result or an error"
    raise AssertionError(message)
