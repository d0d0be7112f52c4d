"""Codex investigates, where a maintainer asks for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from inline_snapshot import snapshot

from demo import story
from tests import scenes
from tests.harness import REPOSITORY

if TYPE_CHECKING:
    from tests.harness import Bot


async def test_codex_fixes_a_bug(bot: Bot) -> None:
    """The same job with another agent: its model is its own choice, and tokens are counted."""
    await bot.comment("/ptq investigate --agent codex")
    await bot.next_text()
    assert "draft pull request #2" in await bot.next_text()
    job = await bot.job()
    assert (job.request.options.agent, job.request.options.model) == ("codex", "default")
    report = bot.report()
    assert re.findall(r"^- ✓ Investigate: .*", report, re.MULTILINE) == snapshot(
        ["- ✓ Investigate: 13 of 100 turns, 1,000 tokens"]
    )
    (pull,) = bot.github.pulls(REPOSITORY)
    assert [line for line in (pull.body or "").splitlines() if "codex" in line] == snapshot(
        [
            "- Made by `codex` (model `default`) in 13 turns, on a machine without a GPU, with torch `0.3.0` at commit `fab142db24e9`."
        ]
    )


async def test_codex_gets_another_try(bot: Bot) -> None:
    """A refuted fix goes back to the same session, which mends it then."""
    broken = {**scenes.MEND, "new": "        padded = list(padded)\n        transpose_(padded)\n"}
    mended = {"replace": scenes.MEND["replace"], "old": broken["new"], "new": scenes.MEND["new"]}
    claim = scenes.verdict("fixed", summary="It works now.")
    bot.agent_does(
        [*story.reproduce(), broken, scenes.REPORT, claim], then=[mended, scenes.REPORT, claim]
    )
    await bot.comment("/ptq investigate --agent codex --model gpt-5.1")
    await bot.next_text()
    assert "draft pull request #2" in await bot.next_text()
    job = await bot.job()
    assert job.request.options.model == "gpt-5.1"
    assert "Investigate: 7 of 100 turns, 1,000 tokens" in bot.report()


async def test_a_model_that_fails(bot: Bot) -> None:
    """What Codex was told by the model's API is told on."""
    bot.agent_does([{"fail": {"result": "unexpected status 401 Unauthorized"}}])
    await bot.comment("/ptq investigate --agent codex")
    await bot.next_text()
    assert await bot.next_text() == snapshot("""\
<!-- ptq:closing job=YYYYMMDD-pytorch-1 run=1 -->
@maintainer The model behind the agent failed or refused, so the agent ended early. I ran the repro myself: it fails at base in 3 of 3 runs.

What is known, with all that I ran, is in [the comment above](https://github.com/pytorch/pytorch/issues/1#issuecomment-ID). It may be incomplete, because the run was cut short.\
""")
