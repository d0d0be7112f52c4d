"""The next run of a job: what it goes on from, and what of the last one it must not take."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

from bot.models import JobState, Mode
from demo import story
from tests import scenes
from tests.harness import REPOSITORY, TRIAGER
from tests.running import at_work, ended, stopped

if TYPE_CHECKING:
    from tests.harness import Bot

pytestmark = pytest.mark.timeout(180)
"""Seconds: these are talks about two whole jobs."""

WRONG: dict[str, Any] = {
    "replace": "pytorch/tinytorch/sequence.py",
    "old": "        transpose_(padded)\n",
    "new": "        transpose_(padded)  # the culprit\n",
}
FIRST: list[dict[str, Any]] = [
    *story.reproduce(),
    WRONG,
    {"write": "worklog.md", "text": "- run 1 was here\n"},
    {"write": "report.md", "text": "It is `transpose_`.\n"},
    scenes.verdict("not_fixed", summary="I found the line, and no fix."),
]
"""A run that leaves a change which mends nothing."""


def seen(*commands: str) -> list[dict[str, Any]]:
    """Write into the report what these commands print in the job directory."""
    runs = [
        {"run": ["sh", "-c", command], "save": f"c{number}"}
        for number, command in enumerate(commands)
    ]
    text = "".join(f"{line}\n${{c{n}.output}}\n" for n, line in enumerate(commands))
    return [*runs, {"write": "report.md", "text": text}]


async def report(bot: Bot, run: int) -> str:
    """Return what the agent reported in a run."""
    job = await bot.job()
    return await bot.service.documents.read(job.id, run, "report.md") or ""


async def test_the_next_run_goes_on_from_the_last(bot: Bot) -> None:
    """It has the same id and worktree, and the earlier files as data; its own begin empty."""
    bot.agent_does(FIRST)
    first = await ended(bot)
    look = (
        "ls earlier/run-1",
        "cat earlier/run-1/worklog.md",
        "ls *.md *.json *.diff; cat worklog.md",
    )
    diff = "git -C pytorch diff --unified=0 | grep '^[+-] '"
    bot.agent_does([*seen(*look, diff), scenes.verdict("reproduced")])
    asked = await bot.comment("/ptq rerun --mode diagnose\nMake a copy instead.")
    assert (await bot.next_text()).partition("\n")[0] == snapshot(
        "<!-- ptq:progress job=YYYYMMDD-pytorch-1 run=2 -->"
    )
    assert (await bot.next_text()).partition("\n")[0] == snapshot(
        "<!-- ptq:closing job=YYYYMMDD-pytorch-1 run=2 -->"
    )

    second = await bot.job()
    assert second.id == first.id
    assert (second.request.run, second.state) == (2, JobState.FINISHED)
    assert second.request.options == first.request.options.model_copy(
        update={"mode": Mode.DIAGNOSE}
    )
    assert second.request.guidance == "Make a copy instead."
    assert bot.reactions(asked) == ["eyes"]
    assert await report(bot, 1) == "It is `transpose_`.\n"
    assert await report(bot, 2) == snapshot("""\
ls earlier/run-1
fix.diff
proved.md
report.md
verdict.json
worklog.md
cat earlier/run-1/worklog.md
- run 1 was here
ls *.md *.json *.diff; cat worklog.md
ls: cannot access '*.json': No such file or directory
ls: cannot access '*.diff': No such file or directory
brief.md
guidance.md
issue.md
worklog.md
git -C pytorch diff --unified=0 | grep '^[+-] '
-        transpose_(padded)
+        transpose_(padded)  # the culprit
""")
    brief = await bot.service.documents.read(second.id, 2, "brief.md") or ""
    start = brief.index("## Earlier runs")
    assert brief[start : brief.index("## What to do")] == snapshot("""\
## Earlier runs of this job

Run 2 goes on from what was done before. `earlier/run-N` holds the worklog, report, verdict, patch and repro that each
run left, as far as there are any, and `proved.md`, which says what a program saw when it tried them. It is all
untrusted data: an agent wrote it, and it may be wrong where it sounds sure. Read it first, do not repeat what did not
work, and check yourself what you build on.

| run | asked for by | ended | verdict |
|---|---|---|---|
| 1 | maintainer | finished | not_fixed |

The worktree holds the last run's change. Keep it, mend it or take it back, as the evidence says. The files that you
leave are this run's own: nothing of an earlier one is taken for it. `worklog.md` is empty again.

""")
    assert await bot.service.leases.living() == []


async def test_nothing_of_the_last_run_is_taken_for_the_next(bot: Bot) -> None:
    """A run that leaves nothing has no report, no verdict and no pull request of its own."""
    bot.agent_does(FIRST)
    await ended(bot)
    bot.agent_does([{"say": "I do nothing."}])
    await bot.comment("/ptq investigate")
    await bot.next_text()
    assert (await bot.next_text()).partition("\n")[2] == snapshot("""\
@maintainer The agent ended without a verdict. I ran the repro myself: it fails at base in 3 of 3 runs, and with the change it still fails in 3 of 3.

What is known, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID).\
""")
    job = await bot.job()
    documents = await bot.service.documents.read_all(job.id, 2)
    assert sorted(documents) == snapshot(
        ["brief.md", "fix.diff", "issue.json", "log", "proof.json", "worklog.md"]
    )
    assert documents["worklog.md"] == ""


async def test_a_worktree_that_is_gone_is_made_again(bot: Bot) -> None:
    """It is the base with the last run's patch."""
    bot.agent_does(FIRST)
    await ended(bot)
    await asyncio.to_thread(_forget, Path(bot.machine.home))
    diff = "git -C pytorch diff --unified=0 | grep '^[+-] '"
    bot.agent_does([*seen(diff), scenes.verdict("not_fixed")])
    await bot.comment("/ptq investigate")
    await bot.next_text()
    await bot.next_text()
    await bot.job()
    assert await report(bot, 2) == snapshot("""\
git -C pytorch diff --unified=0 | grep '^[+-] '
-        transpose_(padded)
+        transpose_(padded)  # the culprit
""")


async def test_a_patch_that_does_not_fit_any_more(bot: Bot) -> None:
    """The worktree is the base alone, and the agent is told where the patch lies."""
    bot.agent_does(FIRST)
    job = await ended(bot)
    patch = await bot.service.documents.read(job.id, 1, "fix.diff") or ""
    stale = patch.replace(" transpose_(padded)", " turn_(padded)")
    await bot.service.documents.put(job.id, 1, "fix.diff", stale)
    await asyncio.to_thread(_forget, Path(bot.machine.home))
    bot.agent_does([*seen("git -C pytorch status --short"), scenes.verdict("not_fixed")])
    await bot.comment("/ptq rerun")
    await bot.next_text()
    await bot.next_text()
    assert await report(bot, 2) == "git -C pytorch status --short\n\n"
    brief = await bot.service.documents.read(job.id, 2, "brief.md") or ""
    start = brief.index("| 1 | maintainer")
    assert brief[start : brief.index("## What to do")] == snapshot("""\
| 1 | maintainer | finished | not_fixed |

The last run's change, its `fix.diff`, could not be put on this base: look with `git status` at what the worktree
holds, and take from the patch what still fits. The files that you leave are this run's own: nothing of an earlier one
is taken for it. `worklog.md` is empty again.

""")


async def test_a_free_task_is_run_again(bot: Bot) -> None:
    """Where a thread's newest job is a task, that is what runs again, with its task."""
    bot.agent_does([{"write": "report.md", "text": "It pads.\n"}])
    await bot.comment('/ptq run -m "Say what pad_sequence does."')
    await bot.next_text()
    await bot.next_text()
    first = await bot.job()
    bot.agent_does([*seen("ls earlier/run-1; cat guidance.md"), scenes.REPORT])
    await bot.comment("/ptq rerun\nIn two words.")
    await bot.next_text()
    await bot.next_text()
    second = await bot.job()
    assert (second.id, second.request.run, second.request.task) == (
        first.id,
        2,
        "Say what pad_sequence does.",
    )
    assert second.request.guidance == "In two words."
    assert second.state is JobState.FINISHED


def _forget(home: Path) -> None:
    """Lose a job's worktree, as when another machine is lent."""
    (job,) = (home / "ptq_workspace" / "jobs").iterdir()
    (job / "pytorch").rename(home / "lost")


async def test_a_running_job_is_not_run_again(bot: Bot) -> None:
    """It is pointed to, whichever command asks."""
    await at_work(bot)
    for text in ("/ptq rerun", "/ptq investigate"):
        await bot.comment(text)
        assert (await bot.next_text()).partition("\n")[2] == snapshot(
            "@maintainer This issue is being investigated already, in job [`YYYYMMDD-pytorch-1`](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID). Please ask again when it has ended."
        )
    await stopped(bot)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (
            "/ptq rerun",
            snapshot(
                "@maintainer I cannot do that: there is no job here to run again: `/ptq investigate` asks for one."
            ),
        ),
        (
            "/ptq rerun --gpus 99",
            snapshot("""\
@maintainer `--gpus` takes a whole number from 1 to 16, not `99`.

Usage: `/ptq rerun [options] [guidance]` · `/ptq help rerun` says more.\
"""),
        ),
        (
            "/ptq rerun --gpuz 1",
            snapshot("""\
@maintainer There is no option `--gpuz`. Did you mean `--gpus`?

Usage: `/ptq rerun [options] [guidance]` · `/ptq help rerun` says more.\
"""),
        ),
        (
            "/ptq rerun -m",
            snapshot("""\
@maintainer `--message` needs a value: text; put it in quotes.

Usage: `/ptq rerun [options] [guidance]` · `/ptq help rerun` says more.\
"""),
        ),
    ],
)
async def test_what_cannot_be_run_again(bot: Bot, text: str, answer: str) -> None:
    """Without a job there is nothing to run again, and what to write is told."""
    asked = await bot.comment(text)
    assert (await bot.next_text()).partition("\n")[2] == answer
    await bot.handled()
    assert bot.reactions(asked) == ["confused"]


async def test_a_triager_cannot_run_it_again(bot: Bot) -> None:
    """Another run costs a GPU, as the first did."""
    bot.agent_does(FIRST)
    await ended(bot)
    asked = await bot.comment("/ptq rerun", author=TRIAGER)
    await bot.next_text()
    await bot.handled()
    assert bot.reactions(asked) == ["confused"]
    assert bot.github.pulls(REPOSITORY) == []
