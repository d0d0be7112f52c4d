"""Labels that give a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inline_snapshot import snapshot

from bot.models import JobState, Mode
from tests.configured import configure
from tests.harness import MAINTAINER, REPORTER, REPOSITORY, TRIAGER

if TYPE_CHECKING:
    from tests.fakes.github import Delivery
    from tests.harness import Bot

ACCEPTED = '{"receipt": "accepted"}'
IGNORED = '{"receipt": "ignored"}'


async def put(bot: Bot, label: str, *, by: str = MAINTAINER) -> Delivery:
    """Put a label on the issue, and have it delivered."""
    return await bot.github.add_label(REPOSITORY, bot.issue.number, label, by=by)


def labels(bot: Bot) -> list[str]:
    """Return the issue's labels."""
    return [label.name for label in bot.issue.labels]


def reactions(bot: Bot) -> list[str]:
    """Return the reactions to the issue itself."""
    return [reaction.content for reaction in bot.issue.reactions]


async def test_a_label_is_a_command(bot: Bot) -> None:
    """Who puts it on is who asks; it is seen, taken off, and the job is that of a comment."""
    assert (await put(bot, "ptq")).reply == ACCEPTED
    assert (await bot.next_text()).splitlines()[1] == snapshot(
        "**I am waiting for a machine** (job `YYYYMMDD-pytorch-1`), as asked for by maintainer."
    )
    assert (await bot.next_text()).splitlines()[1].startswith("@maintainer ")
    assert reactions(bot) == ["eyes"]
    assert labels(bot) == ["module: nn"]
    request = (await bot.job()).request
    assert (request.command_comment_id, request.command_url) == (None, None)
    assert request.options.mode is Mode.FIX


async def test_a_label_can_be_put_on_again(bot: Bot) -> None:
    """While the job runs it is pointed to, after it there is another one."""
    bot.agent_does([{"hang": True}])
    await put(bot, "ptq-repro")
    await bot.next_text()
    await bot.reached(JobState.INVESTIGATING)
    await put(bot, "PTQ")
    assert (
        (await bot.next_text())
        .partition("\n")[2]
        .startswith("@maintainer This issue is being investigated already, in job")
    )
    await bot.handled()
    assert labels(bot) == ["module: nn"]
    (job,) = await bot.service.jobs.unfinished()
    assert job.request.options.mode is Mode.REPRODUCE
    await bot.service.jobs.request_kill(job.id, MAINTAINER)
    await bot.next_text()
    await bot.job()


async def test_a_redelivery_of_a_label_does_nothing_twice(bot: Bot) -> None:
    """GitHub's redelivery keeps its id, which the command is known by."""
    delivery = await put(bot, "ptq", by=TRIAGER)
    await bot.next_text()
    await bot.handled()
    again = await bot.github.redeliver(delivery.id)
    assert again.reply == '{"receipt": "known"}'
    await bot.handled()


async def test_a_label_takes_the_same_right(bot: Bot) -> None:
    """Who may label may not have a GPU by that: it is told, and the label goes."""
    delivery = await put(bot, "ptq", by=TRIAGER)
    marker, _, text = (await bot.next_text()).partition("\n")
    assert marker == f"<!-- ptq:reply delivery={delivery.guid} -->"
    assert text == snapshot(
        "@triager I cannot do that: it takes write permission on this repository."
    )
    await bot.handled()
    assert (labels(bot), reactions(bot)) == (["module: nn"], [])
    assert await bot.service.jobs.unfinished() == []


async def test_a_person_who_lost_every_right(bot: Bot) -> None:
    """Nothing is said to somebody who may not triage any more."""
    await put(bot, "ptq", by=REPORTER)
    await bot.handled()
    assert (labels(bot), reactions(bot)) == (["module: nn"], [])
    assert await bot.service.jobs.unfinished() == []


async def test_other_labels_are_nothing(bot: Bot) -> None:
    """Once the configuration is known the door itself tells them apart; they stay on the issue."""
    assert (await put(bot, "bug")).reply == ACCEPTED
    await bot.handled()
    assert (await put(bot, "triaged")).reply == IGNORED
    assert (await put(bot, "ptq", by="ptq[bot]")).reply == IGNORED
    assert labels(bot) == ["module: nn", "bug", "triaged", "ptq"]
    assert await bot.service.jobs.unfinished() == []


async def test_a_repository_maps_its_own_labels(bot: Bot) -> None:
    """They stand instead of the usual ones, with options and guidance."""
    await configure(
        bot.github.world.project(REPOSITORY),
        "labels:\n  'please: look':\n    investigate --no-pr --hours 1\n"
        "  long: |\n    investigate\n    Look at `transpose_`.\n",
    )
    await put(bot, "ptq")
    await bot.handled()
    await put(bot, "Please: Look")
    await bot.next_text()
    await bot.next_text()
    first = (await bot.job()).request
    assert (first.options.pr, first.options.hours, first.guidance) == (False, 1, "")
    assert labels(bot) == ["module: nn", "ptq"]
    await put(bot, "long")
    await bot.next_text()
    await bot.next_text()
    assert (await bot.job()).request.guidance == "Look at `transpose_`."


async def test_comments_after_the_label_do_not_count(bot: Bot) -> None:
    """The issue is frozen as it was when the label was put on."""
    bot.github.add_comment(REPOSITORY, bot.issue.number, MAINTAINER, "It was said early.")
    freezing = bot.github.hold_next("GET", "*/issues/*/comments*")
    await put(bot, "ptq")
    late = bot.github.add_comment(REPOSITORY, bot.issue.number, MAINTAINER, "It was said late.")
    late.created_at = late.updated_at = late.created_at.replace(year=late.created_at.year + 1)
    freezing.set()
    await bot.next_text()
    await bot.next_text()
    brief = next(bot.machine.home.glob("ptq_workspace/jobs/*/issue.md")).read_text()
    assert "It was said early." in brief
    assert "It was said late." not in brief


async def test_a_label_while_the_bot_is_switched_off(bot: Bot) -> None:
    """It is answered and taken off as any command."""
    await configure(bot.github.world.project(REPOSITORY), "enabled: false")
    await put(bot, "ptq")
    assert (await bot.next_text()).partition("\n")[2] == snapshot(
        "@maintainer I cannot do that: `.github/ptq.yml` switches me off in this repository (`enabled: false`)."
    )
    await bot.handled()
    assert labels(bot) == ["module: nn"]
