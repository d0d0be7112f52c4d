"""`/ptq status` and `/ptq list`: how far jobs are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from tests import scenes
from tests.harness import MAINTAINER, REPORTER, REPOSITORY, STRANGER, TRIAGER
from tests.running import at_work, ended, stopped

if TYPE_CHECKING:
    from tests.harness import Bot


async def test_the_status_of_a_running_job(bot: Bot) -> None:
    """The state, the machine, the time left, turns, spend and where to read."""
    await at_work(bot, "/ptq investigate --max-usd 5")
    asked = await bot.comment("/ptq status", author=REPORTER)
    assert await bot.next_text() == snapshot("""\
<!-- ptq:reply comment=ID command=1 --><!-- ptq:kind status -->
Job `YYYYMMDD-pytorch-1`: **investigating** for N s.

| | |
|---|---|
| asked for by | maintainer ([the command](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID)) |
| machine | `gpu-1`, `1 × h100` |
| time left | 4 h N s, until DATE UTC |
| agent | `claude`, model `opus`, mode `fix` |
| turns | 1 of 100 |
| spend | not known yet, $5.00 at most |
| latest step | `I read the issue.` |
| where to read | [its progress](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID) |\
""")
    assert bot.reactions(asked) == ["eyes"]
    await stopped(bot)


async def test_an_older_answer_is_hidden(bot: Bot) -> None:
    """A thread shows one status: the one before is minimised as outdated."""
    bot.agent_does(scenes.not_reproduced())
    job = await ended(bot)
    for named in ("", " 1", " #1", f" {job.id}"):
        await bot.comment(f"/ptq status{named}", author=TRIAGER)
        await bot.next_text()
    assert bot.plain(bot.comments()[2].body) == snapshot("""\
<!-- ptq:reply comment=ID command=1 --><!-- ptq:kind status -->
Job `YYYYMMDD-pytorch-1`: **finished**, DATE UTC.

| | |
|---|---|
| asked for by | maintainer ([the command](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID)) |
| machine | `gpu-1`, `1 × h100` |
| agent | `claude`, model `opus`, mode `fix` |
| turns | 3 of 100 |
| spend | $0.06 |
| verdict | `reproduced`: I ran the repro myself: it fails at base in 3 of 3 runs. |
| where to read | [the report](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID), [the answer](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID) |\
""")
    await bot.comment("/ptq list")
    assert (await bot.next_text()).partition("\n")[2] == snapshot("""\
| state | job | issue | runs | machine | reserved until |
|---|---|---|---|---|---|
| finished | [`YYYYMMDD-pytorch-1`](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID) | `#1` | 1 | `gpu-1` |  |\
""")
    await bot.handled()
    hidden = [comment.is_minimized for comment in bot.comments()]
    assert hidden == [False, False, True, True, True, False, False]


async def test_a_comment_that_cannot_be_hidden(bot: Bot) -> None:
    """Hiding is a courtesy: a command whose older answer stays is carried out all the same."""
    await bot.comment("/ptq list")
    assert (await bot.next_text()).partition("\n")[2] == snapshot(
        "There is no job in this repository yet: `/ptq investigate` asks for one."
    )
    refusal = {"data": None, "errors": [{"type": "FORBIDDEN", "message": "not by integrations"}]}
    bot.github.fail_next("POST", "/graphql", status=200, body=refusal)
    asked = await bot.comment("/ptq list")
    await bot.next_text()
    await bot.handled()
    assert bot.reactions(asked) == ["eyes"]
    assert [comment.is_minimized for comment in bot.comments()] == [False, False]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (
            "/ptq status",
            snapshot(
                "@maintainer I cannot do that: there is no job here yet: `/ptq investigate` asks for one."
            ),
        ),
        (
            "/ptq status 77",
            snapshot(
                "@maintainer I cannot do that: `#77` has no job: `/ptq list` shows those of this repository."
            ),
        ),
        (
            "/ptq status 20260102-pytorch-9",
            snapshot(
                "@maintainer I cannot do that: there is no job `YYYYMMDD-pytorch-9` in this repository: `/ptq list` shows them."
            ),
        ),
        (
            "/ptq status soon",
            snapshot("""\
@maintainer `soon` is not a job's id or its issue's number.

Usage: `/ptq status [JOB]` · `/ptq help status` says more.\
"""),
        ),
        (
            "/ptq status 1 2",
            snapshot("""\
@maintainer `2` is one word too many: one job can be named.

Usage: `/ptq status [JOB]` · `/ptq help status` says more.\
"""),
        ),
        (
            "/ptq status --verbose",
            snapshot("""\
@maintainer There is no option `--verbose` here.

Usage: `/ptq status [JOB]` · `/ptq help status` says more.\
"""),
        ),
        (
            "/ptq list all",
            snapshot("""\
@maintainer `/ptq list` takes nothing more, so `all` means nothing here.

Usage: `/ptq list` · `/ptq help list` says more.\
"""),
        ),
    ],
)
async def test_what_cannot_be_shown(bot: Bot, text: str, answer: str) -> None:
    """A job that is not there, and a wrong command, are told with what to write."""
    asked = await bot.comment(text)
    assert (await bot.next_text()).partition("\n")[2] == answer
    await bot.handled()
    assert bot.reactions(asked) == ["confused"]


async def test_jobs_of_another_repository_are_not_shown(world: Bot) -> None:
    """A job is known in its own repository only, by whatever name."""
    other = "pytorch/vision"
    await world.github.add_repository(other, collaborators={MAINTAINER: "admin"})
    world.github.add_issue(other, "It is blurred")
    served = world.settings.github.model_copy(update={"repositories": ("pytorch",)})
    world.settings = world.settings.model_copy(update={"github": served})
    async with world.serving():
        job = await at_work(world)
        for text in (f"/ptq status {job.id}", f"/ptq kill {job.id}", "/ptq kill 1", "/ptq list"):
            await world.github.post_comment(other, 1, MAINTAINER, text)
            await world.handled()
        texts = [(await world.next_text()).partition("\n")[2] for _ in range(4)]
        assert texts == snapshot(
            [
                "@maintainer I cannot do that: there is no job `YYYYMMDD-pytorch-1` in this repository: `/ptq list` shows them.",
                "@maintainer I cannot do that: there is no job `YYYYMMDD-pytorch-1` in this repository: `/ptq list` shows them.",
                "@maintainer I cannot do that: `#1` has no job: `/ptq list` shows those of this repository.",
                "There is no job in this repository yet: `/ptq investigate` asks for one.",
            ]
        )
        assert await world.service.jobs.is_unfinished(job.id)
        await stopped(world)


async def test_a_stranger_is_shown_nothing(bot: Bot) -> None:
    """Reading takes the right to triage, or having opened the issue."""
    asked = await bot.comment("/ptq status", author=STRANGER)
    await bot.handled()
    assert bot.reactions(asked) == ["confused"]
    issue = bot.github.add_issue(REPOSITORY, "Another", author=STRANGER)
    asked = await bot.comment("/ptq list", author=STRANGER, issue=issue)
    await bot.next_text()
    await bot.handled()
    assert bot.reactions(asked) == ["eyes"]
