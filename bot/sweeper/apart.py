"""The pieces of a pass, each for itself: one that fails or takes long keeps no other back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import structlog

from bot.errors import PtqError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

NOT_SWEPT = "not_swept"

_log = structlog.stdlib.get_logger(__name__)


async def apart(pieces: Mapping[str, Coroutine[None, None, int]]) -> int:
    """Do all pieces at once and return the sum of what they did; the next pass tries again."""
    return sum(await asyncio.gather(*(_one(name, piece) for name, piece in pieces.items())))


async def _one(name: str, piece: Coroutine[None, None, int]) -> int:
    try:
        return await piece
    except PtqError as error:
        _log.warning(NOT_SWEPT, piece=name, kind=type(error).__name__, reason=str(error))
    except Exception:  # noqa: BLE001 -- a bug that one piece stumbles over is not the others' fault
        _log.exception(NOT_SWEPT, piece=name)
    return 0
