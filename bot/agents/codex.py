"""Codex: how it is started on a machine, and how its log is read.

What it is told stands in its own HOME (https://github.com/openai/codex/blob/main/docs/config.md).
It has no limit of turns or of money: the bot watches them.
"""

from __future__ import annotations

import json
import shlex
from importlib import resources
from typing import TYPE_CHECKING, Any

from bot.agents.base import Invocation
from bot.agents.codex_log import CodexParser
from bot.errors import ConfigurationError

if TYPE_CHECKING:
    from bot.agents.base import Launch, LogParser
    from bot.settings import CodexSettings

OWN_MODEL = "default"
"""As ``--model``: whichever model Codex takes by itself."""

_TOKEN = "PTQ_MODEL_TOKEN"  # noqa: S105 -- a variable's name
_HOOK = ".ptq/soft_deadline.py"
_FLAGS = (
    "--json",
    # The machine is the sandbox, and nobody is there to approve.
    "--dangerously-bypass-approvals-and-sandbox",
    # The one hook is ours; those of the checkout are off, since nobody trusted it.
    "--dangerously-bypass-hook-trust",
    "--skip-git-repo-check",
)


class Codex:
    """Codex without a person (an ``Agent``)."""

    def __init__(self, settings: CodexSettings) -> None:
        """Read the hook that travels along; raise ConfigurationError for a wrong command."""
        self._command = _words(settings.command)
        self._model = settings.model
        self._max_retries = settings.max_retries
        self._hook = resources.files("bot.remote").joinpath("soft_deadline.py").read_text()

    @property
    def name(self) -> str:
        """How ``--agent`` calls it."""
        return "codex"

    @property
    def default_model(self) -> str:
        """The model where nobody names one."""
        return self._model

    @property
    def skills(self) -> str:
        """Where it looks for skills, below its HOME."""
        return ".codex/skills"

    @property
    def keeps_limits(self) -> bool:
        """It knows no most turns and no most dollars."""
        return False

    def invocation(self, launch: Launch) -> Invocation:
        """Return the program with its whole environment, and the settings in the agent's HOME.

        It chooses the id of its session itself; the HOME is the job's own, so its last session is
        the one to take up. ``launch.environment`` holds ``PTQ_RUN_DIR``.
        """
        hook = f"{launch.home}/{_HOOK}"
        return Invocation(
            argv=(*self._command, *_arguments(launch)),
            environment={
                **launch.environment,
                "HOME": launch.home,
                "CODEX_HOME": f"{launch.home}/.codex",
                "PATH": launch.path,
                "LANG": "C.UTF-8",
                _TOKEN: launch.model_token,
            },
            stdin=launch.prompt,
            files={
                f"{launch.home}/.codex/config.toml": _settings(launch, self._max_retries),
                f"{launch.home}/.codex/hooks.json": json.dumps(_hooks(hook), indent=2),
                hook: self._hook,
            },
        )

    def parser(self) -> LogParser:
        """Return a new parser for one log."""
        return CodexParser()


def _words(command: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise ConfigurationError(f"PTQ_AGENT__CODEX__COMMAND: {error}") from error
    if not words:
        raise ConfigurationError("PTQ_AGENT__CODEX__COMMAND is empty: it names the program")
    return words


def _arguments(launch: Launch) -> tuple[str, ...]:
    model = launch.options.model
    named = () if model == OWN_MODEL else ("--model", model)
    if launch.resume:
        return ("exec", "resume", *_FLAGS, *named, "--last", "-")
    return ("exec", *_FLAGS, *named, "-")


def _settings(launch: Launch, max_retries: int) -> str:
    """Return ``config.toml``; a JSON string is a TOML string."""
    return f"""\
model_provider = "ptq"
approval_policy = "never"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false
# What the web says of an issue is not what this machine shows, and pages can hold orders.
web_search = "disabled"

[model_providers.ptq]
name = "ptq"
base_url = {json.dumps(f"{launch.model_url}/v1")}
env_key = "{_TOKEN}"
wire_api = "responses"
request_max_retries = {max_retries}
stream_max_retries = {max_retries}

[shell_environment_policy]
inherit = "all"
ignore_default_excludes = true
exclude = ["{_TOKEN}"]

[analytics]
enabled = false

[history]
persistence = "none"
"""


def _hooks(hook: str) -> dict[str, Any]:
    sign = '"${PTQ_RUN_DIR:-/nonexistent}/soft-deadline"'
    # The shell looks first: starting Python after each tool would cost more than most tools.
    command = f"[ ! -e {sign} ] || python3 -I {shlex.quote(hook)}"
    told = [{"hooks": [{"type": "command", "command": command, "timeout": 30}]}]
    return {"hooks": {"PostToolUse": told}}
