"""The database and the state directory."""

from __future__ import annotations

import asyncio
import os
import shutil
from typing import TYPE_CHECKING

from bot.doctor.finding import Finding, fine, note, wrong
from bot.errors import ConfigurationError
from bot.store import Database

if TYPE_CHECKING:
    from pathlib import Path

    from bot.settings import Settings

PART = "database"
STATE = "state directory"
_GIB = 1 << 30
_LITTLE = _GIB
"""Bytes free in the state directory below which artifacts may not fit any more."""


async def look(settings: Settings) -> list[Finding]:
    """Look at where ptq keeps what it must not forget."""
    return [await _database(settings), await asyncio.to_thread(_state, settings.state)]


async def _database(settings: Settings) -> Finding:
    database = await asyncio.to_thread(Database, settings.database)
    where = database.engine.url.render_as_string(hide_password=True)
    if database.is_sqlite and not await asyncio.to_thread(_exists, database):
        return note(PART, f"{where} is not there yet: `ptq serve` makes it, or the first job")
    try:
        await database.require_current()
    except ConfigurationError as error:
        return wrong(PART, str(error))
    finally:
        await database.close()
    return fine(PART, f"{where}, at the version that this ptq needs")


def _exists(database: Database) -> bool:
    return os.path.exists(database.engine.url.database or "")  # noqa: PTH110 -- may be ":memory:"


def _state(state: Path) -> Finding:
    there = next(path for path in (state, *state.parents) if path.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        return wrong(
            STATE, f"{there} cannot be written to", mend="set PTQ_STATE_DIR, or its permissions"
        )
    free = shutil.disk_usage(there).free
    says = f"{state}, {free / _GIB:.1f} GiB free"
    return (
        fine(STATE, says) if free >= _LITTLE else wrong(STATE, says, mend="make room on the disk")
    )
