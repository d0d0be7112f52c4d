"""The settings of ptq: read once at the start, typed, frozen.

They come from the environment (prefix ``PTQ_``, nesting by ``__``) and from the TOML file that
``PTQ_CONFIG`` names; the environment wins. A wrong or unknown setting stops the start and is named.
"""

from __future__ import annotations

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from bot.errors import ConfigurationError
from bot.settings.reading import (
    CONFIG_VARIABLE,
    explain,
    from_environment,
    from_file,
    merge,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")


def _seconds(value: object) -> object:
    """Take a number that came as text, as from the environment, for one."""
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value)
    return value


Duration = Annotated[timedelta, BeforeValidator(_seconds)]
"""Seconds, or ISO 8601 (``PT30S``)."""


class Section(BaseModel):
    """A frozen group of settings that knows no other names than its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class GitHubSettings(Section):
    """The GitHub App."""

    app_id: int | None = None
    private_key: SecretStr | None = None
    """PEM text; or name its file in ``private_key_file``."""
    private_key_file: Path | None = None
    webhook_secret: SecretStr | None = None
    api_url: str = "https://api.github.com"
    repositories: tuple[str, ...] = ()
    """``owner/name`` or ``owner``: what is served."""
    timeout: Duration = timedelta(seconds=30)
    """Of one request."""
    max_wait: Duration = timedelta(minutes=15)
    """The longest wait on a rate limit before a step gives up (and is retried later)."""

    @property
    def key(self) -> str:
        """The App's private key as PEM text."""
        if self.private_key is not None:
            return self.private_key.get_secret_value()
        if self.private_key_file is not None:
            try:
                return self.private_key_file.expanduser().read_text()
            except OSError as error:
                message = f"PTQ_GITHUB__PRIVATE_KEY_FILE: {error}"
                raise ConfigurationError(message) from error
        message = (
            "PTQ_GITHUB__PRIVATE_KEY or PTQ_GITHUB__PRIVATE_KEY_FILE is missing: "
            "download a private key on the App's settings page"
        )
        raise ConfigurationError(message)

    def serves(self, full_name: str) -> bool:
        """Whether ``owner/name`` is listed, or its owner is."""
        owner = full_name.partition("/")[0].lower()
        listed = {entry.lower() for entry in self.repositories}
        return full_name.lower() in listed or owner in listed


class MachineSettings(Section):
    """One machine of the pool."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")
    host: str
    port: int = Field(default=22, ge=1, le=65535)
    user: str
    key: Path
    """The private key's file on the bot's side."""
    known_hosts: str
    """The machine's host key as in a ``known_hosts`` line without the host
    (``ssh-ed25519 AAAA…``), or the path of a ``known_hosts`` file."""
    gpu_type: str
    gpus: int = Field(default=1, ge=0)
    """GPUs of one slot."""
    slots: int = Field(default=1, ge=1)
    """How many jobs at once."""
    workspace: str = "~/ptq_workspace"


class LocalSettings(Section):
    """The machine ptq itself runs on, as a provider."""

    gpu_type: str = "cpu"
    gpus: int = Field(default=0, ge=0)
    slots: int = Field(default=1, ge=1)
    workspace: str = "~/ptq_workspace"


class ClaudeSettings(Section):
    """Claude Code on the machine."""

    command: str = "claude"
    """The program, by name or path; split as a shell splits words."""
    max_retries: int = Field(default=10, ge=0)
    """``CLAUDE_CODE_MAX_RETRIES``."""


class AgentSettings(Section):
    """How agents are run."""

    claude: ClaudeSettings = ClaudeSettings()
    soft_deadline: Duration = timedelta(minutes=20)
    """How long before the hard deadline the agent is told to write down what it has."""
    stop_grace: Duration = timedelta(seconds=10)
    """Between asking the agent to stop and ending it."""


class ModelSettings(Section):
    """The model's API; the key stays on the bot's side."""

    base_url: str = "https://api.anthropic.com"
    api_key: SecretStr | None = None
    gateway_port: int = Field(default=0, ge=0, le=65535)
    """Port of the gateway on 127.0.0.1; 0 takes a free one. Machines reach it through SSH; with
    the provider ``local`` a fixed one lets a running agent go on after a restart."""


class TorchSettings(Section):
    """Where the wheel and the source come from."""

    package: str = Field(default="torch", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """The package under investigation, as ``pip`` knows it."""
    module: str = Field(default="torch", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """Its import name; ``<module>.version.git_version`` is the wheel's commit."""
    requirement: str | None = None
    """What to install, for example ``torch==2.13.0``; default: the newest build, nightlies too."""
    index_url: str = "https://download.pytorch.org/whl/nightly"
    """A package index; ``/<cuda tag>`` or ``/cpu`` is appended unless ``tagged`` is false.
    A directory is searched for wheels."""
    tagged: bool = True
    cuda: str | None = Field(default=None, pattern=r"^(cpu|cu\d{2,4})$")
    """The CUDA tag; default: from ``nvidia-smi`` on the machine."""
    source_url: str = "https://github.com/pytorch/pytorch.git"
    python: str = "3.12"
    """The Python of the workspace's environment; an interpreter's version or path."""
    extra_packages: tuple[str, ...] = ("numpy", "pytest", "expecttest", "hypothesis")
    """Installed beside the package, from the default package index."""
    setup_timeout: Duration = timedelta(minutes=30)


class PatchSettings(Section):
    """What a patch may hold."""

    allow: tuple[str, ...] = ("**/*.py", "**/*.pyi", "**/*.md", "**/*.rst")
    """Glob patterns (``**`` crosses directories); a file must match one of them."""
    deny: tuple[str, ...] = (".github/**", ".ci/**", "third_party/**", "**/conftest.py")
    """Patterns that win over ``allow``."""
    max_bytes: int = 200_000
    max_files: int = 50


class ProofSettings(Section):
    """How the bot itself checks a repro and a patch."""

    runs: int = Field(default=3, ge=1, le=20)
    """How often a repro is run on each side."""
    runs_when_mixed: int = Field(default=5, ge=1, le=20)
    """How often when its runs differ."""
    test_runs: int = Field(default=10, ge=1, le=100)
    """How often a single test is run that is reported as flaky (DISABLED tests)."""
    time_limit: Duration = timedelta(seconds=120)
    """Of one run; what takes longer hangs."""
    tests_budget: Duration = timedelta(minutes=10)
    """For the tests near the patch, both sides together."""
    retries: int = Field(default=1, ge=0, le=3)
    """How often the agent gets the bot's fresh output and another try."""


class LimitSettings(Section):
    """What anybody may ask for."""

    hours: float = Field(default=8.0, gt=0, le=24)
    gpus: int = Field(default=8, ge=0)
    usd: float = Field(default=50.0, gt=0)
    artifact_bytes: int = 20_000_000
    """One artifact fetched from a machine; what is longer loses its middle."""


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
    progress_interval: Duration = timedelta(seconds=30)
    """The shortest time between two edits of a progress comment."""
    poll_interval: Duration = timedelta(seconds=1)
    """How often the queue is looked at."""
    log_format: Literal["json", "console"] | None = None
    """Default: console on a terminal, JSON elsewhere."""

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
    def secrets(self) -> tuple[str, ...]:
        """Every secret among the settings, to be kept out of logs and comments."""
        held = (self.github.private_key, self.github.webhook_secret, self.model.api_key)
        return tuple(secret.get_secret_value() for secret in held if secret is not None)

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
