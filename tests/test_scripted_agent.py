"""The agent with a script does what it says, and speaks as Claude Code does."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.agents.base import Launch
from bot.agents.claude import Claude
from bot.models import AgentEnd, AgentResult, JobOptions
from bot.settings import ClaudeSettings
from tests.fakes.recorded_runs import RECORDED_RUNS

PROGRAM = Path(__file__).parent / "fakes" / "scripted_agent.py"
CLAUDE = Claude(ClaudeSettings(command=f"{sys.executable} {PROGRAM}"))


@dataclass
class Job:
    """A directory, and an agent that is started as Claude Code is."""

    directory: Path
    session_id: str

    def script(self, *steps: dict[str, Any], **scenario: object) -> None:
        """Say what the agent does."""
        home = self.directory / "home"
        home.mkdir(exist_ok=True)
        (home / "scenario.json").write_text(json.dumps({"steps": steps, **scenario}))

    async def start(
        self, *, resume: bool = False, session_id: str = "", **options: object
    ) -> asyncio.subprocess.Process:
        """Start the agent."""
        launch = Launch(
            options=JobOptions.model_validate(options),
            session_id=session_id or self.session_id,
            resume=resume,
            prompt="Read brief.md.",
            directory=str(self.directory),
            worktree=str(self.directory),
            home=str(self.directory / "home"),
            path="/usr/bin:/bin",
            model_url="http://127.0.0.1:9",
            model_token="t",
            environment={"PTQ_RUN_DIR": str(self.directory)},
        )
        invocation = CLAUDE.invocation(launch)
        process = await asyncio.create_subprocess_exec(
            *invocation.argv,
            env=dict(invocation.environment),
            cwd=self.directory,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None
        process.stdin.write(invocation.stdin.encode())
        process.stdin.close()
        return process

    async def run(
        self, *, resume: bool = False, session_id: str = "", **options: object
    ) -> tuple[AgentResult, bytes]:
        """Run the agent to its end; return how it ended, and its log."""
        process = await self.start(resume=resume, session_id=session_id, **options)
        assert process.stdout is not None
        log = await process.stdout.read()
        return _result(log, await process.wait()), log


def _result(log: bytes, status: int, *, stopped: bool = False) -> AgentResult:
    parser = CLAUDE.parser()
    parser.feed(log)
    return parser.result(status, stopped=stopped, timed_out=False)


async def _until(process: asyncio.subprocess.Process, text: str) -> bytes:
    assert process.stdout is not None
    log = b""
    while text.encode() not in log:
        line = await process.stdout.readline()
        assert line, f"it ended before it said {text!r}"
        log += line
    return log


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """A job with a bug in one file."""
    (tmp_path / "bug.py").write_text("answer = 41\nprint(answer)\nassert answer == 42\n")
    return Job(tmp_path, str(uuid.uuid4()))


async def test_it_really_mends_the_bug(job: Job) -> None:
    """The repro is run, the file is edited, the repro is run again, and the report quotes both."""
    job.script(
        {"say": "I run the repro for: ${prompt}"},
        {"run": [sys.executable, "bug.py"], "expect": 1, "save": "before"},
        {"replace": "bug.py", "old": "answer = 41", "new": "answer = 42"},
        {"run": [sys.executable, "${env.PTQ_RUN_DIR}/bug.py"], "expect": 0, "save": "after"},
        {"write": "report.md", "text": "${before.exit} ${after.exit} ${after.output} ${unknown.x}"},
        {"write": "verdict.json", "json": {"verdict": "fixed", "summary": "${before.output}"}},
        {"say": "Fixed."},
        usd_per_turn=0.01,
    )

    result, log = await job.run()

    assert (result.end, result.message) == (AgentEnd.SUCCESS, "Fixed.")
    assert result.progress.turns == 7
    assert result.progress.usd == pytest.approx(0.07)
    assert result.progress.session_id == job.session_id
    assert (job.directory / "report.md").read_text() == "1 0 42 ${unknown.x}"
    verdict = json.loads((job.directory / "verdict.json").read_text())
    assert verdict["verdict"] == "fixed"
    assert "AssertionError" in verdict["summary"]
    assert CLAUDE.parser().feed(log)[0] == "I run the repro for: Read brief.md."


async def test_its_log_looks_like_the_recordings(job: Job) -> None:
    """Every event has a kind and no field that the real program's event of that kind lacks."""
    job.script(
        {"say": "a"},
        {"run": ["false"]},
        {"write": "x", "text": "y"},
        {"delete": "x"},
        {"fail": {"subtype": "error_max_turns", "errors": ["x"]}},
    )
    shapes: dict[tuple[str, str], set[str]] = {}
    for _, recorded in RECORDED_RUNS.values():
        for line in recorded.splitlines():
            kind, fields = _shape(line)
            shapes.setdefault(kind, set()).update(fields)

    _, log = await job.run()

    for line in log.splitlines():
        kind, fields = _shape(line)
        assert fields <= shapes[kind]


def _shape(line: bytes) -> tuple[tuple[str, str], set[str]]:
    """Return an event's kind, and the names of its fields, its message's and its blocks'."""
    event: dict[str, Any] = json.loads(line)
    fields = set(event)
    if isinstance(event.get("message"), dict):
        fields |= {f"message.{name}" for name in event["message"]}
        for block in event["message"]["content"]:
            fields |= {f"{block['type']}.{name}" for name in block}
    return (event["type"], event.get("subtype", "")), fields


@pytest.mark.parametrize(
    ("steps", "end", "status", "message"),
    [
        ([{"run": ["false"], "expect": 0}], AgentEnd.CRASHED, 1, "false ended with 1, not with 0"),
        ([{"run": ["no-such"], "expect": 0}], AgentEnd.CRASHED, 1, "no-such ended with 127"),
        (
            [{"replace": "bug.py", "old": "answer", "new": ""}],
            AgentEnd.CRASHED,
            1,
            "String to replace found 3 times in bug.py",
        ),
        ([{"delete": "nothing"}], AgentEnd.CRASHED, 1, "[Errno 2] No such file"),
        (
            [{"fail": {"subtype": "success", "result": "API Error: 529 Overloaded"}}],
            AgentEnd.API_ERROR,
            1,
            "API Error: 529 Overloaded",
        ),
        ([{"say": "a"}, {"exit": 3}], AgentEnd.CRASHED, 3, "a"),
        ([{"raw": "Segmentation fault"}, {"kill": "SIGKILL"}], AgentEnd.CRASHED, -9, "Segment"),
        ([{"say": "a"}] * 5, AgentEnd.MAX_TURNS, 1, "Reached maximum number of turns (3)"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_ways_to_fail(
    job: Job, steps: list[dict[str, Any]], end: AgentEnd, status: int, message: str
) -> None:
    """It fails in the ways in which Claude Code does."""
    job.script(*steps)

    result, _ = await job.run(max_turns=3)

    assert (result.end, result.exit_status) == (end, status)
    assert result.message.startswith(message)


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 0), (signal.SIGKILL, -9)]
)
async def test_stopped(job: Job, number: signal.Signals, status: int) -> None:
    """It ends at a signal as Claude Code does, in the middle of a command too."""
    waits = "exec tail -f /dev/null --pid=$PPID"  # as long as the agent lives
    job.script({"run": ["sh", "-c", waits]})
    process = await job.start()
    log = await _until(process, "tail")

    process.send_signal(number)
    assert process.stdout is not None
    if number != signal.SIGKILL:  # the command would hold the pipe open
        log += await process.stdout.read()

    result = _result(log, await process.wait(), stopped=True)
    assert (result.end, result.exit_status) == (AgentEnd.STOPPED, status)


async def test_one_that_will_not_stop(job: Job) -> None:
    """It may ignore what asks it to stop, and leave a child in a session of its own."""
    job.script(
        {"spawn": ["sh", "-c", "echo $$ > child; exec tail -f /dev/null --pid=$PPID"]},
        {"wait_for": "child"},
        {"ignore": "SIGTERM"},
        {"say": "I stay."},
        {"wait_for": "go"},
        {"say": "Well, then."},
        {"hang": True},
    )
    process = await job.start()
    await _until(process, "I stay.")

    process.terminate()
    (job.directory / "go").touch()
    await _until(process, "Well, then.")

    assert process.returncode is None
    assert int((job.directory / "child").read_text()) != process.pid
    process.kill()
    assert await process.wait() == -signal.SIGKILL


async def test_later_run(job: Job) -> None:
    """A session is gone on with, by other steps; one that does not exist is an error."""
    job.script({"say": "first"}, resumed=[{"say": "second"}])

    first, _ = await job.run()
    second, _ = await job.run(resume=True)
    unknown, _ = await job.run(resume=True, session_id=str(uuid.uuid4()))

    assert (first.message, second.message) == ("first", "second")
    assert unknown.end is AgentEnd.CRASHED
    assert unknown.message.startswith("No conversation found with session ID")
