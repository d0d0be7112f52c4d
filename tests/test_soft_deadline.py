"""The program that tells an agent that its time is nearly over."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING

import pytest

from bot.remote import soft_deadline

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = soft_deadline.__file__


async def _after_a_tool(directory: Path | None, stdin: bytes = b"{}") -> str:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", PROGRAM),
        env={} if directory is None else {"PTQ_RUN_DIR": str(directory)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate(stdin)
    assert (process.returncode, errors) == (0, b"")
    return output.decode()


def _names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def _event(**fields: str) -> bytes:
    return json.dumps({"hook_event_name": "PostToolUse", "tool_name": "Bash", **fields}).encode()


@pytest.fixture
def warned_run(tmp_path: Path) -> Path:
    """A run whose soft deadline has come."""
    tmp_path.joinpath("soft-deadline").touch()
    return tmp_path


async def test_before_the_deadline(tmp_path: Path) -> None:
    """Nothing is said while there is time, or where there is no run."""
    assert await _after_a_tool(tmp_path, _event()) == ""
    assert await _after_a_tool(tmp_path / "missing", _event()) == ""
    assert await _after_a_tool(None, _event()) == ""
    assert _names(tmp_path) == []


async def test_said_once(warned_run: Path) -> None:
    """The agent is told once, in the form that Claude Code documents for hooks."""
    first, second = [await _after_a_tool(warned_run, _event()) for _ in range(2)]

    assert json.loads(first) == {
        "hookSpecificOutput": {
            "hookEventName": "PostToolUse",
            "additionalContext": soft_deadline.MESSAGE,
        }
    }
    assert second == ""


async def test_each_subagent_is_told(warned_run: Path) -> None:
    """A subagent that hears it first does not keep it from the agent."""
    answers = [
        await _after_a_tool(warned_run, _event(agent_id=agent))
        for agent in ("a1", "a1", "../../b2", "")
    ]

    assert [bool(answer) for answer in answers] == [True, False, True, True]
    assert _names(warned_run) == [
        "soft-deadline",
        "soft-deadline.told",
        "soft-deadline.told.a1",
        "soft-deadline.told.b2",
    ]


@pytest.mark.parametrize("stdin", [b"", b"\xff", b"[]", b"null", b"[" * 100_000, b'{"agent_id":1}'])
async def test_any_event_will_do(warned_run: Path, stdin: bytes) -> None:
    """An event that cannot be read does not keep the agent from being told."""
    assert "nearly over" in await _after_a_tool(warned_run, stdin)


async def test_at_the_same_moment(warned_run: Path) -> None:
    """Tools that end together are told once."""
    answers = await asyncio.gather(*(_after_a_tool(warned_run, _event()) for _ in range(4)))

    assert sum(map(bool, answers)) == 1
