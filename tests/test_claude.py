"""How Claude Code is started."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from bot.agents import AGENT_NAMES, agents
from bot.agents.base import Launch
from bot.agents.claude import Claude
from bot.agents.stream import StreamParser
from bot.errors import ConfigurationError
from bot.models import JobOptions
from bot.settings import AgentSettings, ClaudeSettings

CLAUDE = Claude(ClaudeSettings(command="nice -n 5 'my claude'", max_retries=3))
LAUNCH = Launch(
    options=JobOptions(),
    session_id="7d1a4c6e-0d5f-4d54-9d1f-5f0c3f0c2b11",
    resume=False,
    prompt="Read brief.md; $(do) `not` expand 'me'.",
    directory="/w/jobs/j",
    worktree="/w/jobs/j/pytorch",
    home="/w/jobs/j/home dir",
    path="/w/jobs/j/.venv/bin:/usr/bin:/bin",
    model_url="http://127.0.0.1:4567",
    model_token="ptq-model-t0ken",
    environment={"PTQ_RUN_DIR": "/w/jobs/j/run-1", "PYTHONPATH": "/w/jobs/j/pytorch", "HOME": "/x"},
)


def test_agents() -> None:
    """Every agent that an option may name is built, under that name."""
    built = agents(AgentSettings())

    assert tuple(built) == AGENT_NAMES
    assert [agent.name for agent in built.values()] == list(AGENT_NAMES)
    assert isinstance(built["claude"].parser(), StreamParser)


def test_command_line() -> None:
    """The program gets no prompt and no secret on its command line."""
    assert CLAUDE.invocation(LAUNCH).argv == snapshot(
        (
            "nice",
            "-n",
            "5",
            "my claude",
            "-p",
            "--output-format",
            "stream-json",
            "--verbose",
            "--session-id",
            "7d1a4c6e-0d5f-4d54-9d1f-5f0c3f0c2b11",
            "--model",
            "opus",
            "--max-turns",
            "100",
            "--dangerously-skip-permissions",
            "--setting-sources",
            "user",
            "--strict-mcp-config",
        )
    )
    assert CLAUDE.invocation(LAUNCH).stdin == LAUNCH.prompt


def test_options_of_the_job() -> None:
    """Model, turns and budget are the job's; a later run goes on with the session."""
    options = JobOptions(model="claude-opus-5[1m]", max_turns=7, max_usd=0.5)

    argv = CLAUDE.invocation(replace(LAUNCH, options=options, resume=True)).argv

    assert argv[argv.index("--model") + 1] == "claude-opus-5[1m]"
    assert argv[argv.index("--max-turns") + 1] == "7"
    assert argv[argv.index("--max-budget-usd") + 1] == "0.5"
    assert argv[argv.index("--resume") + 1] == LAUNCH.session_id
    assert "--session-id" not in argv


def test_environment() -> None:
    """The environment is whole and holds the token, once; the job's cannot change the agent's."""
    assert dict(CLAUDE.invocation(LAUNCH).environment) == snapshot(
        {
            "PTQ_RUN_DIR": "/w/jobs/j/run-1",
            "PYTHONPATH": "/w/jobs/j/pytorch",
            "HOME": "/w/jobs/j/home dir",
            "PATH": "/w/jobs/j/.venv/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "IS_SANDBOX": "1",
            "ANTHROPIC_BASE_URL": "http://127.0.0.1:4567",
            "ANTHROPIC_AUTH_TOKEN": "ptq-model-t0ken",
            "API_TIMEOUT_MS": "600000",
            "BASH_DEFAULT_TIMEOUT_MS": "300000",
            "BASH_MAX_TIMEOUT_MS": "900000",
            "CLAUDE_CODE_MAX_RETRIES": "3",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "CLAUDE_CODE_DISABLE_AUTO_MEMORY": "1",
            "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",
            "CLAUDE_CODE_DISABLE_BUNDLED_SKILLS": "1",
            "DISABLE_AUTOUPDATER": "1",
        }
    )


def test_settings() -> None:
    """The agent's HOME gets its rules and the hook that tells it of the soft deadline."""
    files = CLAUDE.invocation(LAUNCH).files
    settings = json.loads(files["/w/jobs/j/home dir/.claude/settings.json"])

    assert sorted(files) == [
        "/w/jobs/j/home dir/.claude/settings.json",
        "/w/jobs/j/home dir/.ptq/soft_deadline.py",
    ]
    assert sorted(settings) == ["attribution", "hooks", "permissions"]
    assert settings["permissions"] == snapshot(
        {
            "deny": [
                "WebFetch",
                "WebSearch",
                "Bash(git push:*)",
                "Bash(gh:*)",
                "CronCreate",
                "ScheduleWakeup",
                "EnterWorktree",
                "Workflow",
                "Edit(~/.claude/**)",
                "Edit(~/.ptq/**)",
            ]
        }
    )
    assert settings["attribution"] == {"commit": "", "pr": ""}
    assert sorted(settings["hooks"]) == ["PostToolUse", "PostToolUseFailure"]


def test_token_is_in_the_environment_alone() -> None:
    """No file, no argument and no representation shows the token."""
    invocation = CLAUDE.invocation(LAUNCH)

    elsewhere = (invocation.argv, invocation.files, invocation.stdin, LAUNCH)
    assert LAUNCH.model_token not in repr(elsewhere)


@pytest.mark.parametrize("command", ["", "  ", "claude 'unclosed"])
def test_wrong_command_stops_the_start(command: str) -> None:
    """A command that names no program is the operator's to mend, and the setting is named."""
    with pytest.raises(ConfigurationError, match="PTQ_AGENT__CLAUDE__COMMAND"):
        Claude(ClaudeSettings(command=command))


async def _hook(home: Path, run_directory: Path, event: str = "PostToolUse") -> str:
    """Run the hook as Claude Code does: through a shell, the event on stdin."""
    invocation = CLAUDE.invocation(replace(LAUNCH, home=str(home)))
    settings = json.loads(invocation.files[f"{home}/.claude/settings.json"])
    command = settings["hooks"][event][0]["hooks"][0]["command"]
    process = await asyncio.create_subprocess_exec(
        *("/bin/sh", "-c", command),
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "PTQ_RUN_DIR": str(run_directory)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate(json.dumps({"hook_event_name": event}).encode())
    assert process.returncode == 0
    return output.decode()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The agent's HOME on the machine, with a space in its name."""
    home = tmp_path / "home of agent"
    for path, text in CLAUDE.invocation(replace(LAUNCH, home=str(home))).files.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)
    return home


@pytest.fixture
def warned_run(tmp_path: Path) -> Path:
    """A run whose soft deadline has come."""
    directory = tmp_path / "run"
    directory.mkdir()
    directory.joinpath("soft-deadline").touch()
    return directory


@pytest.mark.parametrize("event", ["PostToolUse", "PostToolUseFailure"])
async def test_hook_speaks_at_the_soft_deadline(home: Path, warned_run: Path, event: str) -> None:
    """The hook in the settings finds its program and tells the agent, whether a tool failed."""
    answer = json.loads(await _hook(home, warned_run, event))

    assert answer["hookSpecificOutput"]["hookEventName"] == event
    assert "Your time is nearly over" in answer["hookSpecificOutput"]["additionalContext"]


async def test_hook_is_silent_before_the_soft_deadline(home: Path, tmp_path: Path) -> None:
    """Before the soft deadline a tool costs nothing more."""
    assert await _hook(home, tmp_path) == ""
