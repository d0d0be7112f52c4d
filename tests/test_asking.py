"""Who may ask, and what is answered at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from tests.harness import MAINTAINER, REPORTER, REPOSITORY, STRANGER, TRIAGER

if TYPE_CHECKING:
    from tests.fakes.github.memory import Comment
    from tests.harness import Bot


async def answered(bot: Bot, comment: Comment, *reactions: str) -> None:
    """Wait for the reactions; nothing was reserved for this comment."""
    await bot.handled()
    assert bot.reactions(comment) == list(reactions)
    assert await bot.service.jobs.unfinished() == []
    assert bot.machine.commands == []


async def test_a_stranger_is_refused_without_words(bot: Bot) -> None:
    """Nobody without write permission reserves a GPU, and nobody makes the bot talk."""
    asked = await bot.comment("/ptq investigate", author=STRANGER)
    await answered(bot, asked, "confused")


async def test_the_reporter_is_refused_too(bot: Bot) -> None:
    """Having opened the issue is no right to a GPU."""
    asked = await bot.comment("/ptq investigate", author=REPORTER)
    await answered(bot, asked, "confused")


async def test_a_triager_is_told_why(bot: Bot) -> None:
    """Who triages here learns what is missing."""
    asked = await bot.comment("/ptq investigate", author=TRIAGER)
    assert (await bot.next_text()).partition("\n")[2] == snapshot(
        "@triager I cannot do that: it takes write permission on this repository."
    )
    await answered(bot, asked, "confused")


async def test_a_login_that_is_somebody_elses_by_now(bot: Bot) -> None:
    """Permission is asked for by login, and counts only for the account that wrote the comment."""
    asking = bot.github.hold_next("GET", "*/collaborators/*")
    asked = await bot.comment("/ptq investigate")
    old = bot.github.world.accounts.pop(MAINTAINER)
    assert bot.github.world.account(MAINTAINER).id != old.id
    asking.set()
    await answered(bot, asked, "confused")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (
            "/ptq investgate",
            snapshot("""\
@maintainer There is no command `investgate`. Did you mean `/ptq investigate`?

The commands are `investigate`, `run`, `rerun`, `status`, `peek`, `results`, `pr`, `list`, `kill`, `extend`, `clean`, `help`; `/ptq help` explains them.\
"""),
        ),
        (
            "/ptq investigate --gpu h100",
            snapshot("""\
@maintainer There is no option `--gpu`. Did you mean `--gpus`?

Usage: `/ptq investigate [options] [guidance]` · `/ptq help investigate` says more.\
"""),
        ),
        (
            "/ptq investigate --gpus many",
            snapshot("""\
@maintainer `--gpus` takes a whole number from 1 to 16, not `many`.

Usage: `/ptq investigate [options] [guidance]` · `/ptq help investigate` says more.\
"""),
        ),
        (
            "/ptq investigate --gpus 99",
            snapshot("""\
@maintainer `--gpus` takes a whole number from 1 to 16, not `99`.

Usage: `/ptq investigate [options] [guidance]` · `/ptq help investigate` says more.\
"""),
        ),
        (
            '/ptq investigate -p "unclosed',
            snapshot("""\
@maintainer A quote is opened and never closed: `"unclosed`.

Usage: `/ptq investigate [options] [guidance]` · `/ptq help investigate` says more.\
"""),
        ),
        (
            "/ptq investigate --follow",
            snapshot("""\
@maintainer `--follow` works in a terminal only: leave it out of a comment.

Usage: `/ptq investigate [options] [guidance]` · `/ptq help investigate` says more.\
"""),
        ),
    ],
    ids=["command", "option", "value", "range", "quote", "terminal"],
)
async def test_a_mistake_is_told_with_the_nearest_right_word(
    bot: Bot, text: str, answer: str
) -> None:
    """A wrong command gets one answer: what was wrong, the nearest right one, the usage."""
    asked = await bot.comment(text)
    assert (await bot.next_text()).partition("\n")[2] == answer
    await answered(bot, asked, "confused")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (
            "/ptq investigate --hours 20",
            snapshot("@maintainer I cannot do that: `--hours 20` is more than the 8 allowed here."),
        ),
        (
            "/ptq investigate --gpus 16",
            snapshot("@maintainer I cannot do that: `--gpus 16` is more than the 8 allowed here."),
        ),
        (
            "/ptq investigate --max-usd 500",
            snapshot(
                "@maintainer I cannot do that: `--max-usd 500` is more than the 50 allowed here."
            ),
        ),
        (
            "/ptq investigate --agent gemini",
            snapshot(
                "@maintainer I cannot do that: there is no agent of that name here; there is `claude`, `codex`."
            ),
        ),
        (
            "/ptq investigate --dockerfile Dockerfile",
            snapshot(
                "@maintainer I cannot do that: the machines here are prepared without an image: leave `--dockerfile` out."
            ),
        ),
    ],
    ids=["hours", "gpus", "dollars", "agent", "image"],
)
async def test_more_than_the_operator_allows(bot: Bot, text: str, answer: str) -> None:
    """A right command beyond a limit is refused with the numbers."""
    asked = await bot.comment(text)
    assert (await bot.next_text()).partition("\n")[2] == answer
    await answered(bot, asked, "confused")


async def test_help(bot: Bot) -> None:
    """A bare command explains the bot."""
    asked = await bot.comment("/ptq", author=REPORTER)
    assert (await bot.next_text()).partition("\n")[2] == snapshot("""\
I investigate issues of this repository on a GPU machine, with a coding agent.

- `/ptq investigate [options] [guidance]`: reproduce the bug of this issue, find its cause and try to fix it, on a GPU machine.
- `/ptq run [options] -m "task"`: the same for a free task.
- `/ptq rerun [options] [guidance]`: the next run of this issue's job, which goes on from the last one.
- `/ptq status [JOB]`: how far a job is: its state, place in the queue, machine, spend and time left.
- `/ptq peek [--log N] [JOB]`: the worklog, and the end of the agent's log.
- `/ptq results [JOB]`: the verdict, the report, the patch, the worklog and the log.
- `/ptq pr [JOB]`: open the draft pull request of a job that ran with `--no-pr`.
- `/ptq list`: the jobs of this repository and where they are.
- `/ptq kill [JOB]`: stop the agent, keep what it wrote, give the GPU back.
- `/ptq extend --hours H [JOB]`: more time on the machine.
- `/ptq clean [JOB]`: remove a job's files from its machine.
- `/ptq help [COMMAND]`: these commands, or one of them in full.

A command is a line of its own that begins with `/ptq`, in a new comment. The lines under it are guidance for the agent.\
""")
    await answered(bot, asked, "eyes")


async def test_a_command_that_an_edit_adds(bot: Bot) -> None:
    """Only new comments count; an edit that adds a command is told so, once."""
    comment = await bot.comment("What about this?")
    await bot.github.edit_comment(comment, "What about this?\n/ptq investigate")
    assert (await bot.next_text()).partition("\n")[2] == snapshot(
        "@maintainer I read commands in new comments only, so the one that was just added to this comment is not carried out. Please write it in a new comment."
    )
    await bot.github.edit_comment(comment, "What about that?\n/ptq investigate")
    await answered(bot, comment, "confused")


async def test_three_commands_in_one_comment(bot: Bot) -> None:
    """Each command is answered, in its order."""
    await bot.comment("/ptq help\n/ptq kil\n/ptq status")
    texts = [(await bot.next_text()).partition("\n")[2] for _ in range(3)]
    assert [text.split(".")[0][:40] for text in texts] == snapshot(
        [
            "I investigate issues of this repository ",
            "@maintainer There is no command `kil`",
            "@maintainer I cannot do that: there is n",
        ]
    )


async def test_a_pull_request_is_no_issue(bot: Bot) -> None:
    """A command under a pull request is refused."""
    project = bot.github.world.project(REPOSITORY)
    head = await project.git.branch("main")
    assert head is not None
    await project.git.set_branch("feature", head)
    pull = bot.github.add_issue(REPOSITORY, "A change", "")
    bot.as_pull(pull, head="feature", sha=head)
    await bot.comment("/ptq investigate", issue=pull)
    assert (await bot.next_text()).partition("\n")[2] == snapshot(
        "@maintainer I cannot do that: this is a pull request, and ptq investigates issues."
    )


async def test_quotes_code_and_other_bots_are_no_commands(bot: Bot) -> None:
    """What is quoted, in code or written by an App is not carried out."""
    await bot.comment("> /ptq investigate\n\n```\n/ptq investigate\n```\n")
    await bot.comment("/ptq investigate", author="other[bot]")
    await bot.handled()
    assert await bot.service.jobs.unfinished() == []


async def test_a_repository_that_is_not_served(bot: Bot) -> None:
    """An App can be installed anywhere; the operator says where it works."""
    await bot.github.add_repository("somebody/else", collaborators={"maintainer": "admin"})
    issue = bot.github.add_issue("somebody/else", "A bug")
    await bot.github.post_comment("somebody/else", issue.number, "maintainer", "/ptq investigate")
    assert bot.github.deliveries[-1].status == 202
    assert await bot.service.jobs.unfinished() == []
