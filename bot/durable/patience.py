"""How long a step is tried: an outage of GitHub or of a machine ends no job."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import stamina
import structlog

from bot.errors import GitHubUnavailable, MachineUnreachable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.errors import PtqError

T = TypeVar("T")

STEP_RETRIED = "step_retried"

_log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """Which errors are worth another try, and for how long."""

    errors: tuple[type[PtqError], ...]
    total: timedelta
    first: timedelta = timedelta(seconds=1)
    longest: timedelta = timedelta(minutes=1)


ONCE = Patience((), timedelta(0))
WITH_GITHUB = Patience((GitHubUnavailable,), timedelta(hours=1))


def with_machine(total: timedelta) -> Patience:
    """Return the patience of a step that needs a machine, which may be away for so long."""
    return Patience((MachineUnreachable,), total)


async def patiently(name: str, work: Callable[[], Awaitable[T]], patience: Patience) -> T:
    """Do the work, again while its errors are worth it; ``name`` is for the log."""
    if not patience.errors:
        return await work()
    context = stamina.retry_context(
        on=patience.errors,
        attempts=None,
        timeout=patience.total,
        wait_initial=patience.first,
        wait_max=patience.longest,
        wait_jitter=patience.first,
    )
    async for attempt in context:
        with attempt:
            if attempt.num > 1:
                _log.warning(STEP_RETRIED, step=name, tries=attempt.num)
            return await work()
    message = "stamina ends with a result or an error"
    raise AssertionError(message)
