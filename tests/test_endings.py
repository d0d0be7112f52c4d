"""How a job ends that opens no pull request: each is told, and each gives the machine back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

from bot.models import JobState
from demo import story
from tests import scenes
from tests.harness import REPOSITORY

if TYPE_CHECKING:
    from bot.store import Job
    from tests.harness import Bot


async def ended(bot: Bot, comment: str = "/ptq investigate") -> tuple[Job, str]:
    """Have a job carried out; return it with its closing comment, the machine being free again."""
    await bot.comment(comment)
    assert "I am waiting for a machine" in await bot.next_text()
    closing = await bot.next_text()
    job = await bot.job()
    assert bot.github.pulls(REPOSITORY) == []
    assert len(bot.comments()) == 2
    assert await bot.service.leases.living() == []
    return job, closing.partition("\n")[2]


async def test_a_bug_that_does_not_reproduce(bot: Bot) -> None:
    """The answer says what the issue lacks."""
    bot.issue.body = scenes.PASSING
    bot.agent_does(scenes.not_reproduced())
    job, closing = await ended(bot)
    assert job.state is JobState.FINISHED
    assert closing == snapshot("""\
@maintainer I ran the repro myself: it passes at base in 3 of 3 runs. So I could not reproduce the bug here.

What I tried: `python repro.py`, 3 times, at base, on a machine without a GPU, torch `0.3.0`, commit `fab142db24e9`, Python `3.11.7`.

What the agent found missing in the issue:
> The shape of the batch, and the device.

In the agent's words:
> The repro passes with this build.

The report, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID). No person has checked what the agent says there.\
""")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"write": "pytorch/.github/workflows/ci.yml", "text": "on: push\n"},
            snapshot(
                "@maintainer I ran the repro myself, 3 times at base. The repro fails as reported in all 3 runs. Its patch cannot be tried: .github/workflows/ci.yml: workflows and hooks are never changed. The agent had a second try, with what I saw in the first. The agent claimed `fixed`; I saw `not_fixed`."
            ),
        ),
        (
            {"write": "pytorch/conftest.py", "text": "x = 1\n"},
            snapshot(
                "@maintainer I ran the repro myself: it fails at base in 3 of 3 runs, and passes with the change in 3 of 3. I opened no pull request. The patch may not be published: conftest.py: changes of **/conftest.py are not allowed here."
            ),
        ),
        (
            {"write": "pytorch/kernel.cu", "text": "int x;\n"},
            snapshot(
                "@maintainer I ran the repro myself: it fails at base in 3 of 3 runs, and passes with the change in 3 of 3. I opened no pull request. The patch may not be published: kernel.cu: not one of the files that may change here."
            ),
        ),
        (
            {"run": ["ln", "-s", "/etc/passwd", "pytorch/tinytorch/users.py"]},
            snapshot(
                "@maintainer I ran the repro myself, 3 times at base. The repro fails as reported in all 3 runs. Its patch cannot be tried: tinytorch/users.py: a symbolic link is not taken. The agent had a second try, with what I saw in the first. The agent claimed `fixed`; I saw `not_fixed`."
            ),
        ),
        (
            {"run": ["chmod", "+x", "pytorch/tinytorch/sequence.py"]},
            snapshot(
                "@maintainer I ran the repro myself, 3 times at base. The repro fails as reported in all 3 runs. Its patch cannot be tried: tinytorch/sequence.py: a change of its mode is not taken. The agent had a second try, with what I saw in the first. The agent claimed `fixed`; I saw `not_fixed`."
            ),
        ),
    ],
    ids=["workflow", "denied", "not allowed", "link", "mode"],
)
async def test_a_patch_that_is_not_allowed(bot: Bot, change: dict[str, Any], reason: str) -> None:
    """A fix that must not be published is shown in the report, and the reason is told."""
    bot.agent_does(scenes.fixed_with(change))
    job, closing = await ended(bot)
    assert job.state is JobState.FINISHED
    assert closing.split("\n")[0] == reason


async def test_no_pull_request_is_wanted(bot: Bot) -> None:
    """With --no-pr the patch stays in the report."""
    _, closing = await ended(bot, "/ptq investigate --no-pr")
    assert "`--no-pr`" in closing
    assert "padded = transpose(padded)" in bot.report()


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        (
            [{"fail": {"subtype": "success", "result": "API Error: 529"}}],
            snapshot(
                "@maintainer The model behind the agent failed or refused, so the agent ended early. I ran the repro myself: it fails at base in 3 of 3 runs."
            ),
        ),
        (
            [{"fail": {"subtype": "error_max_turns"}}],
            snapshot(
                "@maintainer The agent used up its 100 turns before it was done. I ran the repro myself: it fails at base in 3 of 3 runs."
            ),
        ),
        (
            [{"fail": {"subtype": "error_max_budget_usd"}}],
            snapshot(
                "@maintainer The agent used up its money before it was done. I ran the repro myself: it fails at base in 3 of 3 runs."
            ),
        ),
        (
            [{"kill": "SIGKILL"}],
            snapshot(
                "@maintainer The agent crashed before it was done. I ran the repro myself: it fails at base in 3 of 3 runs."
            ),
        ),
        (
            [{"exit": 3}],
            snapshot(
                "@maintainer The agent crashed before it was done. I ran the repro myself: it fails at base in 3 of 3 runs."
            ),
        ),
    ],
    ids=["api", "turns", "money", "killed", "status"],
)
async def test_an_agent_that_fails(bot: Bot, steps: scenes.Steps, sentence: str) -> None:
    """The answer says how the agent ended; what it wrote until then is in the report."""
    bot.agent_does([{"write": "worklog.md", "text": "- began\n"}, *steps])
    job, closing = await ended(bot)
    assert job.state is JobState.FAILED
    assert closing.split("\n")[0] == sentence
    assert "- began" in bot.report()


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        (
            [],
            snapshot(
                "I ran the repro myself: it fails at base in 3 of 3 runs. The agent left no verdict.json."
            ),
        ),
        (
            [{"write": "verdict.json", "text": "it works"}],
            snapshot(
                "I ran the repro myself: it fails at base in 3 of 3 runs. verdict.json is wrong: Invalid JSON: expected value at line 1 column 1."
            ),
        ),
        (
            [scenes.verdict("splendid")],
            snapshot(
                "I ran the repro myself: it fails at base in 3 of 3 runs. verdict.json is wrong: verdict: Input should be 'reproduced', 'not_reproduced', 'fixed', 'not_fixed', 'broke_others', 'already_passing', 'environment' or 'error'."
            ),
        ),
        (
            [{"run": ["ln", "-s", "/etc/passwd", "verdict.json"]}],
            snapshot(
                "I ran the repro myself: it fails at base in 3 of 3 runs. The agent left no verdict.json."
            ),
        ),
    ],
    ids=["none", "no JSON", "unknown", "link"],
)
async def test_an_agent_without_a_verdict(bot: Bot, steps: scenes.Steps, sentence: str) -> None:
    """No verdict is made up; the report says what is wrong with the file."""
    bot.agent_does([{"say": "Done."}, *steps])
    job, closing = await ended(bot)
    assert job.state is JobState.FINISHED
    assert closing.startswith("@maintainer The agent ended without a verdict.")
    assert bot.report().split("\n\n")[2] == sentence


async def test_the_time_is_over(bot: Bot) -> None:
    """An agent that does not end is stopped at its deadline, with all it started."""
    bot.agent_does(
        [
            {"write": "worklog.md", "text": "- began\n"},
            {"spawn": ["sleep", "1000"]},
            {"ignore": "SIGTERM"},
            {"hang": True},
        ]
    )
    job, closing = await ended(bot, "/ptq investigate --hours 0.0012")
    assert job.state is JobState.TIMED_OUT
    assert closing == snapshot("""\
@maintainer The time limit (0.0012 hours) ran out before the agent was done. I could not prove this here. The reservation ended before it was done.

What is known is in [the comment above](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID). It may be incomplete, because the run was cut short.\
""")
    assert "- began" in bot.report()


async def test_somebody_cancels(bot: Bot) -> None:
    """A job that is asked to stop, by whatever process, stops its agent and tells what it has."""
    bot.agent_does([{"write": "worklog.md", "text": "- began\n"}, {"hang": True}])
    await bot.comment("/ptq investigate")
    await bot.next_text()
    await bot.reached(JobState.INVESTIGATING)
    (job,) = await bot.service.jobs.unfinished()
    assert await bot.service.jobs.request_kill(job.id, "maintainer")
    assert (await bot.next_text()).partition("\n")[2] == snapshot("""\
@maintainer This job was stopped by maintainer before it was done.

What is known is in [the comment above](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID). It may be incomplete, because the run was cut short.\
""")
    assert (await bot.job()).state is JobState.CANCELLED


async def test_no_machine_fits(bot: Bot) -> None:
    """A machine that is not there is told at once, with those that are."""
    job, closing = await ended(bot, "/ptq investigate --gpu-type b200 --gpus 8")
    assert job.state is JobState.FAILED
    assert closing == snapshot("""\
@maintainer This job failed. There is no machine for it: asked for 8 × b200, there is gpu-1 (1 × h100).

What is known is in [the comment above](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID).\
""")


async def test_the_machine_cannot_be_reached(bot: Bot) -> None:
    """A machine that does not answer is no reason to wait for ever, or to name its address."""
    await bot.machine.refuse()
    job, closing = await ended(bot)
    assert job.state is JobState.FAILED
    assert closing == snapshot("""\
@maintainer This job failed. The connection to its machine was lost, or never made. I began again, and lost the second one too. It has nothing to do with the issue: ask again later.

What is known is in [the comment above](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID).\
""")


async def test_the_commit_of_the_wheel_is_not_in_the_source(world: Bot) -> None:
    """No other commit is taken silently."""
    await world.without_commit()
    async with world.serving():
        job, closing = await ended(world)
    assert job.state is JobState.FAILED
    assert closing == snapshot("""\
@maintainer This job failed. The PyTorch workspace could not be prepared: tinytorch 0.3.0 was built from commit fab142db24e9d286f499ab52a9a5c222e2004198, which is not in /srv/other.git.

What is known is in [the comment above](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID).\
""")


async def test_the_issue_is_closed_meanwhile(bot: Bot) -> None:
    """A closed issue reserves nothing; one comment says so."""
    bot.issue.state = "closed"
    await bot.comment("/ptq investigate")
    assert (await bot.next_text()).partition("\n")[2] == snapshot(
        "@maintainer This issue is closed: reopen it, and ask again."
    )
    assert (await bot.job()).state is JobState.REFUSED
    assert bot.machine.commands == []


async def test_secrets_stay_secret(bot: Bot) -> None:
    """What looks like a credential in an agent's report is taken out, and nobody is mentioned."""
    token = "ghp_" + "A1b2" * 9
    text = f"Fixes #1, cc @pytorch/team, token {token}\n"
    bot.agent_does([{"write": "report.md", "text": text}, scenes.verdict("reproduced")])
    await ended(bot)
    body = bot.comments()[0].body
    assert token not in body
    assert "cc `@pytorch/team`" in body
    assert "Fixes #1" not in body


async def test_the_whole_fix_is_in_the_report(bot: Bot) -> None:
    """A report longer than a comment holds is cut, and the comment says what is left out."""
    bot.agent_does(
        [
            *story.reproduce(),
            {"write": "report.md", "text": "word " * 40_000},
            {"write": "worklog.md", "text": "- step\n" * 9_000},
            scenes.verdict("reproduced"),
        ]
    )
    await ended(bot)
    body = bot.comments()[0].body
    assert len(body) <= 60_000
    assert "the middle of the report was left out" in body
