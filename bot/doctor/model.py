"""The models' endpoints and keys: Anthropic's, and OpenAI's where Codex may be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.doctor.finding import Finding, fine, note, wrong
from bot.gateway.trying import Tried, try_anthropic, try_openai

if TYPE_CHECKING:
    import aiohttp

    from bot.settings import Settings

PART = "model"
CODEX = "model of codex"


async def look(settings: Settings, session: aiohttp.ClientSession) -> list[Finding]:
    """Ask each endpoint for its models, with the key."""
    model = settings.model
    findings: list[Finding] = []
    if model.api_key is not None:
        tried = await try_anthropic(model, session)
        findings.append(_found(PART, tried, model.base_url, "PTQ_MODEL__"))
    elif model.openai_api_key is None:
        findings.append(
            wrong(
                PART,
                "there is no key, and no agent can think without one",
                mend="set PTQ_MODEL__API_KEY",
            )
        )
    else:
        findings.append(note(PART, "there is no key: only `--agent codex` can think"))
    if model.openai_api_key is not None:
        tried = await try_openai(model, session)
        findings.append(_found(CODEX, tried, model.openai_base_url, "PTQ_MODEL__OPENAI_"))
    return findings


def _found(part: str, tried: Tried, base_url: str, prefix: str) -> Finding:
    match tried:
        case Tried.ANSWERS:
            return fine(part, f"{base_url} answers and takes the key")
        case Tried.REFUSES:
            return wrong(part, f"{base_url} refuses the key", mend=f"set another {prefix}API_KEY")
        case Tried.OTHERWISE:
            return note(part, f"{base_url} answers, and does not list its models")
        case Tried.SILENT:
            return wrong(
                part,
                f"{base_url} cannot be reached",
                mend=f"see {prefix}BASE_URL, and the network",
            )
