"""Whether a model's API would take what the gateway sends on."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from bot.settings import ModelSettings

_LIMIT = aiohttp.ClientTimeout(total=20)
_VERSION = "2023-06-01"
"""https://docs.anthropic.com/en/api/versioning."""
_OK = 200
_REFUSED = (401, 403)


class Tried(Enum):
    """How the endpoint took a question that costs nothing."""

    ANSWERS = auto()
    REFUSES = auto()
    OTHERWISE = auto()
    """It answered something else, as endpoints that only know messages do."""
    SILENT = auto()


async def try_anthropic(settings: ModelSettings, session: aiohttp.ClientSession) -> Tried:
    """Ask for the list of models (https://docs.anthropic.com/en/api/models-list)."""
    key = settings.api_key.get_secret_value() if settings.api_key else ""
    headers = {"x-api-key": key, "anthropic-version": _VERSION}
    return await _try(settings.base_url, headers, session)


async def try_openai(settings: ModelSettings, session: aiohttp.ClientSession) -> Tried:
    """Ask for the list of models (https://platform.openai.com/docs/api-reference/models/list)."""
    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else ""
    return await _try(settings.openai_base_url, {"Authorization": f"Bearer {key}"}, session)


async def _try(base_url: str, headers: dict[str, str], session: aiohttp.ClientSession) -> Tried:
    try:
        async with session.get(
            f"{base_url.rstrip('/')}/v1/models",
            headers=headers,
            timeout=_LIMIT,
            allow_redirects=False,  # the key goes to the configured host alone
        ) as answer:
            status = answer.status
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return Tried.SILENT
    if status == _OK:
        return Tried.ANSWERS
    return Tried.REFUSES if status in _REFUSED else Tried.OTHERWISE
