"""Coding agents: how they are started, and what their logs say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.agents.claude import Claude
from bot.agents.codex import Codex

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.agents.base import Agent
    from bot.settings import AgentSettings

__all__ = ["AGENT_NAMES", "agents"]

AGENT_NAMES = ("claude", "codex")
"""What ``--agent`` may be."""


def agents(settings: AgentSettings) -> Mapping[str, Agent]:
    """Return every agent by its name; called once, at the start (it reads a file)."""
    return {agent.name: agent for agent in (Claude(settings.claude), Codex(settings.codex))}
