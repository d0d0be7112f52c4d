"""What a run left that its pull request says: the agent's own words, its claim, and the proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.models import AgentVerdict, Proof

if TYPE_CHECKING:
    from collections.abc import Mapping


class PullRequestWords(BaseModel):
    """``pr.json`` as the agent left it; what is missing or wrong is left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    title: str = ""
    body: str = ""
    commit_message: str = ""

    @classmethod
    def read(cls, text: str) -> PullRequestWords:
        """Return the words; none for anything that is not what was asked for."""
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            return cls()


def proof_of(documents: Mapping[str, str]) -> Proof | None:
    """Return what the bot saw when it tried the change; None for a run that was not proved."""
    text = documents.get("proof.json")
    return None if text is None else Proof.model_validate_json(text)


def claim_of(text: str) -> AgentVerdict | None:
    """Return the agent's verdict; None for what is none."""
    try:
        return AgentVerdict.model_validate_json(text)
    except ValidationError:
        return None
