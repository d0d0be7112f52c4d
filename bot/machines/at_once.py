"""What is asked of a machine at once, because the way there takes longer than the answer."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Mapping

    from bot.machines.base import Shell

T = TypeVar("T")


async def at_once(calls: Iterable[Coroutine[object, object, T]]) -> list[T]:
    """Do calls that do not depend on each other; return their results in order.

    The first error ends the others, and is raised when all of them have ended.
    """
    tasks = [asyncio.ensure_future(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def write_all(shell: Shell, files: Mapping[str, bytes | str], *, mode: int = 0o644) -> None:
    """Write whole files, by path; see ``Shell.write``. After an error some may be written."""
    await at_once(shell.write(path, data, mode=mode) for path, data in files.items())
