"""How Codex is started, and what its log says."""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace

import pytest
from hypothesis import given, strategies as st
from inline_snapshot import snapshot

from bot.agents.base import Launch
from bot.agents.codex import Codex
from bot.agents.codex_log import CodexParser
from bot.errors import ConfigurationError
from bot.models import AgentEnd, JobOptions
from bot.settings import CodexSettings
from tests.fakes.recorded_runs import RECORDED_CODEX_RUNS

CODEX = Codex(CodexSettings(command="nice 'my codex'", max_retries=3))
LAUNCH = Launch(
    options=JobOptions(agent="codex", model="gpt-5.1"),
    session_id="7d1a4c6e-0d5f-4d54-9d1f-5f0c3f0c2b11",
    resume=False,
    prompt="Read brief.md; $(do) `not` expand 'me'.",
    directory="/w/jobs/j",
    worktree="/w/jobs/j/pytorch",
    home="/w/jobs/j/home dir",
    path="/w/jobs/j/.venv/bin:/usr/bin:/bin",
    model_url="http://127.0.0.1:4567",
    model_token="ptq-model-t0ken",
    environment={"PTQ_RUN_DIR": "/w/jobs/j/run-1", "HOME": "/x"},
)


def test_command_line() -> None:
    """The program gets no prompt and no secret on its command line."""
    invocation = CODEX.invocation(LAUNCH)
    assert invocation.argv == snapshot(
        (
            "nice",
            "my codex",
            "exec",
            "--json",
            "--dangerously-bypass-approvals-and-sandbox",
            "--dangerously-bypass-hook-trust",
            "--skip-git-repo-check",
            "--model",
            "gpt-5.1",
            "-",
        )
    )
    assert invocation.stdin == LAUNCH.prompt
    assert dict(invocation.environment) == snapshot(
        {
            "PTQ_RUN_DIR": "/w/jobs/j/run-1",
            "HOME": "/w/jobs/j/home dir",
            "CODEX_HOME": "/w/jobs/j/home dir/.codex",
            "PATH": "/w/jobs/j/.venv/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PTQ_MODEL_TOKEN": "ptq-model-t0ken",
        }
    )


def test_another_try() -> None:
    """It goes on with the last session of its HOME, which is the job's own."""
    options = JobOptions(agent="codex", model="default")
    argv = CODEX.invocation(replace(LAUNCH, resume=True, options=options)).argv
    assert argv[2:4] == ("exec", "resume")
    assert argv[-2:] == ("--last", "-")
    assert "--model" not in argv


def test_its_settings() -> None:
    """The model is reached through the gateway, and what it runs does not see the token."""
    files = CODEX.invocation(LAUNCH).files
    assert list(files) == snapshot(
        [
            "/w/jobs/j/home dir/.codex/config.toml",
            "/w/jobs/j/home dir/.codex/hooks.json",
            "/w/jobs/j/home dir/.ptq/soft_deadline.py",
        ]
    )
    config = tomllib.loads(files["/w/jobs/j/home dir/.codex/config.toml"])
    assert config["model_providers"]["ptq"] == snapshot(
        {
            "name": "ptq",
            "base_url": "http://127.0.0.1:4567/v1",
            "env_key": "PTQ_MODEL_TOKEN",
            "wire_api": "responses",
            "request_max_retries": 3,
            "stream_max_retries": 3,
        }
    )
    assert config["shell_environment_policy"]["exclude"] == ["PTQ_MODEL_TOKEN"]
    assert config["web_search"] == "disabled"
    hooks = json.loads(files["/w/jobs/j/home dir/.codex/hooks.json"])["hooks"]
    assert hooks["PostToolUse"][0]["hooks"][0]["command"] == snapshot(
        "[ ! -e \"${PTQ_RUN_DIR:-/nonexistent}/soft-deadline\" ] || python3 -I '/w/jobs/j/home dir/.ptq/soft_deadline.py'"
    )
    assert LAUNCH.model_token not in "".join(files.values())


@pytest.mark.parametrize("command", ["", "codex 'exec"])
def test_a_wrong_command(command: str) -> None:
    """It stops the start, and is named."""
    with pytest.raises(ConfigurationError, match="PTQ_AGENT__CODEX__COMMAND"):
        Codex(CodexSettings(command=command))


def read(name: str) -> tuple[list[str], str, str, int, int]:
    """Return what a recorded run shows: lines, how it ended, last words, turns, tokens."""
    status, log = RECORDED_CODEX_RUNS[name]
    parser = CODEX.parser()
    lines = parser.feed(log)
    found = parser.result(status, stopped=False, timed_out=False)
    return lines, found.end.value, found.message, found.progress.turns, found.progress.tokens


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (
            "done",
            snapshot(
                (
                    [
                        "note: Model metadata for `gpt-5.1` not found. Defaulting to fallback metadata; this can degrade performance and cause issues.",
                        "/bin/bash -lc 'echo hello; cat AGENTS.md'",
                        "Done: it prints hello.",
                        "result: 240 tokens",
                    ],
                    "success",
                    "Done: it prints hello.",
                    2,
                    240,
                )
            ),
        ),
        (
            "a change and a command that fails",
            snapshot(
                (
                    [
                        "note: Model metadata for `gpt-5.1` not found. Defaulting to fallback metadata; this can degrade performance and cause issues.",
                        "add: /srv/job/a.py",
                        "/bin/bash -lc 'python3 a.py; exit 3'",
                        "exit status 3",
                        "I wrote a.py; it prints 1 and ends with 3.",
                        "result: 360 tokens",
                    ],
                    "success",
                    "I wrote a.py; it prints 1 and ends with 3.",
                    3,
                    360,
                )
            ),
        ),
        (
            "taken up again",
            snapshot(
                (
                    [
                        "note: This session was recorded with model `gpt-5.1` but is resuming with `gpt-6.2-sol`. Consider switching back to `gpt-5.1` as it may affect Codex performance.",
                        "/bin/bash -lc 'echo hello; cat AGENTS.md'",
                        "Done: it prints hello.",
                        "result: 240 tokens",
                    ],
                    "success",
                    "Done: it prints hello.",
                    2,
                    240,
                )
            ),
        ),
        (
            "a token that is refused",
            snapshot(
                (
                    [
                        "note: Model metadata for `gpt-5.1` not found. Defaulting to fallback metadata; this can degrade performance and cause issues.",
                        "error: Reconnecting... 1/1 (unexpected status 401 Unauthorized: the token is wrong, url: http://127.0.0.1:4567/v1/responses)",
                        "error: unexpected status 401 Unauthorized: the token is wrong, url: http://127.0.0.1:4567/v1/responses",
                        "failed: unexpected status 401 Unauthorized: the token is wrong, url: http://127.0.0.1:4567/v1/responses",
                    ],
                    "api_error",
                    "unexpected status 401 Unauthorized: the token is wrong, url: http://127.0.0.1:4567/v1/responses",
                    0,
                    0,
                )
            ),
        ),
        (
            "ended by SIGTERM",
            snapshot(
                (
                    [
                        "note: Model metadata for `gpt-5.1` not found. Defaulting to fallback metadata; this can degrade performance and cause issues.",
                        "/bin/bash -lc 'sleep 30'",
                    ],
                    "crashed",
                    "/bin/bash -lc 'sleep 30'",
                    0,
                    0,
                )
            ),
        ),
        (
            "no session to take up",
            snapshot(
                (
                    [
                        "Error: thread/resume: thread/resume failed: no rollout found for thread id 7d1a4c6e-0d5f-4d54-9d1f-5f0c3f0c2b11 (code -32600)"
                    ],
                    "crashed",
                    "Error: thread/resume: thread/resume failed: no rollout found for thread id 7d1a4c6e-0d5f-4d54-9d1f-5f0c3f0c2b11 (code -32600)",
                    0,
                    0,
                )
            ),
        ),
    ],
    ids=list(RECORDED_CODEX_RUNS),
)
def test_a_recorded_run(name: str, shown: object) -> None:
    """What the real program wrote is told in lines, and how it ended is known."""
    assert read(name) == shown


def test_pieces() -> None:
    """A log that arrives byte by byte says the same."""
    status, log = RECORDED_CODEX_RUNS["done"]
    parser = CODEX.parser()
    lines = [line for place in range(len(log)) for line in parser.feed(log[place : place + 1])]
    assert lines == read("done")[0]
    session = parser.progress.session_id
    assert session is not None
    assert session in log.decode()
    assert parser.result(status, stopped=True, timed_out=True).end is AgentEnd.SUCCESS


@pytest.mark.parametrize(
    ("stopped", "timed_out", "end"),
    [
        (False, False, AgentEnd.CRASHED),
        (True, False, AgentEnd.STOPPED),
        (True, True, AgentEnd.TIMED_OUT),
    ],
)
def test_without_an_end(*, stopped: bool, timed_out: bool, end: AgentEnd) -> None:
    """A run that was cut off ended as we know it did."""
    parser = CODEX.parser()
    parser.feed(RECORDED_CODEX_RUNS["ended by SIGTERM"][1])
    assert parser.result(-9, stopped=stopped, timed_out=timed_out).end is end


def test_what_a_newer_codex_may_write() -> None:
    """Unknown events, items and shapes pass; terminal codes and tokens without sense do not."""
    events: list[object] = [
        {"type": "thread.renamed", "name": "x"},
        {"type": "item.completed", "item": {"type": "hologram", "text": "x"}},
        {"type": "item.completed", "item": [1]},
        {"type": "item.completed", "item": {"type": "command_execution", "exit_code": "one"}},
        {"type": "item.completed", "item": {"type": "agent_message", "text": "a\x1b[2J\nb"}},
        {"type": "item.completed", "item": {"type": "web_search", "query": "torch"}},
        {"type": "item.completed", "item": {"type": "mcp_tool_call", "server": "s", "tool": "t"}},
        {"type": "turn.completed", "usage": {"input_tokens": -5, "output_tokens": True}},
        7,
    ]
    parser = CodexParser()
    assert parser.feed("".join(json.dumps(event) + "\n" for event in events).encode()) == snapshot(
        ["a[2J b", "search: torch", "s t", "result: 0 tokens", "7"]
    )
    assert parser.progress.tokens == 0


@given(
    st.lists(st.binary(max_size=80) | st.sampled_from([b"\n", b"{", b'{"type":"turn.failed"}\n']))
)
def test_any_log_is_read(pieces: list[bytes]) -> None:
    """Nothing that a machine writes makes the parser fail."""
    parser = CodexParser()
    for piece in pieces:
        parser.feed(piece)
    assert parser.result(1, stopped=False, timed_out=False).progress.turns >= 0
