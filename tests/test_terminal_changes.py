"""Changing jobs from a terminal: run, Ctrl-C, more time, stop, again, the pull request, clean."""

from __future__ import annotations

import asyncio
import getpass
import json
import signal
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from tests import scenes
from tests.fakes.github import people
from tests.harness import MAINTAINER, REPOSITORY
from tests.own_terminal import terminal_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.harness import Bot

pytestmark = pytest.mark.timeout(300)
"""Whole jobs, by processes that each take seconds to start on a busy machine."""


async def test_a_job_on_a_machine_of_ones_own(world: Bot) -> None:
    """Ctrl-C leaves it going on; it gets more time, and is stopped with what it wrote kept."""
    world.agent_does([{"write": "worklog.md", "text": "- so far\n"}, {"hang": True}])
    async with terminal_of(world) as terminal:
        following = await terminal.start(
            "run", "--issue", "1", "--machine", "gpu-1", "--hours", "1", "--follow"
        )
        await _says(following, "Investigate")
        following.send_signal(signal.SIGINT)
        out, err = await following.communicate()
        assert following.returncode == 4
        assert terminal.plain((out + err).decode()).strip().splitlines()[-1] == snapshot(
            "Detached. YYYYMMDD-pytorch-1 goes on in the background: `ptq follow YYYYMMDD-pytorch-1` comes back to it, `ptq kill YYYYMMDD-pytorch-1` stops it."
        )

        until = json.loads((await terminal.ptq("status", "1", "--json")).out)["machine_until"]
        wrong = await terminal.ptq("extend", "1")
        assert (wrong.status, wrong.out) == (2, "")
        much = await terminal.ptq("extend", "1", "--hours", "23")
        assert (much.status, much.out, much.err) == snapshot(
            (
                1,
                "",
                "ptq: `--hours 23` would make 24 hours in all, and 8 are allowed here: the machine is reserved for 1.\n",
            )
        )
        more = await terminal.ptq("extend", "1", "--hours", "0.5", "--json")
        assert json.loads(more.out)["machine_until"] > until

        assert (await terminal.ptq("kill", "1")).out == snapshot(
            "YYYYMMDD-pytorch-1 is being stopped: `ptq follow YYYYMMDD-pytorch-1` shows its end.\n"
        )
        followed = await terminal.ptq("follow", "1")
        assert followed.status == 3
        assert followed.out.splitlines()[-2] == f"{getpass.getuser()} stopped it."
        again = await terminal.ptq("kill", "1")
        assert (again.status, again.err) == snapshot(
            (1, "ptq: YYYYMMDD-pytorch-1 has ended already: it is cancelled\n")
        )
        await terminal.left_alone()
        kept = json.loads((await terminal.ptq("results", "1", "--json")).out)
    assert kept["worklog"] == "- so far\n"


async def test_again_and_the_pull_request(world: Bot) -> None:
    """The next run has the new guidance; its fix is opened with the token of who asks for it."""
    world.agent_does(scenes.not_reproduced())
    token = people.add_token(world.github.world, MAINTAINER)
    async with terminal_of(world) as terminal:
        first = await terminal.ptq("auto", "--issue", "1", "--follow")
        assert first.status == 3
        refused = await terminal.ptq("pr", "1", GITHUB_TOKEN=token)
        assert (refused.status, refused.err) == snapshot(
            (
                1,
                "ptq: YYYYMMDD-pytorch-1 ended with reproduced: a pull request is opened for a fix only\n",
            )
        )

        world.agent_does(scenes.fixed_with())
        again = await terminal.ptq("run", "1", "-m", "Another approach.", "--follow")
        assert again.status == 0
        await terminal.left_alone()
        found = json.loads((await terminal.ptq("status", "1", "--json")).out)
        assert found["run"] == 2
        guidance = next(world.machine.home.glob("ptq_workspace/jobs/*/guidance.md"))
        assert guidance.read_text().strip() == "Another approach."

        nobody = await terminal.ptq("pr", "1")
        assert (nobody.status, nobody.err) == snapshot(
            (
                1,
                "ptq: nobody here may write on GitHub: set GITHUB_TOKEN to a token of yours that may push to pytorch/pytorch, or log in with `gh auth login`\n",
            )
        )
        opened = await terminal.ptq("pr", "1", **_cli_of_github(world.directory, token))
        assert (opened.status, opened.out, opened.err) == snapshot(
            (0, "https://github.com/pytorch/pytorch/pull/2\n", "")
        )
        assert (await terminal.ptq("pr", "1", GITHUB_TOKEN=token)).out == opened.out
        (pull,) = world.github.pulls(REPOSITORY)
        assert pull.pull is not None
        assert pull.pull.draft
        assert pull.author is not None
        assert pull.author.login == MAINTAINER
        assert token not in opened.said

        cleaned = await terminal.ptq("clean", "1")
        assert (cleaned.status, cleaned.out) == snapshot((0, "removed YYYYMMDD-pytorch-1\n"))
    assert list((world.machine.home / "ptq_workspace/jobs").iterdir()) == []


async def test_a_running_job_is_removed_when_that_is_said(world: Bot) -> None:
    """It is stopped first, and its machine is given back."""
    world.agent_does([{"hang": True}])
    async with terminal_of(world) as terminal:
        await terminal.ptq("auto", "--issue", "1", "--no-follow")
        await terminal.reached("investigating", "1")
        cleaned = await terminal.ptq("clean", "gpu-1", "--all")
        assert (cleaned.status, cleaned.out, cleaned.err) == snapshot(
            (0, "removed YYYYMMDD-pytorch-1\n", "")
        )
        await terminal.left_alone()
        job = json.loads((await terminal.ptq("status", "1", "--json")).out)
    assert job["state"] == "cancelled"
    assert job["machine_until"] is None
    assert list((world.machine.home / "ptq_workspace/jobs").iterdir()) == []


async def test_presets_of_ones_own(world: Bot) -> None:
    """They stand beside those of the modes; a wrong name is told with the nearest."""
    presets = world.directory / "presets"
    presets.mkdir()
    (presets / "bisect.md").write_text("Find the commit that broke it.\n")
    async with terminal_of(world) as terminal:
        own = {"PTQ_PRESETS": str(presets)}
        listed = json.loads((await terminal.ptq("presets", "--json", **own)).out)
        assert [one["name"] for one in listed] == snapshot(
            ["reproduce", "diagnose", "fix", "bisect"]
        )
        wrong = await terminal.ptq("auto", "--issue", "1", "--preset", "bisekt", **own)
        assert (wrong.status, wrong.err) == snapshot(
            (2, "ptq: there is no preset bisekt. Did you mean bisect?\n")
        )
        none = await terminal.ptq("presets", PTQ_PRESETS=str(world.directory / "none"))
        assert (none.status, none.out) == (2, "")
        assert none.err == snapshot("ptq: PTQ_PRESETS: there is no NAME.md in /srv/none\n")


def _cli_of_github(directory: Path, token: str) -> dict[str, str]:
    """Return the variables of a person who is logged in with ``gh``."""
    program = directory / "bin" / "gh"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n[ \"$1 $2\" = 'auth token' ] && echo {token}\n")
    program.chmod(0o755)
    return {"PATH": f"{program.parent}:/usr/bin:/bin"}


async def _says(process: asyncio.subprocess.Process, words: str) -> None:
    """Read until a command has said something."""
    if process.stdout is None:
        raise AssertionError("a process with pipes")
    async with asyncio.timeout(120):
        while words not in (line := await process.stdout.readline()).decode():
            assert line, "it ended"
