"""The real Claude Code does what the bot counts on: flags, settings, hooks, ends."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.models import AgentEnd
from bot.remote import soft_deadline
from tests.e2e.claude_program import bench, names, write
from tests.fakes.gateway_client import KEY
from tests.fakes.model_script import (
    ModelRequest,
    ToolCall,
    Turn,
    bash,
    edit,
    read,
    write as write_file,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


async def test_tools_really_work(tmp_path: Path) -> None:
    """The program's own tools change the worktree; the log tells session, turns and spend."""
    bug = tmp_path / "job" / "pytorch" / "bug.py"
    report = tmp_path / "job" / "report.md"
    script = [
        Turn("First I look.", (bash("cat pytorch/bug.py; pwd"),)),
        Turn("", (read(str(bug)),)),
        Turn("Then I mend it.", (edit(str(bug), "41", "42"),)),
        Turn("", (write_file(str(report), "# Fixed\n"),)),
        Turn("It is fixed."),
    ]
    async with bench(tmp_path, script) as job:
        ran = await job.run()

        assert ran.result.end is AgentEnd.SUCCESS, ran.stderr
        assert (ran.result.exit_status, ran.result.message) == (0, "It is fixed.")
        assert ran.result.progress.turns == 5
        assert ran.result.progress.usd > 0
        assert ran.result.progress.session_id == job.launch.session_id
        assert (bug.read_text(), report.read_text()) == ("answer = 42\n", "# Fixed\n")
        first = job.model.conversation[0]
        assert job.launch.prompt in first.prompt
        assert "opus" in first.body["model"]
        assert f"answer = 41\n{job.directory}" in job.model.conversation[1].tool_results[0]


async def test_session_goes_on(tmp_path: Path) -> None:
    """A later run with the same session id knows what was said in the first."""
    async with bench(tmp_path, [Turn("I remember 4711."), Turn("Still here.")]) as job:
        await job.run()
        again = replace(job, launch=replace(job.launch, resume=True, prompt="Go on."))
        ran = await again.run()

        assert ran.result.message == "Still here."
        assert ran.result.progress.session_id == job.launch.session_id
        assert "I remember 4711." in job.model.conversation[-1].everything


async def test_no_key_on_the_machine(tmp_path: Path) -> None:
    """A command of the agent sees the token, the job's variables and no key."""
    async with bench(tmp_path, [Turn("", (bash("env"),))]) as job:
        await job.run()

        environment = job.model.conversation[-1].tool_results[0]
        assert job.launch.model_token in environment
        assert f"HOME={job.home}\n" in environment
        assert KEY not in environment
        assert all(request.headers["x-api-key"] == KEY for request in job.model.requests)
        assert job.launch.model_token not in str([r.headers for r in job.model.requests])


async def test_rules_hold(tmp_path: Path) -> None:
    """The web, publishing and the agent's own rules are closed, without permissions asked for."""
    settings = tmp_path / "home" / ".claude" / "settings.json"
    calls = (
        bash("git push origin main"),
        bash("cd pytorch && git push"),
        bash("gh pr create"),
        ToolCall("WebFetch", {"url": "http://127.0.0.1:9/", "prompt": "x"}),
        edit(str(settings), "deny", "allow"),
    )
    async with bench(tmp_path, [Turn("", (read(str(settings)),)), Turn("", calls)]) as job:
        ran = await job.run()
        written = settings.read_text()

        results = job.model.conversation[-1].tool_results[-len(calls) :]
        assert [("denied" in result or "No such tool" in result) for result in results] == [
            True
        ] * len(calls)
        assert '"deny"' in written
        assert not {"WebFetch", "WebSearch", "CronCreate"} & set(ran.init["tools"])
        assert {"Bash", "Edit", "Read", "Write", "Task", "Skill"} <= set(ran.init["tools"])


async def test_skills_and_subagents_are_found(tmp_path: Path) -> None:
    """Skills and subagents in the agent's HOME are there, and a skill's text reaches the model."""
    script = [Turn("", (ToolCall("Skill", {"skill": "verify-fix"}),))]
    async with bench(tmp_path, script) as job:
        write(
            job.home / ".claude" / "skills" / "verify-fix" / "SKILL.md",
            "---\nname: verify-fix\ndescription: Proves a fix.\n---\nRun the repro twice.\n",
        )
        write(
            job.home / ".claude" / "agents" / "compiler.md",
            "---\nname: compiler-specialist\ndescription: Knows Dynamo.\n---\nYou know Dynamo.\n",
        )
        ran = await job.run()

        assert "verify-fix" in ran.init["skills"]
        assert "compiler-specialist" in ran.init["agents"]
        assert "Run the repro twice." in job.model.conversation[-1].everything


async def test_checkout_is_not_trusted(tmp_path: Path) -> None:
    """Settings, hooks and servers that lie in the checkout take no part."""
    events = ("SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop")
    mark = {"type": "command", "command": f"touch {tmp_path}/hook-ran"}
    settings = {
        "hooks": {event: [{"hooks": [mark]}] for event in events},
        "env": {"FROM_THE_CHECKOUT": "1"},
        "enableAllProjectMcpServers": True,
    }
    servers = {"mcpServers": {"evil": {"command": "touch", "args": [f"{tmp_path}/server-ran"]}}}
    async with bench(tmp_path, [Turn("", (bash("env"),))]) as job:
        for place in (job.directory, job.directory / "pytorch"):
            write(place / ".claude" / "settings.json", json.dumps(settings))
            write(place / ".claude" / "settings.local.json", json.dumps(settings))
            write(place / ".mcp.json", json.dumps(servers))
        ran = await job.run()

        assert ran.result.end is AgentEnd.SUCCESS
        assert names(tmp_path) == ["home", "job"]
        assert "FROM_THE_CHECKOUT" not in job.model.conversation[-1].everything
        assert ran.init["mcp_servers"] == []


@pytest.mark.parametrize("command", ["true", "false"])
async def test_soft_deadline_reaches_the_model(tmp_path: Path, command: str) -> None:
    """The agent is told after the next tool, whether that failed, and once."""
    script = [Turn("", (bash(each),)) for each in (command, "true", command)]
    async with bench(tmp_path, script) as job:
        write(job.directory / "soft-deadline", "")
        await job.run()

        told = [soft_deadline.MESSAGE in asked.everything for asked in job.model.conversation]
        assert told == [False, True, True, True]
        assert job.model.conversation[-1].everything.count(soft_deadline.MESSAGE) == 1


async def test_subagent_does_not_swallow_the_soft_deadline(tmp_path: Path) -> None:
    """A subagent that is told first leaves the agent to be told too; both wait for each other."""

    def script(asked: ModelRequest) -> Turn:
        is_subagent = "look around" in asked.prompt
        if is_subagent and not asked.tool_results:
            return Turn("", (bash("echo inside"),))
        if not is_subagent and not asked.tool_results:
            task = {"prompt": "look around", "description": "x", "subagent_type": "Explore"}
            return Turn("", (ToolCall("Task", task),))
        return Turn("I looked." if is_subagent else "Done.")

    async with bench(tmp_path, script) as job:
        write(job.directory / "soft-deadline", "")
        ran = await job.run()

        inside, outside = job.model.conversation[-2:]
        assert "look around" in inside.prompt
        assert soft_deadline.MESSAGE in inside.everything
        assert soft_deadline.MESSAGE in outside.everything
        assert "I looked." in outside.everything
        assert ran.result.progress.turns == 2


async def test_turns_run_out(tmp_path: Path) -> None:
    """The job's limit of turns ends the run, and the log says so."""
    async with bench(tmp_path, lambda _: Turn("", (bash("true"),))) as job:
        ran = await job.with_options(max_turns=2).run()

        assert (ran.result.end, ran.result.exit_status) == (AgentEnd.MAX_TURNS, 1)
        assert ran.result.progress.turns == 2


async def test_money_runs_out(tmp_path: Path) -> None:
    """The job's limit of dollars ends the run, and the log says so."""
    async with bench(tmp_path, lambda _: Turn("", (bash("true"),))) as job:
        ran = await job.with_options(max_usd=0.01).run()

        assert (ran.result.end, ran.result.exit_status) == (AgentEnd.MAX_USD, 1)
        assert ran.result.progress.usd >= 0.01


async def test_refused_token_ends_at_once(tmp_path: Path) -> None:
    """A token that is not good is not tried again for minutes: the run ends and says why."""
    async with bench(tmp_path) as job:
        ran = await replace(job, launch=replace(job.launch, model_token="over")).run()

        assert (ran.result.end, ran.result.exit_status) == (AgentEnd.API_ERROR, 1)
        assert "401" in ran.result.message
        assert not [event for event in ran.events if event.get("subtype") == "api_retry"]
        assert job.model.requests == []


async def test_nothing_in_the_background_holds_a_run_open(tmp_path: Path) -> None:
    """A run ends when the agent does: no background task can be begun."""
    call = {"command": "sleep 3600", "description": "x", "run_in_background": True}
    async with bench(tmp_path, [Turn("", (ToolCall("Bash", call),)), Turn("Over.")]) as job:
        ran = await job.run()

        assert (ran.result.end, ran.result.message) == (AgentEnd.SUCCESS, "Over.")
        assert "run_in_background" in job.model.conversation[-1].tool_results[0]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
async def test_stopped(tmp_path: Path, number: signal.Signals, status: int) -> None:
    """A run that we stop ends as stopped, with what its log says so far."""
    waits = "tail -f /dev/null --pid=$CLAUDE_PID"  # as long as Claude Code lives
    async with bench(tmp_path, [Turn("", (bash(waits),))]) as job:
        process = await job.start()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"go")
        process.stdin.close()
        parser = job.claude.parser()
        while waits not in parser.progress.last_activity:
            parser.feed(await process.stdout.readline())
        process.send_signal(number)
        parser.feed(await process.stdout.read())
        await process.wait()
        result = parser.result(process.returncode, stopped=True, timed_out=False)

        assert (result.end, result.exit_status) == (AgentEnd.STOPPED, status)
        assert (result.progress.turns, result.progress.session_id) == (1, job.launch.session_id)
