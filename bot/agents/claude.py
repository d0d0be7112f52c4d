"""Claude Code: how it is started on a machine, and how its log is read."""

from __future__ import annotations

import json
import shlex
from datetime import timedelta
from importlib import resources
from typing import TYPE_CHECKING, Any

from bot.agents.base import Invocation
from bot.agents.stream import StreamParser
from bot.errors import ConfigurationError
from bot.models import JobOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.agents.base import Launch, LogParser
    from bot.settings import ClaudeSettings

API_LIMIT = timedelta(minutes=10)
"""For one answer of the model; the gateway waits as long for the next piece of one."""
COMMAND_LIMIT = timedelta(minutes=5)
"""For a command that the agent gives no limit of its own."""
LONGEST_COMMAND = timedelta(minutes=15)
"""Shorter than the time between the soft and the hard deadline: a hook tells the agent of the soft
one when a tool has ended."""

DENIED = (
    # What the web says of an issue is not what this machine shows, and pages can hold orders.
    *("WebFetch", "WebSearch"),
    # Nothing is published from here.
    *("Bash(git push:*)", "Bash(gh:*)"),
    # A run ends: it does not sleep, repeat itself, or move to another worktree.
    *("CronCreate", "ScheduleWakeup", "EnterWorktree", "Workflow"),
    # Its own rules.
    *("Edit(~/.claude/**)", "Edit(~/.ptq/**)"),
)
"""Permission rules that hold although permissions are not asked for. They keep an honest agent on
its way; what a hostile one cannot do is settled by what its machine does not have."""

_HOOK = ".ptq/soft_deadline.py"


class Claude:
    """Claude Code in print mode, without a person (an ``Agent``)."""

    def __init__(self, settings: ClaudeSettings) -> None:
        """Read the hook that travels along; raise ConfigurationError for a wrong command."""
        self._command = _words(settings.command)
        self._max_retries = settings.max_retries
        self._hook = resources.files("bot.remote").joinpath("soft_deadline.py").read_text()

    @property
    def name(self) -> str:
        """How ``--agent`` calls it."""
        return "claude"

    @property
    def default_model(self) -> str:
        """The model where nobody names one."""
        return JobOptions().model

    @property
    def skills(self) -> str:
        """Where it looks for skills, below its HOME."""
        return ".claude/skills"

    @property
    def keeps_limits(self) -> bool:
        """It is told the most turns and dollars, and ends there."""
        return True

    def invocation(self, launch: Launch) -> Invocation:
        """Return the program with its whole environment, and the settings in the agent's HOME.

        ``launch.environment`` holds ``PTQ_RUN_DIR``, where the file ``soft-deadline`` appears.
        """
        hook = f"{launch.home}/{_HOOK}"
        return Invocation(
            argv=(*self._command, *_arguments(launch)),
            environment={**launch.environment, **self._environment(launch)},
            stdin=launch.prompt,
            files={
                f"{launch.home}/.claude/settings.json": json.dumps(_settings(hook), indent=2),
                hook: self._hook,
            },
        )

    def parser(self) -> LogParser:
        """Return a new parser for one log."""
        return StreamParser()

    def _environment(self, launch: Launch) -> Mapping[str, str]:
        return {
            "HOME": launch.home,
            "PATH": launch.path,
            "LANG": "C.UTF-8",
            "IS_SANDBOX": "1",  # else it refuses to skip permissions as root
            "ANTHROPIC_BASE_URL": launch.model_url,
            "ANTHROPIC_AUTH_TOKEN": launch.model_token,
            "API_TIMEOUT_MS": _milliseconds(API_LIMIT),
            "BASH_DEFAULT_TIMEOUT_MS": _milliseconds(COMMAND_LIMIT),
            "BASH_MAX_TIMEOUT_MS": _milliseconds(LONGEST_COMMAND),
            "CLAUDE_CODE_MAX_RETRIES": str(self._max_retries),
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "CLAUDE_CODE_DISABLE_AUTO_MEMORY": "1",
            # A background task would hold a finished run open until the hard deadline; subagents
            # work in the foreground then.
            "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
            "CLAUDE_CODE_DISABLE_BUNDLED_SKILLS": "1",
            "DISABLE_AUTOUPDATER": "1",
        }


def _words(command: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise ConfigurationError(f"PTQ_AGENT__CLAUDE__COMMAND: {error}") from error
    if not words:
        raise ConfigurationError("PTQ_AGENT__CLAUDE__COMMAND is empty: it names the program")
    return words


def _arguments(launch: Launch) -> tuple[str, ...]:
    options = launch.options
    budget = () if options.max_usd is None else ("--max-budget-usd", str(options.max_usd))
    return (
        "-p",
        *("--output-format", "stream-json", "--verbose"),
        *("--resume" if launch.resume else "--session-id", launch.session_id),
        *("--model", options.model),
        *("--max-turns", str(options.max_turns)),
        *budget,
        "--dangerously-skip-permissions",
        # The checkout's own settings, hooks and servers take no part.
        *("--setting-sources", "user", "--strict-mcp-config"),
    )


def _settings(hook: str) -> dict[str, Any]:
    """Return the agent's ``settings.json`` (https://json.schemastore.org/claude-code-settings)."""
    sign = '"${PTQ_RUN_DIR:-/nonexistent}/soft-deadline"'
    # The shell looks first: starting Python after each tool would cost more than most tools.
    command = f"[ ! -e {sign} ] || python3 -I {shlex.quote(hook)}"
    told = [{"hooks": [{"type": "command", "command": command, "timeout": 30}]}]
    return {
        "permissions": {"deny": list(DENIED)},
        "hooks": {"PostToolUse": told, "PostToolUseFailure": told},
        "attribution": {"commit": "", "pr": ""},
    }


def _milliseconds(limit: timedelta) -> str:
    return str(int(limit.total_seconds() * 1000))
