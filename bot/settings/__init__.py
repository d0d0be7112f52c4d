"""The settings of ptq: read once at the start, typed, frozen.

They come from the environment (prefix ``PTQ_``, nesting by ``__``) and from the TOML file that
``PTQ_CONFIG`` names; the environment wins. A wrong or unknown setting stops the start and is named.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import Field, ValidationError, field_validator, model_validator

from bot.errors import ConfigurationError
from bot.settings.agent import AgentSettings, ClaudeSettings, CodexSettings, ModelSettings
from bot.settings.github import GitHubSettings
from bot.settings.limits import LimitSettings
from bot.settings.machines import LocalSettings, MachineSettings
from bot.settings.reading import (
    CONFIG_VARIABLE,
    explain,
    from_environment,
    from_file,
    merge,
)
from bot.settings.section import Duration, Section
from bot.settings.torch import PatchSettings, ProofSettings, TorchSettings
from bot.settings.upkeep import RetentionSettings, ScheduleSettings
from bot.settings.workers import WorkerSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "AgentSettings",
    "ClaudeSettings",
    "CodexSettings",
    "GitHubSettings",
    "LimitSettings",
    "LocalSettings",
    "MachineSettings",
    "ModelSettings",
    "PatchSettings",
    "ProofSettings",
    "RetentionSettings",
    "ScheduleSettings",
    "Settings",
    "TorchSettings",
    "WorkerSettings",
]

_DEFAULT_STATE = Path("~/.ptq")


class Settings(Section):
    """Everything the operator sets."""

    github: GitHubSettings = GitHubSettings()
    database_url: str | None = None
    """Default: SQLite in the state directory."""
    state_dir: Path = _DEFAULT_STATE
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    provider: Literal["pool", "local"] = "local"
    machines: tuple[MachineSettings, ...] = ()
    local: LocalSettings = LocalSettings()
    agent: AgentSettings = AgentSettings()
    model: ModelSettings = ModelSettings()
    torch: TorchSettings = TorchSettings()
    patch: PatchSettings = PatchSettings()
    proof: ProofSettings = ProofSettings()
    limits: LimitSettings = LimitSettings()
    presets: Path | None = None
    """A directory of texts ``NAME.md`` that a terminal's ``--preset NAME`` gives to the agent."""
    schedule: ScheduleSettings = ScheduleSettings()
    workers: WorkerSettings = WorkerSettings()
    retention: RetentionSettings = RetentionSettings()
    follow_patience: Duration = timedelta(minutes=1)
    """How long a machine may be away while a log is followed, before that counts as a failure."""
    away_patience: Duration = timedelta(minutes=5)
    """How long a step is tried on a machine that is away, before its job begins again elsewhere:
    from the first failure on, and over restarts."""
    progress_interval: Duration = timedelta(seconds=30)
    """The shortest time between two edits of a progress comment."""
    poll_interval: Duration = timedelta(seconds=1)
    """How often the queue is looked at."""
    machine_patience: Duration = timedelta(seconds=20)
    """How long a machine may take to answer a command that looks at it, such as ``/ptq peek``."""
    log_format: Literal["json", "console"] | None = None
    """Default: console on a terminal, JSON elsewhere."""

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("sqlite:", "postgres")):
            message = "takes sqlite:///… or postgresql://…"
            raise ValueError(message)
        return url

    @model_validator(mode="after")
    def _machines_for_pool(self) -> Self:
        if self.provider == "pool" and not self.machines:
            message = "provider 'pool' needs at least one entry under 'machines'"
            raise ValueError(message)
        names = [machine.name for machine in self.machines]
        if len(names) != len(set(names)):
            message = "two entries under 'machines' have the same name"
            raise ValueError(message)
        return self

    @property
    def database(self) -> str:
        """The database's URL for SQLAlchemy."""
        if self.database_url is not None:
            return self.database_url
        return f"sqlite:///{self.state / 'ptq.sqlite'}"

    @property
    def is_sqlite(self) -> bool:
        """Whether one process is the whole service: many take Postgres."""
        return self.database.startswith("sqlite")

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret among the settings, to be kept out of logs and comments."""
        held = (
            self.github.private_key,
            self.github.webhook_secret,
            self.model.api_key,
            self.model.openai_api_key,
        )
        known = tuple(secret.get_secret_value() for secret in held if secret is not None)
        password = urlsplit(self.database_url or "").password
        return (*known, password, unquote(password)) if password else known

    @property
    def state(self) -> Path:
        """The state directory, absolute."""
        return self.state_dir.expanduser().absolute()

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Read the environment and its file; raise ConfigurationError naming what is wrong."""
        variables = os.environ if environment is None else environment
        values = from_file(variables.get(CONFIG_VARIABLE))
        merge(values, from_environment(variables))
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ConfigurationError(explain(error)) from error
