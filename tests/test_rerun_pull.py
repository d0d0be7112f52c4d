"""The pull request of a job whose next run has a fix too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

from tests import scenes
from tests.fakes.github.git import Signature
from tests.harness import REPOSITORY
from tests.running import ended

if TYPE_CHECKING:
    from tests.fakes.github.world import Issue
    from tests.harness import Bot

pytestmark = pytest.mark.timeout(180)
"""Seconds: these are talks about two whole jobs."""

_SOURCE = "pytorch/tinytorch/sequence.py"
_COPY = "        padded = transpose(padded)\n"
_SOMEBODY = Signature("somebody", "somebody@example.org", "2026-01-02T03:04:05Z")
_COMMENT: dict[str, Any] = {
    "replace": _SOURCE,
    "old": _COPY,
    "new": f"        # The caller keeps its own.\n{_COPY}",
}


async def fixed_again(bot: Bot) -> str:
    """Have the job's next run leave a comment besides; return what its closing comment says."""
    steps = [_COMMENT, scenes.REPORT, scenes.verdict("fixed", summary="With a comment now.")]
    bot.agent_does(steps)
    await bot.comment("/ptq rerun\nSay in a comment why it copies.")
    await bot.next_text()
    return (await bot.next_text()).partition("\n")[2]


async def heads(bot: Bot) -> dict[str, str]:
    """Return the branches that are ours."""
    branches = await bot.github.world.project(REPOSITORY).git.branches()
    return {name: sha for name, sha in branches.items() if name.startswith("ptq/")}


def pulls(bot: Bot) -> list[Issue]:
    """Return the pull requests, oldest first."""
    return bot.github.pulls(REPOSITORY)


async def test_the_next_fix_goes_into_the_pull_request_that_there_is(bot: Bot) -> None:
    """One branch and one draft: a new commit on the old one, and a text that tells the new proof."""
    bot.agent_does(scenes.fixed_with())
    await ended(bot)
    before = await heads(bot)
    said = await fixed_again(bot)
    assert said == snapshot("""\
@maintainer I ran the repro myself: it fails at base in 3 of 3 runs, and passes with the change in 3 of 3. I brought [draft pull request #2](https://github.com/pytorch/pytorch/pull/2) to this change.

In the agent's words:
> With a comment now.

The report, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID). No person has checked what the agent says there.\
""")

    after = await heads(bot)
    git = bot.github.world.project(REPOSITORY).git
    assert list(after) == ["ptq/1"]
    assert await git.count(before["ptq/1"], after["ptq/1"]) == 1
    (pull,) = pulls(bot)
    assert "run=2" in (pull.body or "").partition("\n")[0]
    assert "# The caller keeps its own." in await bot.github.diff(REPOSITORY, pull.number)
    job = await bot.job()
    assert job.pull_url is not None
    assert job.pull_url.endswith(f"/pull/{pull.number}")
    hidden = {one.body.partition("\n")[0]: one.is_minimized for one in bot.comments()}
    assert [bot.plain(first) for first, is_hidden in hidden.items() if is_hidden] == snapshot(
        ["<!-- ptq:progress job=YYYYMMDD-pytorch-1 run=1 -->"]
    )


async def test_a_pull_request_that_somebody_pushed_to_is_left_alone(bot: Bot) -> None:
    """Nobody's work is written over: the next fix has a branch and a draft of its own."""
    bot.agent_does(scenes.fixed_with())
    await ended(bot)
    git = bot.github.world.project(REPOSITORY).git
    first = (await heads(bot))["ptq/1"]
    theirs = await git.write_commit(
        "Say more", tree=(await git.commit(first)).tree, parents=[first], author=_SOMEBODY
    )
    await git.set_branch("ptq/1", theirs)

    said = await fixed_again(bot)
    assert said == snapshot("""\
@maintainer I ran the repro myself: it fails at base in 3 of 3 runs, and passes with the change in 3 of 3. The change is in [draft pull request #3](https://github.com/pytorch/pytorch/pull/3). I left #2 as it is: it is no open draft any more, or somebody else pushed to it.

In the agent's words:
> With a comment now.

The report, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID). No person has checked what the agent says there.\
""")

    after = await heads(bot)
    assert after["ptq/1"] == theirs
    assert sorted(after) == ["ptq/1", "ptq/1-2"]
    assert [pull.pull and pull.pull.head for pull in pulls(bot)] == ["ptq/1", "ptq/1-2"]


@pytest.mark.parametrize("ending", ["closed", "ready"])
async def test_a_pull_request_that_is_no_open_draft_is_left_alone(bot: Bot, ending: str) -> None:
    """People have decided about it, or are reading it."""
    bot.agent_does(scenes.fixed_with())
    await ended(bot)
    (first,) = pulls(bot)
    assert first.pull is not None
    if ending == "closed":
        first.state = "closed"
    else:
        first.pull.draft = False
    before = (await heads(bot))["ptq/1"]

    said = await fixed_again(bot)

    assert "I left #2 as it is" in said
    after = await heads(bot)
    assert after["ptq/1"] == before
    assert [pull.pull and pull.pull.head for pull in pulls(bot)] == ["ptq/1", "ptq/1-2"]
