"""`/ptq peek` and `/ptq results`: what an agent wrote."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

from tests import scenes
from tests.harness import REPORTER, TRIAGER
from tests.running import at_work, ended, stopped

if TYPE_CHECKING:
    from tests.harness import Bot

WORK = (
    {"write": "worklog.md", "text": "- read the issue, closes #7 for @alice\n"},
    *({"say": f"Thought {number}."} for number in range(1, 31)),
)


async def test_a_look_at_a_running_agent(bot: Bot) -> None:
    """The worklog and the last lines of the log come from the machine; their text is untrusted."""
    await at_work(bot, steps=WORK)
    await bot.comment("/ptq peek --log 3", author=REPORTER)
    assert await bot.next_text() == snapshot("""\
<!-- ptq:reply comment=ID command=1 --><!-- ptq:kind peek -->
Job `YYYYMMDD-pytorch-1` is running on `gpu-1`. This is what its agent wrote so far.

<details><summary>Worklog of the agent (AI-generated, not reviewed by a person)</summary>

- read the issue, closes `#7` for `@alice`

</details>

The last 3 lines of its log:

```
Thought 28.
Thought 29.
Thought 30.
```\
""")
    await bot.comment("/ptq peek", author=TRIAGER)
    text = await bot.next_text()
    assert "Thought 11." in text
    assert "Thought 10." not in text
    await stopped(bot)
    await bot.comment("/ptq peek --log=2")
    assert (await bot.next_text()).partition("\n")[2] == snapshot("""\
Job `YYYYMMDD-pytorch-1` was cancelled. This is what its agent wrote.

<details><summary>Worklog of the agent (AI-generated, not reviewed by a person)</summary>

- read the issue, closes `#7` for `@alice`

</details>

The last 2 lines of its log:

```
Thought 29.
Thought 30.
```\
""")
    await bot.handled()
    kinds = [one.is_minimized for one in bot.comments() if "ptq:kind peek" in one.body]
    assert kinds == [True, True, False]


async def test_a_machine_that_does_not_answer(world: Bot) -> None:
    """It is said, and the command ends."""
    patience = {"machine_patience": timedelta(seconds=0.5)}
    world.settings = world.settings.model_copy(update=patience)
    async with world.serving():
        await at_work(world)
        await world.machine.refuse()
        await world.machine.drop_connections()
        await world.comment("/ptq peek")
        assert (await world.next_text()).partition("\n")[2] == snapshot("""\
Job `YYYYMMDD-pytorch-1` is running on `gpu-1`. This is what its agent wrote so far.

**`gpu-1` does not answer**, so this is what I knew before.\
""")
        await world.machine.accept()
        await stopped(world)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (
            "/ptq peek",
            snapshot(
                "@maintainer I cannot do that: there is no job here yet: `/ptq investigate` asks for one."
            ),
        ),
        (
            "/ptq peek --log",
            snapshot("""\
@maintainer `--log` needs a value: a whole number from 1 to 200.

Usage: `/ptq peek [--log N] [JOB]` · `/ptq help peek` says more.\
"""),
        ),
        (
            "/ptq peek --log many",
            snapshot("""\
@maintainer `--log` takes a whole number from 1 to 200, not `many`.

Usage: `/ptq peek [--log N] [JOB]` · `/ptq help peek` says more.\
"""),
        ),
        (
            "/ptq peek --log 201",
            snapshot("""\
@maintainer `--log` takes a whole number from 1 to 200, not `201`.

Usage: `/ptq peek [--log N] [JOB]` · `/ptq help peek` says more.\
"""),
        ),
        (
            "/ptq peek --log 5 --log 6",
            snapshot("""\
@maintainer `--log` is given twice: once is enough.

Usage: `/ptq peek [--log N] [JOB]` · `/ptq help peek` says more.\
"""),
        ),
        (
            "/ptq peek --lag 5",
            snapshot("""\
@maintainer There is no option `--lag` here. Did you mean `--log`?

Usage: `/ptq peek [--log N] [JOB]` · `/ptq help peek` says more.\
"""),
        ),
        (
            '/ptq peek "1',
            snapshot("""\
@maintainer A quote is opened and never closed: `"1`.

Usage: `/ptq peek [--log N] [JOB]` · `/ptq help peek` says more.\
"""),
        ),
        (
            "/ptq results",
            snapshot(
                "@maintainer I cannot do that: there is no job here yet: `/ptq investigate` asks for one."
            ),
        ),
        (
            "/ptq results --log 5",
            snapshot("""\
@maintainer There is no option `--log` here.

Usage: `/ptq results [JOB]` · `/ptq help results` says more.\
"""),
        ),
    ],
)
async def test_what_cannot_be_shown(bot: Bot, text: str, answer: str) -> None:
    """What is wrong is told, and what is right."""
    await bot.comment(text)
    assert (await bot.next_text()).partition("\n")[2] == answer


async def test_the_results_of_a_job(bot: Bot) -> None:
    """What the bot saw, and the agent's files in collapsed sections."""
    bot.agent_does(scenes.not_reproduced())
    await ended(bot)
    await bot.comment("/ptq results", author=TRIAGER)
    text = await bot.next_text()
    head, _, files = text.partition("<details>")
    assert head == snapshot("""\
<!-- ptq:reply comment=ID command=1 --><!-- ptq:kind results -->
**Job `YYYYMMDD-pytorch-1` has finished.** I ran the repro myself: it fails at base in 3 of 3 runs. The agent claimed `not_reproduced`; I saw `reproduced`.

| what I ran | what I saw |
|---|---|
| the repro at base | **fails** 3 of 3: `AssertionError: the caller's batch was changed` |
| where | no GPU, torch `0.3.0`, commit `fab142db24e9`, Python `3.11.7` |

""")
    assert [line for line in files.splitlines() if "<summary>" in line] == snapshot(
        [
            "<summary>Report by the agent (AI-generated, not reviewed by a person)</summary>",
            "<details><summary>How this was checked</summary>",
            "<details><summary>End of the agent's log</summary>",
        ]
    )


async def test_results_of_a_job_that_runs(bot: Bot) -> None:
    """There are none yet, and it is said what shows something."""
    await at_work(bot)
    await bot.comment("/ptq results")
    assert (await bot.next_text()).partition("\n")[2] == snapshot(
        "@maintainer I cannot do that: job `YYYYMMDD-pytorch-1` has not ended: `/ptq peek` shows what there is so far."
    )
    await stopped(bot)
