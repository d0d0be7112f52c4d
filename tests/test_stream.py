"""What Claude Code's log says: every recorded run, whole, in pieces and spoilt."""

from __future__ import annotations

import json
from typing import Any

import pytest
from inline_snapshot import snapshot

from bot.agents.stream import StreamParser
from bot.models import AgentEnd, AgentResult
from tests.fakes.recorded_runs import RECORDED_RUNS

ENDS = {
    "basic: Bash, Write, end": (AgentEnd.SUCCESS, 3, 0.0198),
    "max-turns exhausted": (AgentEnd.MAX_TURNS, 2, 0.0132),
    "budget exhausted": (AgentEnd.MAX_USD, 2, 0.0132),
    "API err400": (AgentEnd.API_ERROR, 0, 0.0),
    "API err401": (AgentEnd.API_ERROR, 0, 0.0),
    "API err429": (AgentEnd.API_ERROR, 0, 0.0),
    "API err529": (AgentEnd.API_ERROR, 0, 0.0),
    "API credit": (AgentEnd.API_ERROR, 0, 0.0),
    "API midcut": (AgentEnd.API_ERROR, 0, 0.0),
    "API refusal": (AgentEnd.API_ERROR, 0, 0.0132),
    "API maxtok": (AgentEnd.API_ERROR, 4, 0.0264),
    "SIGTERM during tool": (AgentEnd.STOPPED, 1, 0.0),
    "SIGINT during tool": (AgentEnd.STOPPED, 1, 0.0066),
    "SIGKILL during model call": (AgentEnd.STOPPED, 0, 0.0),
    "permission deny rules": (AgentEnd.SUCCESS, 4, 0.0264),
    "subagent": (AgentEnd.SUCCESS, 3, 0.033),
    "skill": (AgentEnd.SUCCESS, 2, 0.0132),
    "background bash (two result events)": (AgentEnd.SUCCESS, 3, 0.0198),
    "json-schema structured output": (AgentEnd.SUCCESS, 1, 0.0066),
    "json-schema not honoured": (AgentEnd.SUCCESS, 2, 0.0132),
    "bare": (AgentEnd.SUCCESS, 1, 0.0066),
    "include-hook-events": (AgentEnd.SUCCESS, 3, 0.0198),
    "partial": (AgentEnd.SUCCESS, 1, 0.0066),
    "resume unknown": (AgentEnd.CRASHED, 0, 0.0),
}
"""Recorded run → how it ended, turns of the main conversation, US dollars."""


def _read(
    log: bytes, status: int | None = 0, *, stopped: bool = False, timed_out: bool = False
) -> AgentResult:
    parser = StreamParser()
    parser.feed(log)
    return parser.result(status, stopped=stopped, timed_out=timed_out)


def _line(**event: object) -> bytes:
    return json.dumps(event).encode() + b"\n"


def _answer(*blocks: dict[str, Any], message_id: str = "msg_1", **more: object) -> bytes:
    message = {"id": message_id, "model": "opus", "content": list(blocks)}
    return _line(type="assistant", message=message, session_id="s", **more)


def test_every_recorded_run_is_in_the_table() -> None:
    """All 24 recorded runs are tried, and no other."""
    assert set(RECORDED_RUNS) == set(ENDS)
    assert len(RECORDED_RUNS) == 24


@pytest.mark.parametrize("name", ENDS)
def test_recorded_run(name: str) -> None:
    """Each recorded run has the end, the turns and the spend that it had."""
    status, log = RECORDED_RUNS[name]

    result = _read(log, status, stopped=name.startswith("SIG"))

    assert (result.end, result.progress.turns, round(result.progress.usd, 4)) == ENDS[name]
    assert result.exit_status == status


def test_what_people_read_of_a_run() -> None:
    """A followed run is one line for each thing that was said or done."""
    parser = StreamParser()

    lines = parser.feed(RECORDED_RUNS["basic: Bash, Write, end"][1])

    assert lines == snapshot(
        [
            "I'll echo first.",
            "Bash: echo hello-from-bash",
            "Now write a file.",
            "Write: /home/dev/ptq_workspace/jobs/demo/out.txt",
            "All done. RESULT: ok",
            "result: completed",
        ]
    )
    assert parser.progress.model_dump() == snapshot(
        {
            "turns": 3,
            "usd": 0.019799999999999998,
            "tokens": 0,
            "last_activity": "All done. RESULT: ok",
            "session_id": "09e3ae75-f492-4a81-ac6a-70c94409dc5f",
        }
    )


def test_last_words() -> None:
    """What the agent or the API said last is kept, whatever the end."""
    words = {name: _read(log, status).message[:50] for name, (status, log) in RECORDED_RUNS.items()}

    assert words == snapshot(
        {
            "basic: Bash, Write, end": "All done. RESULT: ok",
            "max-turns exhausted": "Reached maximum number of turns (2)",
            "budget exhausted": "Reached maximum budget ($0.01)",
            "API err400": "API Error: 400 stub says bad request",
            "API err401": "Invalid API key · Fix external API key",
            "API err429": "API Error: Request rejected (429) · stub rate limi",
            "API err529": "API Error: 529 Overloaded. This is a server-side i",
            "API credit": "Credit balance is too low",
            "API midcut": "API Error: Connection dropped (ECONNRESET). Check ",
            "API refusal": "API Error: Opus 5.5's safeguards flagged this mess",
            "API maxtok": "API Error: Claude's response exceeded the 128000 o",
            "SIGTERM during tool": "Bash: python3 -c 'import time; print(1,flush=True)",
            "SIGINT during tool": "Bash: python3 -c 'import time; print(1,flush=True)",
            "SIGKILL during model call": "",
            "permission deny rules": "finished after denials",
            "subagent": "agent returned",
            "skill": "skill used",
            "background bash (two result events)": "saw the notification",
            "json-schema structured output": '{"verdict":"fixed","n":3}',
            "json-schema not honoured": "hello",
            "bare": "hello",
            "include-hook-events": "All done. RESULT: ok",
            "partial": "hello",
            "resume unknown": "No conversation found with session ID: 00000000-00",
        }
    )


@pytest.mark.parametrize(
    ("result", "status", "stopped", "timed_out", "end"),
    [
        ({"subtype": "success"}, 0, True, False, AgentEnd.SUCCESS),
        ({"subtype": "success"}, 0, False, True, AgentEnd.SUCCESS),
        ({"subtype": "success"}, None, True, False, AgentEnd.SUCCESS),
        ({"subtype": "success"}, 143, True, False, AgentEnd.STOPPED),
        ({"subtype": "success"}, -9, False, True, AgentEnd.TIMED_OUT),
        ({"subtype": "success"}, -9, False, False, AgentEnd.CRASHED),
        ({"subtype": "success", "is_error": True}, 1, True, False, AgentEnd.API_ERROR),
        ({"subtype": "error_max_turns", "is_error": True}, 1, True, False, AgentEnd.MAX_TURNS),
        ({"subtype": "error_during_execution"}, 0, True, False, AgentEnd.STOPPED),
        ({"subtype": "error_during_execution"}, 0, False, True, AgentEnd.TIMED_OUT),
        ({"subtype": "error_during_execution"}, 0, False, False, AgentEnd.CRASHED),
        ({"subtype": "error_something_new", "is_error": True}, 1, False, False, AgentEnd.CRASHED),
        ({"terminal_reason": "api_error", "is_error": True}, 1, False, False, AgentEnd.API_ERROR),
        ({}, 0, False, False, AgentEnd.CRASHED),
    ],
)
def test_end(
    *, result: dict[str, Any], status: int | None, stopped: bool, timed_out: bool, end: AgentEnd
) -> None:
    """A result that the agent reached itself wins over our stopping it; a signal does not."""
    log = _line(type="result", **result)

    assert _read(log, status, stopped=stopped, timed_out=timed_out).end is end


@pytest.mark.parametrize("status", [0, 1, 143, -9, None])
def test_log_without_a_result(status: int | None) -> None:
    """Without a result the run crashed, unless it was ended by us."""
    log = b"bash: claude: command not found\n"

    assert _read(log, status).end is AgentEnd.CRASHED
    assert _read(log, status).message == "bash: claude: command not found"
    assert _read(log, status, stopped=True).end is AgentEnd.STOPPED
    assert _read(log, status, timed_out=True, stopped=True).end is AgentEnd.TIMED_OUT


def test_last_line_needs_no_end() -> None:
    """A result whose line was not ended counts."""
    log = _line(type="result", subtype="success", result="ok").rstrip()

    assert _read(log).end is AgentEnd.SUCCESS
    assert _read(log).message == "ok"


def test_readable_lines_are_safe_to_show() -> None:
    """Escape sequences, bidi and line breaks do not reach a terminal; long lines are cut."""
    parser = StreamParser()

    read = parser.feed(
        _answer(
            {"type": "text", "text": "a\x1b[31m\u202eb\nc\u200b\ud800"},
            {"type": "tool_use", "name": "Bash", "input": {"command": "x" * 9000}},
            {"type": "tool_use", "name": "Odd", "input": {"command": ["no", "text"]}},
            {"type": "tool_use", "name": "TodoWrite", "input": {"todos": []}},
            {"type": "thinking", "thinking": "hm"},
        )
    )

    assert read == ["a[31mb c?", f"Bash: {'x' * 493}…", "Odd", "TodoWrite"]


def test_subagents_turns_are_not_the_jobs() -> None:
    """What a subagent answers is shown, but is no turn of the job."""
    parser = StreamParser()
    text = {"type": "text", "text": "hi"}

    read = parser.feed(
        _answer(text) + _answer(text, message_id="msg_2", parent_tool_use_id="toolu_1")
    )

    assert read == ["hi", "hi"]
    assert parser.progress.turns == 1
