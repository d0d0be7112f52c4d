"""What SSH raises, as our own errors, and how long to wait before the next attempt."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

import asyncssh

from bot.errors import MachineUnreachable

if TYPE_CHECKING:
    from collections.abc import Generator

_NOTICING = 0.3
_BACKOFF = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


@contextmanager
def reaching(machine: str) -> Generator[None]:
    """Turn what SSH raises into MachineUnreachable, which names the machine and no host or user."""
    try:
        yield
    except asyncssh.HostKeyNotVerifiable as error:
        message = f"machine {machine}: its host key is not the pinned one"
        raise MachineUnreachable(message) from error
    except asyncssh.PermissionDenied as error:
        raise MachineUnreachable(f"machine {machine}: the login was refused") from error
    except (OSError, asyncssh.Error) as error:
        raise MachineUnreachable(f"machine {machine} does not answer") from error


def backoff(attempt: int) -> float:
    """Return the seconds to wait before the next attempt, the first being 0."""
    return _BACKOFF[min(attempt, len(_BACKOFF) - 1)]


async def is_lost(client: asyncssh.SSHClientConnection) -> bool:
    """Whether a connection that opened no session, or no port, is gone, or about to be."""
    try:
        await asyncio.wait_for(client.wait_closed(), _NOTICING)
    except TimeoutError:
        return False
    return True
