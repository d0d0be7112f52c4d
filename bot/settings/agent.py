"""The settings of agents and of their model."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field, SecretStr

from bot.settings.section import Duration, Section


class ClaudeSettings(Section):
    """Claude Code on the machine."""

    command: str = "claude"
    """The program, by name or path; split as a shell splits words."""
    max_retries: int = Field(default=10, ge=0)
    """``CLAUDE_CODE_MAX_RETRIES``."""


class CodexSettings(Section):
    """Codex on the machine."""

    command: str = "codex"
    """The program, by name or path; split as a shell splits words."""
    model: str = Field(default="default", pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$")
    """Where ``--model`` is not given; ``default`` leaves the choice to Codex."""
    max_retries: int = Field(default=5, ge=0)
    """Of a request to the model that failed, and of an answer that broke off."""


class AgentSettings(Section):
    """How agents are run."""

    claude: ClaudeSettings = ClaudeSettings()
    codex: CodexSettings = CodexSettings()
    soft_deadline: Duration = timedelta(minutes=20)
    """How long before the hard deadline the agent is told to write down what it has."""
    stop_grace: Duration = timedelta(seconds=2)
    """Between asking the agent to stop and ending it; a kill takes effect within five seconds."""


class ModelSettings(Section):
    """The model's API; the key stays on the bot's side."""

    base_url: str = "https://api.anthropic.com"
    api_key: SecretStr | None = None
    openai_base_url: str = "https://api.openai.com"
    """The Responses API, for Codex; ``/v1/responses`` is appended."""
    openai_api_key: SecretStr | None = None
    gateway_port: int = Field(default=0, ge=0, le=65535)
    """Port of the gateway on 127.0.0.1; 0 takes a free one. Machines reach it through SSH; with
    the provider ``local`` a fixed one lets a running agent go on after a restart."""
