"""What is asked for in a terminal, and wrong words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.github import people
from tests.harness import MAINTAINER
from tests.own_terminal import terminal_of

if TYPE_CHECKING:
    from tests.harness import Bot

WRONG = {
    "auto": "what is to be done? Give --issue N, or a task with -m TEXT or -i FILE",
    "auto --issue x": "--issue takes a number, owner/name#number or an address, not 'x'",
    "auto --issue 1 --repo pytorch": "--repo takes owner/name, not 'pytorch'",
    "auto --issue 1 --gpus 99": "`--gpus` takes a whole number from 1 to 16, not `99`.",
    "auto --issue 1 --preset fix --mode diagnose": (
        "--preset fix is a mode, and --mode diagnose is another"
    ),
    "auto --issue 1 --preset fixx": "there is no preset fixx. Did you mean fix?",
    "auto --issue 1 now": "`now` is no option: a task goes behind --message, in quotes.",
    "auto -m a -i b": "--message and --input are the same thing: give one of them",
    "run -m x": "name one machine: --machine NAME of the settings, or --local (`ptq auto` takes any)",
}
NOT_HERE = {
    "auto --issue 1 --hours 20": "`--hours 20` is more than the 8 allowed here.",
    "auto -m x --machine gpu-9": "the settings lend no machine gpu-9: there is gpu-1",
    "run -m x --machine gpu-9": "the settings lend no machine gpu-9: there is gpu-1",
    "run -m x --local": "PTQ_PROVIDER lends gpu-1: with PTQ_PROVIDER=local it is this computer",
}


@pytest.mark.parametrize("line", [*WRONG, *NOT_HERE])
async def test_wrong_words(world: Bot, line: str) -> None:
    """What is wrong is said in one line, with the exit status of its kind, and nothing is made."""
    told, status = (WRONG[line], 2) if line in WRONG else (NOT_HERE[line], 1)
    async with terminal_of(world) as terminal:
        ended = await terminal.ptq(*line.split())
        assert (ended.status, ended.out, ended.err) == (status, "", f"ptq: {told}\n")
        assert not (terminal.state / "ptq.sqlite").exists()


async def test_more_than_an_agent_is_told(world: Bot) -> None:
    """Nobody learns only from the report that half of a task was cut off."""
    (world.directory / "task.md").write_text("x" * 20_001)
    async with terminal_of(world) as terminal:
        task = await terminal.ptq("auto", "-i", str(world.directory / "task.md"))
        guidance = await terminal.ptq("auto", "--issue", "1", "-p", "x" * 20_001)
    assert (task.status, task.err) == (
        2,
        "ptq: /srv/task.md: it has 20,001 characters, and an agent is told 20,000\n",
    )
    assert (guidance.status, guidance.err) == (
        2,
        "ptq: guidance: it has 20,001 characters, and an agent is told 20,000\n",
    )


async def test_an_issue_that_is_not_there(world: Bot) -> None:
    """What GitHub refuses is told with what would help, and no job is made."""
    async with terminal_of(world) as terminal:
        ended = await terminal.ptq("auto", "--issue", "404")
        assert (ended.status, ended.out, ended.err) == (
            1,
            "",
            "ptq: pytorch/pytorch has no issue #404 (or it is private: set GITHUB_TOKEN)\n",
        )
        token = people.add_token(world.github.world, MAINTAINER)
        ended = await terminal.ptq("auto", "--issue", "404", GITHUB_TOKEN=token)
        assert "(or your token may not see it)" in ended.err
        assert token not in ended.said
        ended = await terminal.ptq("auto", "--issue", "1", GITHUB_TOKEN="ghp_wrong")
        assert ended.status == 1
        assert ended.err == "ptq: GitHub refuses your token (GITHUB_TOKEN or gh)\n"
