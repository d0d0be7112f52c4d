"""The model's endpoint and its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.doctor.finding import Finding, fine, note, wrong
from bot.gateway.trying import Tried, try_endpoint

if TYPE_CHECKING:
    import aiohttp

    from bot.settings import Settings

PART = "model"


async def look(settings: Settings, session: aiohttp.ClientSession) -> Finding:
    """Ask the endpoint for its models, with the key."""
    base_url = settings.model.base_url
    if settings.model.api_key is None:
        return wrong(
            PART,
            "there is no key, and no agent can think without one",
            mend="set PTQ_MODEL__API_KEY",
        )
    match await try_endpoint(settings.model, session):
        case Tried.ANSWERS:
            return fine(PART, f"{base_url} answers and takes the key")
        case Tried.REFUSES:
            return wrong(PART, f"{base_url} refuses the key", mend="set another PTQ_MODEL__API_KEY")
        case Tried.OTHERWISE:
            return note(PART, f"{base_url} answers, and does not list its models")
        case Tried.SILENT:
            return wrong(
                PART,
                f"{base_url} cannot be reached",
                mend="see PTQ_MODEL__BASE_URL, and the network",
            )
