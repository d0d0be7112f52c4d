"""`make demo`: one whole job on one computer, shown to a person."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest

from demo import leftovers
from demo.player import SCRIPTED_AGENT

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from typing import Any

ROOT = Path(__file__).parents[1]
ESCAPE = "\x1b"
ONCE = {"DEMO_ONCE": "1"}
KEY = "sk-demo-0123456789abcdef"


@asynccontextmanager
async def demo(
    directory: Path,
    variables: dict[str, str] | None = None,
    *,
    stdout: int = asyncio.subprocess.PIPE,
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Start `python -m demo`; its temporary files, and those of all it starts, are below here."""
    for name in ("tmp", "home"):
        (directory / name).mkdir()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "demo",
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(directory / "home"),
            "TMPDIR": str(directory / "tmp"),
            **(variables or {}),
        },
        stdout=stdout,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def terminal() -> tuple[int, int]:
    """Return the reading end of a terminal, and the one to write to."""
    return os.openpty()


async def lines(descriptor: int) -> asyncio.StreamReader:
    """Read what is written to a terminal."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", buffering=0)
    )
    return reader


async def until(reader: asyncio.StreamReader | None, words: str) -> str:
    """Return the output up to the line that holds these words."""
    assert reader is not None
    read: list[str] = []
    while not read or words not in read[-1]:
        line = await reader.readline()
        assert line, f"it ended after {read}"
        read.append(line.decode())
    return "".join(read)


def result(output: str) -> dict[str, Any]:
    """Return the JSON object of the last line."""
    return json.loads(output.splitlines()[-1])


def scenario(directory: Path, *steps: dict[str, Any]) -> dict[str, str]:
    """Return variables with which a scripted agent is taken for Claude Code."""
    path = directory / "scenario.json"
    path.write_text(json.dumps({"steps": steps}))
    argv = [sys.executable, str(SCRIPTED_AGENT), "--scenario", str(path)]
    return {"PTQ_AGENT__CLAUDE__COMMAND": shlex.join(argv), "PTQ_MODEL__API_KEY": KEY}


def left_files(directory: Path) -> list[Path]:
    """Return what it did not remove."""
    return list((directory / "tmp").iterdir())


async def test_ends_with_a_draft_pull_request(tmp_path: Path) -> None:
    """The last line tells where two comments and a draft pull request are; nothing stays behind."""
    async with demo(tmp_path, ONCE) as process:
        output, errors = (text.decode() for text in await process.communicate())

    assert (process.returncode, errors) == (0, ""), output
    told = result(output)
    repository = told["pull_request"].rpartition("/pull/")[0]
    assert repository.endswith("/tinytorch/tinytorch")
    thread = f"{repository}/issues/4021#issuecomment-"
    assert told["progress_comment"].startswith(thread)
    assert told["closing_comment"].startswith(thread)
    assert told["progress_comment"] != told["closing_comment"]
    assert told["job"].endswith("-tinytorch-4021")
    assert (told["verdict"], told["draft"]) == ("fixed", True)
    assert told["files"] == ["test/test_sequence.py", "tinytorch/sequence.py"]
    assert 0 < told["seconds"] < 60
    assert list(told) == [
        *("job", "verdict", "progress_comment", "closing_comment", "pull_request"),
        *("draft", "files", "seconds"),
    ]
    assert left_files(tmp_path) == []


async def test_pipe_gets_plain_lines(tmp_path: Path) -> None:
    """Without a terminal there is no control character, and each phase is told when it ends."""
    async with demo(tmp_path, {**ONCE, "FORCE_COLOR": "1"}) as process:
        output = (await process.communicate())[0].decode()

    assert [c for c in output if c < " " and c != "\n"] == []
    assert "The agent is a SCRIPT in Claude Code's place" in output
    phases = [line.split(":")[0].split(" (")[0] for line in output.splitlines() if line[:1] == "✓"]
    assert phases == [
        "✓ Reserve a machine",
        "✓ Prepare the workspace on it, over SSH",
        "✓ Let the agent investigate",
        "✓ Prove the fix",
        "✓ Give the machine back",
        "✓ Check the patch, open the pull request, report",
    ]
    agent = "    Bash: python repro.py\n"
    assert output.index("▶ Let the agent") < output.index(agent) < output.index("✓ Let the agent")
    assert "ptq · bot · edited" in output
    assert "👀 1" in output
    assert "+        padded = transpose(padded)\n" in output
    assert "<!--" not in output
    assert "<details>" not in output


async def test_links_stay_open_until_told(tmp_path: Path) -> None:
    """On a terminal its links can be opened until Ctrl-C, which ends it well."""
    reading, writing = terminal()
    async with demo(tmp_path, {"TERM": "xterm-256color"}, stdout=writing) as process:
        os.close(writing)
        output = await until(await lines(reading), '{"job"')
        told = result(output)
        async with aiohttp.ClientSession() as people:
            for link in ("progress_comment", "closing_comment", "pull_request"):
                async with people.get(told[link]) as page:
                    assert page.status == 200
                    anchor = told[link].partition("#")[2]
                    assert f'id="{anchor}"' in await page.text() or link == "pull_request"
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(15):
            assert await process.wait() == 0

    assert "The links stay open until Ctrl-C." in output
    assert ESCAPE in output
    assert leftovers.found(tmp_path) == set()
    assert left_files(tmp_path) == []


async def test_interrupted_while_the_agent_works(tmp_path: Path) -> None:
    """Ctrl-C in the middle ends the agent and what it left in the background, and removes all."""
    variables = scenario(
        tmp_path,
        {"ignore": "SIGTERM"},
        {"spawn": ["sleep", "300"]},
        {"say": "I am at it."},
        {"hang": True},
    )
    async with demo(tmp_path, variables) as process:
        output = await until(process.stdout, "I am at it.")
        assert leftovers.found(tmp_path / "tmp") != set()
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(20):
            errors = (await process.communicate())[1].decode()

    assert (process.returncode, errors) == (1, "")
    assert "The agent is Claude Code" in output
    assert leftovers.found(tmp_path) == set()
    assert left_files(tmp_path) == []


async def test_failure_says_where_to_look(tmp_path: Path) -> None:
    """Without a draft pull request it fails, keeps the service's log, and shows no key."""
    variables = scenario(tmp_path, {"say": "I give up."}, {"exit": 3})
    async with demo(tmp_path, {**ONCE, **variables}) as process:
        output, errors = (text.decode() for text in await process.communicate())

    assert (process.returncode, errors) == (1, "")
    told = result(output)
    assert (told["pull_request"], told["draft"], told["files"]) == (None, False, [])
    assert told["closing_comment"]
    assert "Missing: a pull request that is a draft." in output
    (kept,) = left_files(tmp_path)
    assert f"The service's log: {kept}\n" in output
    assert '"event": "job_ended"' in kept.read_text()
    assert KEY not in output + kept.read_text()


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"PATH": "/nonexistent"}, "it needs git and bash: install that and try again"),
        ({"PTQ_AGENT__CLAUDE__COMMAND": "'claude"}, "PTQ_AGENT__CLAUDE__COMMAND: No closing"),
        ({"PTQ_AGENT__CLAUDE__COMMAND": " "}, "PTQ_AGENT__CLAUDE__COMMAND is empty"),
    ],
)
async def test_what_is_missing_is_named(
    tmp_path: Path, variables: dict[str, str], problem: str
) -> None:
    """It does not begin without what it needs, and says what that is."""
    async with demo(tmp_path, variables) as process:
        output, errors = (text.decode() for text in await process.communicate())

    assert (process.returncode, output) == (1, "")
    assert errors.startswith(f"demo: {problem}")
    assert len(errors.splitlines()) == 1
